// The calls of the Control API about health checks: which checkers there are, and what each knows of its nodes.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/admin/message.hpp"
#include "libgateway/admin/objects.hpp"

namespace gateway::admin {

// Nodes of the checker of an object: an array of {ip, port, hostname, hostheader, status, counter: {success,
// http_failure, tcp_failure, timeout_failure}}; empty while it does not run.
using CheckedNodes = std::function<json::Value(config::Kind kind, std::string_view id)>;

// `parts` below /v1: "healthcheck", or that with a list and an id. Without `nodes` no checker runs.
Reply answer_health(const Objects& objects, const CheckedNodes& nodes, const Request& request,
                    const std::vector<std::string>& parts);

}  // namespace gateway::admin
