// The WebSocket side of the demo upstream (RFC 6455): handshake value and an echo of whole frames.
#pragma once

#include <string>
#include <string_view>

namespace gateway::demo {

std::string websocket_accept(std::string_view key);

// Takes whole frames from the front of `input` and appends the answers to `output`: data comes back, ping becomes pong.
// False when the connection is to end (close frame, or something that is no frame of a client).
bool echo_frames(std::string& input, std::string& output);

}  // namespace gateway::demo
