// gateway-demo-upstream [--port N] [--address IP] [--name TEXT] [--tick MS] [--announce]
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>

#include "libgateway/base/strings.hpp"
#include "tests/support/demo_upstream/server.hpp"

namespace {

constexpr const char* usage =
    "usage: gateway-demo-upstream [--port N] [--address IP] [--name TEXT] [--tick MS] [--announce]\n"
    "  --port N     port to listen on; 0 (default) takes a free one\n"
    "  --name TEXT  body of /hello instead of \"hello world\"\n"
    "  --tick MS    time between two events of /stream (default 100)\n"
    "  --announce   print the port on a line of its own when ready\n";

bool read_options(int argc, char** argv, gateway::demo::Settings& settings, bool& announce) {
    for (int i = 1; i < argc; ++i) {
        const std::string_view name = argv[i];
        if (name == "--announce") {
            announce = true;
            continue;
        }
        if (i + 1 >= argc) return false;
        const std::string_view value = argv[++i];
        const auto number = gateway::parse_decimal<std::uint16_t>(value);
        if (name == "--port" && number) {
            settings.port = *number;
        } else if (name == "--tick" && number) {
            settings.tick_ms = *number;
        } else if (name == "--address") {
            settings.address = value;
        } else if (name == "--name") {
            settings.name = value;
        } else {
            return false;
        }
    }
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    gateway::demo::Settings settings;
    bool announce = false;
    if (!read_options(argc, argv, settings, announce)) {
        std::fputs(usage, stderr);
        return 64;
    }
    std::signal(SIGPIPE, SIG_IGN);
    try {
        gateway::demo::Server server(settings);
        if (announce) {
            std::printf("%d\n", server.port());
            std::fflush(stdout);
        }
        server.run();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "gateway-demo-upstream: %s\n", error.what());
        return 1;
    }
}
