// An Admin API in standalone API mode, without sockets and without control.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "libgateway/admin/standalone.hpp"
#include "tests/support/admin_client.hpp"

namespace gateway::test {

class MemoryConfiguration final : public admin::WholeConfiguration {
public:
    admin::Configuration current() const override { return now; }
    boost::asio::awaitable<store::Written> replace(admin::Configuration next, admin::Configuration before,
                                                   store::Author) override {
        if (before_replace) std::exchange(before_replace, {})();
        store::Written written = answer;
        if (before != now) written.status = store::WriteStatus::conflict;
        if (written.status == store::WriteStatus::ok) {
            now = std::move(next);
            ++taken;
        }
        co_return written;
    }
    void set(const std::string& text) { now = std::make_shared<const json::Value>(json::parse(text)); }

    admin::Configuration now;
    store::Written answer;
    std::function<void()> before_replace;  // once
    unsigned taken = 0;
};

class StandaloneClient : public AdminClient {
public:
    StandaloneClient() { api.stand_alone(whole); }
    admin::Reply put(const std::string& digest, std::string body, admin::Fields fields = {}) {
        fields.emplace_back("X-Digest", digest);
        return ask("PUT", "/configs", std::move(body), std::move(fields));
    }
    MemoryConfiguration whole;
};

}  // namespace gateway::test
