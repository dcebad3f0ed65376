// What the data plane needs of the static file, as plain values. Replaced whole when the file changes; exchanges pin
// theirs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "libgateway/base/clock.hpp"
#include "libgateway/base/ref_counted.hpp"
#include "libgateway/expr/cidr.hpp"
#include "libgateway/http/head_parser.hpp"
#include "libgateway/http/path.hpp"
#include "libgateway/plugin/debug_header.hpp"
#include "libgateway/plugin/debug_hooks.hpp"

namespace gateway::proxy {

struct Settings : RefCounted {
    http::HeadLimits limits;
    http::PathOptions path;
    Milliseconds keepalive_timeout{60'000}, header_timeout{60'000}, body_timeout{60'000}, send_timeout{10'000};
    std::uint64_t max_body_size = 0;               // 0: no limit
    std::uint64_t max_matched_body = 64ull << 20;  // max_post_args_readable_size
    std::uint64_t max_graphql = 1 << 20;           // graphql.max_size
    bool underscores_in_headers = true;
    bool show_upstream_status = false;
    DebugForm debug_form = DebugForm::off;  // apisix.enable_debug, or debug.yaml
    std::string debug_field = "Apisix-Plugins";
    std::shared_ptr<const DebugHooks> debug_hooks;    // null: none
    std::string server = "gateway/" GATEWAY_VERSION;  // value of Server
    std::string page_token = "gateway";               // product line of built-in pages
    std::string charset = "utf-8";
    expr::CidrSet real_ip_from;
    std::string real_ip_header = "X-Real-IP";
    bool real_ip_recursive = false;
    bool trust_configured = false;
    expr::CidrSet trusted;
    std::uint32_t worker_connections = 10620;
};

}  // namespace gateway::proxy
