// The calls about objects: show one or many, make, replace, change, delete.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/admin/envelope.hpp"
#include "libgateway/admin/message.hpp"
#include "libgateway/admin/objects.hpp"
#include "libgateway/admin/resource.hpp"
#include "libgateway/admin/target.hpp"
#include "libgateway/json/value.hpp"

namespace gateway::admin {

// What a call is about, all read from the request.
struct Call {
    Method method = Method::get;
    Place place;
    std::vector<std::string> path;  // of PATCH, below the object
    const Request* request = nullptr;
    const Target* target = nullptr;
    store::Author author;
    Envelope envelope{Version::v3};
    bool stream_mode = false;
};

// Loop thread of control.
class ObjectCalls {
public:
    explicit ObjectCalls(Objects& objects) : objects_(objects) {}

    // The resource, if the path names one: "routes", "consumers/jack/credentials/c1". `segments` stand below
    // /apisix/admin.
    boost::asio::awaitable<Reply> answer(Call call, std::vector<std::string> segments);

private:
    using Answer = boost::asio::awaitable<Reply>;
    Reply show(const Call& call) const;
    Reply show_one(const Call& call) const;
    Reply show_list(const Call& call) const;
    Answer put(Call call);
    Answer post(Call call);
    Answer patch(Call call);
    Answer remove(Call call);

    // One object on its way to the store.
    struct Draft {
        json::Value value;  // secrets open, id as clients see it
        std::string id;     // the short one
        store::StoredPtr before;
        std::optional<std::uint64_t> expected;
        unsigned generated = 0;  // how often its id was; it must not exist then
        std::string_view action = "set";
        std::string_view lost = "value changed before overwritten";
    };
    Answer write(const Call& call, Draft draft);
    Reply answer_of(const Call& call, const Draft& draft, const store::Written& written) const;
    std::optional<Reply> read_body(const Call& call, std::string_view absent, json::Value& body) const;
    void generate_id(Draft& draft);
    std::optional<Reply> name_draft(const Call& call, Draft& draft) const;
    std::optional<Reply> name_secret(const Place& place, Draft& draft) const;
    std::optional<Reply> expect_version(const Call& call, const store::StoredPtr& before,
                                        std::optional<std::uint64_t>& expected) const;
    Shown shown(const Place& place, const store::Stored& object) const;
    std::shared_ptr<const keyring::Keyring> ring_for(config::Kind kind) const;
    std::string shown_value(const Place& place, const store::Stored& object, bool open) const;
    std::optional<Reply> owned(const Place& place, std::string_view short_id) const;

    Objects& objects_;
    std::uint64_t last_generated_ = 0;
};

// The answer to a write that did not become one; the pids of workers that lag go into a field of the others.
Reply refused_write(const store::Written& written, std::string_view lost_race);
void tell_lagging(const store::Written& written, Reply& reply);

}  // namespace gateway::admin
