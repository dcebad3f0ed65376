// The Control API: what is in force, for people and tools on this machine. It has no keys and shows no secrets.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <string>

#include "libgateway/admin/health_calls.hpp"
#include "libgateway/admin/message.hpp"
#include "libgateway/admin/objects.hpp"

namespace gateway::admin {

// Loop thread of control; one per process.
class InnerApi {
public:
    struct Settings {
        std::string server_token = "gateway", page_token = "gateway";
    };
    // Reads both files again; the reason if that was refused.
    using Reload = std::function<boost::asio::awaitable<std::string>()>;
    // [{"resource", "id", "error", "since"}]: what is not in force because it was refused.
    using Errors = std::function<json::Value()>;
    // `objects` outlives this.
    InnerApi(const Objects& objects, Settings settings, Reload reload = {}, Errors errors = {})
        : objects_(objects), settings_(std::move(settings)), reload_(std::move(reload)), errors_(std::move(errors)) {}
    // Without it no checker runs.
    void tell_health(CheckedNodes nodes) { nodes_ = std::move(nodes); }
    void use(Settings settings) { settings_ = std::move(settings); }

    boost::asio::awaitable<Reply> answer(Request request);
    Reply malformed() const;
    static constexpr std::uint64_t most_body = 64 << 10;

private:
    boost::asio::awaitable<Reply> route(const Request& request);
    Reply show(const std::string& word, const std::string& id) const;

    const Objects& objects_;
    Settings settings_;
    Reload reload_;
    Errors errors_;
    CheckedNodes nodes_;
};

}  // namespace gateway::admin
