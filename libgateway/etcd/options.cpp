#include "libgateway/etcd/options.hpp"

#include "libgateway/base/strings.hpp"

namespace gateway::etcd {

namespace {

constexpr std::string_view usual_port = "2379";

bool is_name(std::string_view host) noexcept {
    if (host.empty() || host.size() > 255) return false;
    for (const char c : host) {
        const bool plain = is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'z');
        if (!plain && c != '-' && c != '.' && c != '_' && c != ':') return false;
    }
    return true;
}

}  // namespace

std::string Member::text() const {
    const bool six = host.find(':') != host.npos;
    return std::string(secure ? "https://" : "http://") + (six ? "[" + host + "]" : host) + ":" + port;
}

std::optional<Member> parse_member(std::string_view url) {
    Member member;
    const std::size_t scheme = url.find("://");
    if (scheme == url.npos) return std::nullopt;
    member.secure = iequals(url.substr(0, scheme), "https");
    if (!member.secure && !iequals(url.substr(0, scheme), "http")) return std::nullopt;
    url.remove_prefix(scheme + 3);
    if (url.ends_with('/')) url.remove_suffix(1);

    std::string_view host = url, port = usual_port;
    const bool bracket = url.starts_with('[');
    const std::size_t end = bracket ? url.find(']') : std::string_view::npos;
    if (bracket && end == url.npos) return std::nullopt;
    const std::size_t colon = url.find(':', bracket ? end : 0);
    if (colon != url.npos) {
        host = url.substr(0, colon);
        port = url.substr(colon + 1);
    }
    if (bracket) {
        if (host.size() != end + 1) return std::nullopt;
        host = host.substr(1, end - 1);
    }
    const auto number = parse_decimal<std::uint16_t>(port);
    if (!number || *number == 0 || !is_name(host)) return std::nullopt;
    member.host = host;
    member.port = port;
    return member;
}

}  // namespace gateway::etcd
