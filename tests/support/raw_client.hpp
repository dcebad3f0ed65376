// A client that sends exactly the bytes it is told to, right or wrong, and reads what comes back with limits.
#pragma once

#include "tests/support/message.hpp"

namespace gateway::test {

class RawClient : public Connection {
public:
    explicit RawClient(std::uint16_t port, const char* address = "127.0.0.1", int receive_buffer = 0)
        : Connection(connect_to(port, address, receive_buffer)) {}

    Message response(BodyRule rule = BodyRule::by_framing) { return read_response(*this, rule); }
    // One request, one answer, on the same connection.
    Message ask(std::string_view method, std::string_view target, std::string_view lines = {},
                std::string_view body = {}) {
        send(make_request(method, target, lines, body));
        return response(method == "HEAD" ? BodyRule::none : BodyRule::by_framing);
    }
    Message get(std::string_view target, std::string_view lines = {}) { return ask("GET", target, lines); }
};

// One request on a connection of its own.
inline Message fetch(std::uint16_t port, std::string_view method, std::string_view target, std::string_view lines = {},
                     std::string_view body = {}) {
    return RawClient(port).ask(method, target, lines, body);
}

}  // namespace gateway::test
