// The stage of the loggers' stories: a worker's loop, requests without sockets, what was said.
#pragma once

#include <stdexcept>

#include "tests/support/delivery_rig.hpp"
#include "tests/support/fake_exchange.hpp"
#include "tests/support/log_lines.hpp"

namespace gateway::test {

// `%` stands for the port.
inline std::string with_port(std::string text, std::uint16_t port) {
    for (std::size_t at; (at = text.find('%')) != std::string::npos;) text.replace(at, 1, std::to_string(port));
    return text;
}

struct Logged {
    DeliveryRig rig;
    LogLines lines;
    TestChain plugins;
    Ref<const Chain> chain;

    // Nothing may be left under way: what waits is counted for all loggers of a kind together.
    ~Logged() {
        rig.dispatch.drain();
        static_cast<void>(rig.until([&] { return !rig.dispatch.busy(); }, milliseconds(10000)));
    }
    void configure(std::string_view plugin, const std::string& conf) { chain = plugins.add(plugin, conf).make(); }
    void ask(std::string_view target = "/hello", const std::function<void(FakeExchange&)>& change = {},
             std::string_view method = "GET", const Script& script = {}) {
        FakeExchange exchange(method, target);
        exchange.own_services.own_dispatch = &rig.dispatch;
        if (change) change(exchange);
        exchange.run(*chain, script);
        if (!exchange.finished) throw std::runtime_error("the exchange did not end");
    }
    bool said(std::string_view text) const {
        for (const std::string& line : lines.all()) {
            if (line.find(text) != std::string::npos) return true;
        }
        return false;
    }
    std::size_t count(std::string_view text) const {
        std::size_t found = 0;
        for (const std::string& line : lines.all()) found += line.find(text) != std::string::npos ? 1 : 0;
        return found;
    }
};

inline std::string text_at(const json::Value& value, std::initializer_list<std::string_view> path) {
    const json::Value* at = &value;
    for (const std::string_view name : path) at = at ? at->find(name) : nullptr;
    return !at ? "(none)" : at->is_string() ? at->string() : json::write(*at);
}

}  // namespace gateway::test
