// The stage of the HTTP stories: one scripted upstream behind one real gateway with a catch-all route.
#pragma once

#include <fstream>
#include <string>
#include <string_view>

#include "tests/support/eventually.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/scripted_upstream.hpp"

namespace gateway::test {

using namespace std::chrono_literals;

// Settings below `nginx_config.http:`, one "key: value" per line; the access log goes to a file with a short format.
inline std::string http_settings(std::string_view lines, std::string_view format = "$status $request_uri") {
    std::string text = "  http:\n    access_log: access.log\n    access_log_format: '";
    text.append(format).append("'\n");
    while (!lines.empty()) {
        const auto end = lines.find('\n');
        text.append("    ").append(lines.substr(0, end)).append("\n");
        lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
    }
    return text;
}

// What a story says about its stage; `upstream_lines` are further lines of the upstream object, `route_lines` of the
// route.
struct StageOptions {
    std::string http{}, nginx{}, apisix{}, upstream_lines{}, route_lines{}, format = "$status $request_uri";
    int workers = 1;
};

inline std::string indented(std::string_view lines, std::string_view blanks) {
    std::string text;
    while (!lines.empty()) {
        const auto end = lines.find('\n');
        text.append(blanks).append(lines.substr(0, end)).append("\n");
        lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
    }
    return text;
}

inline std::string stage_routes(const std::string& nodes, const StageOptions& options) {
    return "routes:\n  - id: 1\n    uri: /*\n" + indented(options.route_lines, "    ") +
           "    upstream:\n      type: roundrobin\n      nodes: {" + nodes + "}\n" +
           indented(options.upstream_lines, "      ");
}

inline GatewayOptions stage_options(const std::string& nodes, const StageOptions& options) {
    GatewayOptions made;
    made.routes = stage_routes(nodes, options);
    made.workers = options.workers;
    made.apisix = indented(options.apisix, "  ");
    made.nginx_config = indented(options.nginx, "  ") + http_settings(options.http, options.format);
    return made;
}

inline std::string node_map(const std::string& node) {
    return "\"" + node + "\": 1";
}

class Stage {
public:
    explicit Stage(const StageOptions& options = {},
                   ScriptedUpstream::Answer answer = ScriptedUpstream::answers(200, "ok"))
        : upstream(std::move(answer)), gateway(stage_options(node_map(upstream.node()), options)) {}

    std::uint16_t port() { return gateway.port(); }
    RawClient client() { return RawClient(port()); }
    Message get(std::string_view target, std::string_view lines = {}) { return fetch(port(), "GET", target, lines); }
    // Everything the gateway sends on one connection that was fed `bytes`, until it ends it.
    std::string conversation(std::string_view bytes) {
        RawClient one(port());
        one.send(bytes);
        return one.read_to_end();
    }

    ScriptedUpstream upstream;
    GatewayProcess gateway;
};

// Whether a line holding `text` appears in the access log.
inline bool logged(const GatewayProcess& gateway, std::string_view text, milliseconds limit = 5s) {
    return eventually(
        [&] {
            std::ifstream file(gateway.folder() / "access.log");
            for (std::string line; std::getline(file, line);) {
                if (line.find(text) != std::string::npos) return true;
            }
            return false;
        },
        limit);
}

// Resident memory of a process in KiB.
inline long resident_kib(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/status");
    for (std::string word; file >> word;) {
        if (word != "VmRSS:") continue;
        long kib = 0;
        file >> kib;
        return kib;
    }
    return 0;
}

}  // namespace gateway::test
