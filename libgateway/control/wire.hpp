// The control socket's language: one JSON request on one line, one JSON answer on one line, both of bounded size.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/json/value.hpp"

namespace gateway::control {

inline constexpr std::size_t most_request_bytes = 96 << 20;  // a route file of 64 MiB in quotes
inline constexpr std::size_t most_answer_bytes = 256 << 20;

// What became of a command; the numbers are gatewayctl's exit codes and never change.
enum class Status : std::uint8_t {
    ok = 0,
    refused = 1,      // invalid input, or not carried out; nothing changed
    usage = 2,        // the command line was not understood
    unreachable = 3,  // no gateway answers at that socket
    not_ready = 4,    // carried out or answered, but some worker lags, or the gateway is still loading
};
std::string_view name_of(Status status) noexcept;

// {"command": "explain", "arguments": {"method": "GET", …}}
struct Request {
    std::string command;
    json::Value arguments = json::Value::object();

    // Text of an argument; empty if it is absent or no string.
    std::string_view text(std::string_view name) const noexcept;
    bool flag(std::string_view name) const noexcept;
};

// {"status": "refused", "errors": ["…"], "result": …}
struct Answer {
    Status status = Status::ok;
    std::vector<std::string> errors;
    std::string result = "null";  // JSON text
};
Answer refuse(Status status, std::string error);

// One line without its end. Nothing if it is no request; `why` then says what is wrong with it.
std::optional<Request> parse_request(std::string_view line, std::string& why);
std::optional<Answer> parse_answer(std::string_view line, std::string& why);
// With the line end. JSON never holds a raw line end, so one line is one message.
std::string write(const Request& request);
std::string write(const Answer& answer);

}  // namespace gateway::control
