// `log_format` of a logger: an object of literals and `$variables`, compiled once, written per request.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/config/schema.hpp"
#include "libgateway/plugin/exchange.hpp"

namespace gateway::plugins {

using FormatObject = config::Members<json::Value>;

// Bodies as an entry tells them; null data: not kept.
struct LoggedBodies {
    std::string_view request, response;
};

// Immutable. Objects deeper than five levels are written empty, with a warning when they are compiled.
class LogFormat {
public:
    LogFormat() = default;
    LogFormat(const FormatObject& members, std::string_view plugin);

    // Members, each with its comma before it. Names for which `skip(name)` holds are left out.
    template <class Skip>
    void append(std::string& out, const Exchange& exchange, const LoggedBodies& bodies, Skip&& skip) const {
        for (const Node& node : nodes_) {
            if (!skip(std::string_view(node.name))) append_node(out, node, exchange, bodies);
        }
    }
    bool uses_request_body() const noexcept { return uses_request_body_; }
    bool uses_response_body() const noexcept { return uses_response_body_; }

private:
    struct Node {
        std::string name, literal;  // literal: JSON text; empty: a variable, or an object of `members`
        expr::Variable variable;
        bool is_object = false, numeric = false;
        std::vector<Node> members;
    };
    std::vector<Node> compile(const FormatObject& members, unsigned depth, std::string_view plugin);
    static void append_node(std::string& out, const Node& node, const Exchange& exchange, const LoggedBodies& bodies);

    bool uses_request_body_ = false, uses_response_body_ = false;  // before the nodes: compile() sets them
    std::vector<Node> nodes_;
};

}  // namespace gateway::plugins
