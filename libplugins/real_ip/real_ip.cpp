#include <optional>
#include <string>
#include <vector>

#include "libgateway/base/log.hpp"
#include "libgateway/base/strings.hpp"
#include "libgateway/expr/variable.hpp"
#include "libgateway/plugin/registry.hpp"

namespace gateway::plugins {
namespace {

struct Parts {
    std::string_view address, port;
};

// Address and port of "1.2.3.4", "1.2.3.4:80", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:80".
Parts parts_of(std::string_view text) noexcept {
    if (text.starts_with('[')) {
        const std::size_t end = text.find(']');
        if (end == std::string_view::npos) return {text, {}};
        const std::string_view rest = text.substr(end + 1);
        if (!rest.empty() && !rest.starts_with(':')) return {text, {}};
        return {text.substr(1, end - 1), rest.empty() ? rest : rest.substr(1)};
    }
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos || colon != text.rfind(':')) return {text, {}};
    return {text.substr(0, colon), text.substr(colon + 1)};
}

class RealIp final : public Plugin {
public:
    struct Settings {
        std::string source;
        std::vector<std::string> trusted_addresses;
        bool recursive = false;
    };
    static constexpr std::string_view name = "real-ip";
    static constexpr int priority = 23000;
    static constexpr bool before_auth = true;
    static constexpr auto schema = config::fields(
        config::field("source", &Settings::source, "variable that holds the address", config::required,
                      config::length(1)),
        config::field("trusted_addresses", &Settings::trusted_addresses, "networks whose word counts; default: all",
                      config::items(1)),
        config::field("recursive", &Settings::recursive,
                      "with X-Forwarded-For and trusted_addresses: the last address that is not trusted"));

    static void check(const Settings& settings, config::Errors& errors) {
        for (const std::string& text : settings.trusted_addresses) {
            if (!expr::parse_cidr(text)) errors.add("invalid ip address: " + text);
        }
    }

    RealIp(Settings settings, BuildScope&)
        : source_(expr::compile_variable(settings.source)),
          from_forwarded_(settings.source == "http_x_forwarded_for"),
          trusts_all_(settings.trusted_addresses.empty()),
          recursive_(settings.recursive && !settings.trusted_addresses.empty()) {
        std::vector<expr::Cidr> networks;
        for (const std::string& text : settings.trusted_addresses) networks.push_back(expr::parse_cidr(text).value());
        trusted_ = expr::CidrSet(networks);
    }

    Step rewrite(Exchange& exchange) const override {
        if (!trusts_all_ && !trusted_.contains(exchange.client)) return Verdict::next;
        const std::string_view told = find(exchange);
        if (told.empty()) {
            log::warn("missing real address");
            return Verdict::next;
        }
        use(told, exchange);
        return Verdict::next;
    }

private:
    std::string_view find(Exchange& exchange) const {
        if (from_forwarded_) return recursive_ ? last_untrusted(exchange.forwarded_for) : last(exchange.forwarded_for);
        expr::VariableValue value;
        return exchange.read(source_, value) ? value.plain() : std::string_view();
    }
    static std::string_view last(std::string_view list) noexcept {
        const std::size_t comma = list.rfind(',');
        return trim(comma == std::string_view::npos ? list : list.substr(comma + 1));
    }
    // Walks from the right; the leftmost if all are trusted. What is no address ends the walk: nobody vouches for what
    // stands left of it.
    std::string_view last_untrusted(std::string_view list) const noexcept {
        for (;;) {
            const std::string_view item = last(list);
            const auto address = expr::parse_address(parts_of(item).address);
            if (!address || !trusted_.contains(*address)) return item;
            const std::size_t comma = list.rfind(',');
            if (comma == std::string_view::npos) return item;
            list = list.substr(0, comma);
        }
    }

    static void use(std::string_view told, Exchange& exchange) {
        const Parts parts = parts_of(told);
        const auto address = expr::parse_address(parts.address);
        if (!address) return log::warn("bad address: {}", told);
        std::uint16_t port = exchange.client_port;
        if (!parts.port.empty()) {
            const auto number = parse_decimal<std::uint16_t>(parts.port);
            if (!number || *number == 0) return log::warn("bad port: {}", parts.port);
            port = *number;
        }
        exchange.change_client(*address, port);
    }

    expr::Variable source_;
    bool from_forwarded_, trusts_all_, recursive_;
    expr::CidrSet trusted_;
};
const Registration<RealIp> registration;

}  // namespace
}  // namespace gateway::plugins
