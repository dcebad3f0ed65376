#include "libgateway/config/etcd_settings.hpp"

#include "libgateway/base/strings.hpp"

namespace gateway::config {

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

std::string EtcdMember::text() const {
    const bool six = host.find(':') != host.npos;
    return std::string(secure ? "https://" : "http://") + (six ? "[" + host + "]" : host) + ":" + port;
}

std::optional<EtcdMember> parse_member(std::string_view url) {
    EtcdMember member;
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

bool is_member_url(std::string_view url) {
    return parse_member(url).has_value();
}

bool is_key_prefix(std::string_view text) noexcept {
    if (!text.starts_with('/') || text.ends_with('/') || text.find("//") != text.npos) return false;
    for (const char c : text) {
        if (static_cast<unsigned char>(c) <= ' ' || c == '\x7f') return false;
    }
    return true;
}

void Codec<MemberUrls>::read(const json::Value& value, MemberUrls& out, const Rules&, Errors& errors) {
    std::vector<std::string> list;
    const auto add = [&](const json::Value& item) {
        if (!item.is_string()) return wrong_type("string", item, errors);
        if (!is_member_url(item.string()))
            return errors.add("no client URL of etcd: " + json::write(item),
                              "expected http:// or https://, host, port");
        list.push_back(item.string());
    };
    if (value.is_array()) {
        for (std::size_t i = 0; i < value.size(); ++i) {
            const Errors::Scope scope(errors, i, value.items()[i]);
            add(value.items()[i]);
        }
        if (value.size() == 0) errors.add("expect array to have at least 1 items");
    } else {
        add(value);
    }
    if (!list.empty()) out.list = std::move(list);
}

// No message says what it is.
void Codec<Password>::read(const json::Value& value, Password& out, const Rules&, Errors& errors) {
    out = {};
    if (value.is_boolean()) {
        out.withheld = value.boolean();
    } else if (value.is_string()) {
        out.text = value.string();
    } else if (value.is_number()) {
        out.text = value.number();  // digits that came out of a variable
    } else {
        wrong_type("string", value, errors);
    }
}

void EtcdTlsSettings::check(const EtcdTlsSettings& tls, Errors& errors) {
    if (tls.cert.empty() != tls.key.empty())
        errors.add_member(tls.cert.empty() ? "cert" : "key", {}, "cert and key are needed together");
}

void EtcdSettings::check(const EtcdSettings& etcd, Errors& errors) {
    const auto at_least_100ms = [&errors](std::string_view name, const Duration& duration) {
        if (duration.value < std::chrono::milliseconds(100)) errors.add_member(name, {}, "expected at least 100ms");
    };
    at_least_100ms("timeout", etcd.timeout);
    at_least_100ms("watch_timeout", etcd.watch_timeout);
    at_least_100ms("resync_delay", etcd.resync_delay);
    if (!etcd.password.text.empty() && etcd.user.empty()) errors.add_member("user", {}, "a password needs a user");
}

}  // namespace gateway::config
