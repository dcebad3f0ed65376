// gatewayctl's command line: what was asked, of which gateway, and how to show the answer.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/control/wire.hpp"

namespace gateway::control {

struct CommandLine {
    Request request;
    std::string config_path;   // -c; empty: the server program knows its default
    std::string socket_path;   // -s; empty: asked of the static file
    std::string content_path;  // a file whose text becomes the argument "content"; "-": standard input
    std::string output_path;   // a file for the answer's text; "-" or empty: standard output
    bool json = false, help = false;
    std::chrono::milliseconds limit{60'000};
    std::string error;  // usage error; everything else is void then
};

// Arguments without the program's name.
CommandLine parse_command_line(std::span<const std::string_view> arguments);
std::string help_text();

}  // namespace gateway::control
