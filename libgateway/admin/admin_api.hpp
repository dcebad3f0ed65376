// The Admin API: from a request to its answer, by way of the objects; what it must be told comes as settings.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>

#include "libgateway/admin/access.hpp"
#include "libgateway/admin/dashboard.hpp"
#include "libgateway/admin/envelope.hpp"
#include "libgateway/admin/message.hpp"
#include "libgateway/admin/object_calls.hpp"
#include "libgateway/admin/objects.hpp"
#include "libgateway/admin/standalone.hpp"

namespace gateway::admin {

struct AdminSettings {
    Access::Rules access;
    Version version = Version::v3;
    bool cors = true, ui = true;           // ui: the dashboard is served
    bool stream_mode = false;              // without it there are no stream routes
    std::string server_token = "gateway";  // of the field Server
    std::string page_token = "gateway";    // of the built-in pages
};

// Loop thread of control; one per process. Requests may be under way while others come: what they do to the objects is
// one revision each, in the order in which control takes them.
class AdminApi {
public:
    // Reads the static file and the route file again, for `PUT /plugins/reload`; the reason if that was refused.
    using Reload = std::function<boost::asio::awaitable<std::string>()>;
    // `objects` outlives this.
    AdminApi(Objects& objects, AdminSettings settings, Reload reload = {});
    // What the dashboard shows comes from there; it outlives this. Without one there is no dashboard.
    void show(Dashboard& dashboard) noexcept { dashboard_ = &dashboard; }
    // Standalone API mode: the whole configuration is all that there is to ask for. It outlives this.
    void stand_alone(WholeConfiguration& whole) noexcept { whole_ = &whole; }
    // Requests that come later are answered by these.
    void use(AdminSettings settings);

    boost::asio::awaitable<Reply> answer(Request request);
    // The answer to a body of that many bytes, which is not read.
    Reply too_large(std::uint64_t size) const;
    // The answer to bytes that are no request.
    Reply malformed() const;
    static constexpr std::uint64_t most_body = 1'572'864;

private:
    struct Settings {
        AdminSettings given;
        Access access;
    };
    boost::asio::awaitable<Reply> admit(const Settings& settings, const Request& request);
    boost::asio::awaitable<Reply> route(const Request& request, const Target& target, store::Author author);
    boost::asio::awaitable<Reply> route_whole(const Request& request, const Target& target, store::Author author);
    boost::asio::awaitable<Reply> reload_plugins(const Request& request);

    Objects& objects_;
    ObjectCalls calls_;
    Dashboard* dashboard_ = nullptr;
    WholeConfiguration* whole_ = nullptr;
    std::shared_ptr<const Settings> settings_;
    Reload reload_;
};

}  // namespace gateway::admin
