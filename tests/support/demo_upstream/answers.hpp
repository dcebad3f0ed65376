// What the demo upstream says to each path; knows nothing of sockets.
#pragma once

#include <cstdint>
#include <string>

#include "tests/support/demo_upstream/request.hpp"

namespace gateway::demo {

struct Answer {
    std::string head{};         // status line and fields, with the blank line
    std::string body{};         // sent after the head
    std::uint64_t filler = 0;   // then so many bytes of filler, made while sending
    std::int64_t delay_ms = 0;  // before anything is sent
    int ticks = 0;              // then so many server-sent events, one each `tick_ms`
    std::int64_t tick_ms = 100;
    bool websocket = false;  // the connection is a WebSocket after the head
};

// `name` appears in the body of /hello when it is not empty ("upstream-1981").
Answer answer(const Request& request, std::string_view name);
std::string event(int number);  // one tick of /stream as a chunk
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

}  // namespace gateway::demo
