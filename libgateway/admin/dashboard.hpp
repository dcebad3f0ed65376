// What the dashboard's page asks for: `/apisix/admin/ui/…`, beside the objects that the Admin API has already.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <string>

#include "libgateway/admin/access.hpp"
#include "libgateway/admin/message.hpp"
#include "libgateway/admin/target.hpp"
#include "libgateway/control/wire.hpp"
#include "libgateway/store/object.hpp"

namespace gateway::admin {

// Which rows of a long list.
struct ListQuestion {
    std::string filter;  // a text that the row's object contains
    std::size_t from = 0, most = 50;
};

// One thread; implemented by control. Answers are those that gatewayctl gets; secrets are masked in all of them.
class Dashboard {
public:
    virtual ~Dashboard() = default;
    using Coming = boost::asio::awaitable<control::Answer>;

    // Processes, revision, health.
    virtual json::Value status() const = 0;
    // Routes with their plugins and what was counted of each so far, the busiest first.
    virtual Coming routes(ListQuestion question) = 0;
    virtual Coming upstreams(ListQuestion question) = 0;
    // The newest revisions; one with its difference.
    virtual Coming history(std::uint64_t most) = 0;
    virtual Coming revision(std::uint64_t number) = 0;
    virtual Coming explain(json::Value arguments) = 0;
    // Only for those who may change objects.
    virtual Coming roll_back(std::uint64_t number, store::Author author) = 0;
};

// `request` has shown its key: `who` says whose it is.
boost::asio::awaitable<Reply> answer_dashboard(Dashboard& dashboard, const Request& request, const Target& target,
                                               const Access::Verdict& who);

}  // namespace gateway::admin
