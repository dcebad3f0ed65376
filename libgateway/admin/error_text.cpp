#include "libgateway/admin/error_text.hpp"

#include <array>
#include <string_view>

namespace gateway::admin {

namespace {

constexpr std::string_view no_alternative = "object matches none of the required";

// What the reference checks by code and not by schema: told without the path to it.
constexpr std::array own_checks{
    std::string_view("only one of host"),  std::string_view("only one of remote_addr"),
    std::string_view("invalid port "),     std::string_view("`upstream_host` can't be empty"),
    std::string_view("missing key"),       std::string_view("wrong username"),
    std::string_view("invalid content: "), std::string_view("invalid secret id: "),
};

bool is_own_check(std::string_view message) noexcept {
    for (const std::string_view begin : own_checks) {
        if (message.starts_with(begin)) return true;
    }
    return message.ends_with("is not supported by this build");
}

// From `mark` on, the text is another one.
struct Rewording {
    std::string_view mark;
    std::string_view kept;  // how much of the mark stays
    std::string_view text;
};
constexpr std::array rewordings{
    Rewording{"property \"nodes\" validation failed: ", "property \"nodes\" validation failed: ", no_alternative},
    Rewording{"failed to match pattern \"IPv4 or IPv6 address or network\"", "", no_alternative},
    Rewording{"property \"status\" validation failed: expected ",
              "property \"status\" validation failed: ", "matches none of the enum values"},
    Rewording{"only one of client_cert_id and client_cert is allowed", "",
              "failed to validate dependent schema for \"client_cert_id\": value wasn't supposed to match schema"},
    Rewording{"property \"client_key\" is required when", "",
              "failed to validate dependent schema for \"client_cert\": property \"client_key\" is required"},
    Rewording{"property \"client_cert\" is required when", "",
              "failed to validate dependent schema for \"client_key\": property \"client_cert\" is required"},
    Rewording{"object matches none of the required: [\"plugins\"] or [\"upstream\"] or [\"upstream_id\"]", "",
              "object matches none of the required: [\"plugins\",\"uri\"] or [\"upstream\",\"uri\"] or "
              "[\"upstream_id\",\"uri\"] or [\"service_id\",\"uri\"] or [\"plugins\",\"uris\"] or "
              "[\"upstream\",\"uris\"] or [\"upstream_id\",\"uris\"] or [\"service_id\",\"uris\"] or "
              "[\"script\",\"uri\"] or [\"script\",\"uris\"]"},
};

// A key of chash that does not fit: the reference tells it without the path.
bool is_hash_key(const config::Finding& finding) noexcept {
    const std::string_view field = finding.field;
    return (field == "key" || field == "upstream.key") && finding.message.starts_with("failed to match pattern");
}

}  // namespace

std::string schema_text(const config::Finding& finding) {
    if (is_own_check(finding.message) || is_hash_key(finding)) return finding.message;
    for (const Rewording& one : rewordings) {
        const std::size_t at = finding.text.find(one.mark);
        if (at == std::string::npos) continue;
        return finding.text.substr(0, at).append(one.kept).append(one.text);
    }
    return finding.text;
}

std::string write_text(const config::Finding& finding) {
    return (is_own_check(finding.message) ? "" : "invalid configuration: ") + schema_text(finding);
}

}  // namespace gateway::admin
