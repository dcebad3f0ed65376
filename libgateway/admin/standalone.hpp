// Standalone API mode: the whole configuration comes in one request, and is shown as it came.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/admin/message.hpp"
#include "libgateway/admin/objects.hpp"
#include "libgateway/json/value.hpp"

namespace gateway::admin {

// A configuration: lists of objects, the version of each list, its digest and when it came. Immutable.
using Configuration = std::shared_ptr<const json::Value>;

// Where the configuration of standalone API mode is kept; implemented by control, and in memory by tests. One thread.
class WholeConfiguration {
public:
    virtual ~WholeConfiguration() = default;
    // Null: none was given yet.
    virtual Configuration current() const = 0;
    // Brings `next` into force; answers when every living worker has it. `conflict` if the current one is not `before`
    // any more.
    virtual boost::asio::awaitable<store::Written> replace(Configuration next, Configuration before,
                                                           store::Author author) = 0;
};

// What a body makes of the current configuration, by the rules about versions; `seconds`: now.
struct NextConfiguration {
    json::Value value;
    std::string refusal;  // then `value` is void
};
NextConfiguration next_configuration(const json::Value* current, const json::Value& body, std::string_view digest,
                                     std::int64_t seconds);

// Members of a configuration that are no list of objects: versions, the digest and the time.
bool is_about_lists(std::string_view member) noexcept;

// GET, HEAD and PUT of /configs: what a gateway in this mode has beside validation. `method` is one of these.
boost::asio::awaitable<Reply> answer_standalone(Objects& objects, WholeConfiguration& whole, const Request& request,
                                                store::Author author);

}  // namespace gateway::admin
