#include "libgateway/config/upstream_object.hpp"

#include <algorithm>

#include "libgateway/base/strings.hpp"

namespace gateway::config {

namespace {

bool all_of(std::string_view text, bool (*allowed)(char)) noexcept {
    return !text.empty() && std::all_of(text.begin(), text.end(), allowed);
}

// The reference's range `A-z` also takes the six characters between `Z` and `a`.
bool in_wide_range(char c) noexcept {
    return is_digit(c) || (c >= 'A' && c <= 'z') || c == '-';
}
bool in_header_name(char c) noexcept {
    return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'z') || c == '-' || c == '_';
}

bool is_vars_key(std::string_view key) noexcept {
    constexpr std::array<std::string_view, 10> known{"uri",         "server_name",   "server_addr",  "request_uri",
                                                     "remote_port", "remote_addr",   "query_string", "host",
                                                     "hostname",    "mqtt_client_id"};
    if (std::find(known.begin(), known.end(), key) != known.end()) return true;
    return key.starts_with("arg_") && all_of(key.substr(4), in_wide_range);
}

void check_hash_key(const Upstream& upstream, Errors& errors) {
    if (upstream.type != "chash" || upstream.hash_on == HashOn::consumer) return;
    if (!upstream.key) return errors.add_member("key", {}, "missing key");
    const bool vars = upstream.hash_on == HashOn::vars;
    const bool named = upstream.hash_on == HashOn::header || upstream.hash_on == HashOn::cookie;
    const bool bad = (vars && !is_vars_key(*upstream.key)) || (named && !all_of(*upstream.key, in_header_name));
    if (!bad) return;
    std::string text = "failed to match pattern \"";
    text.append(vars ? hash_vars_pattern : hash_header_pattern).append("\" with \"").append(*upstream.key).append("\"");
    errors.add_member("key", {}, text);
}

}  // namespace

void UpstreamTls::check(const UpstreamTls& tls, Errors& errors) {
    if (tls.client_cert_id && tls.client_cert) {
        errors.add("only one of client_cert_id and client_cert is allowed");
    }
}

void Upstream::check(const Upstream& upstream, Errors& errors) {
    if (upstream.pass_host == PassHost::rewrite && upstream.upstream_host.value_or("").empty()) {
        errors.add_member("upstream_host", {}, "`upstream_host` can't be empty when `pass_host` is `rewrite`");
    }
    check_hash_key(upstream, errors);
}

}  // namespace gateway::config
