// Asks an Admin API without sockets.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "libgateway/admin/admin_api.hpp"
#include "tests/support/memory_objects.hpp"

namespace gateway::test {

inline admin::AdminSettings open_settings() {
    admin::AdminSettings settings;
    settings.access.networks = {"127.0.0.0/24"};
    settings.access.keys = {{"admin", "secret", admin::Role::admin}, {"reader", "looking", admin::Role::viewer}};
    return settings;
}

class AdminClient {
public:
    explicit AdminClient(admin::AdminSettings settings = open_settings()) : api(objects, std::move(settings)) {}

    // As sent by a client; fields beyond the key may be given.
    admin::Reply ask(std::string method, std::string target, std::string body = {}, admin::Fields fields = {}) {
        fields.emplace_back("X-API-KEY", "secret");
        return raw(
            {std::move(method), "/apisix/admin" + std::move(target), std::move(body), std::move(fields), "127.0.0.1"});
    }
    admin::Reply raw(admin::Request request) {
        admin::Reply reply;
        boost::asio::io_context loop;
        boost::asio::co_spawn(
            loop, [&]() -> boost::asio::awaitable<void> { reply = co_await api.answer(std::move(request)); },
            [](std::exception_ptr error) {
                if (error) std::rethrow_exception(error);
            });
        loop.run();
        return reply;
    }

    MemoryObjects objects;
    admin::AdminApi api;
};

inline std::string field_of(const admin::Reply& reply, std::string_view name) {
    for (const auto& [key, value] : reply.fields) {
        if (key == name) return value;
    }
    return {};
}

}  // namespace gateway::test
