#include <array>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

#include "libgateway/base/log.hpp"
#include "libgateway/client/client.hpp"
#include "libgateway/plugin/registry.hpp"

namespace gateway::plugins {

enum class PathConcat : unsigned char { replace, prefix };
constexpr auto enum_names(PathConcat) {
    return std::array{std::pair{std::string_view("replace"), PathConcat::replace},
                      std::pair{std::string_view("prefix"), PathConcat::prefix}};
}

namespace {

constexpr std::string_view host_pattern = R"(^(http(s)?|grpc(s)?):\/\/([\da-zA-Z.-]+|\[[\da-fA-F:]+\])(:\d+)?$)";
constexpr std::string_view path_pattern = "^/[^?&]+$";

bool is_host(std::string_view text) noexcept {
    for (const std::string_view scheme : {"http://", "https://", "grpc://", "grpcs://"}) {
        if (!text.starts_with(scheme)) continue;
        const std::string_view place = text.substr(scheme.size());
        if (place.find_first_of("/?#@_ ") != std::string_view::npos) return false;
        return client::parse_url("http://" + std::string(place)).has_value();
    }
    return false;
}
bool is_path(std::string_view text) noexcept {
    return text.size() > 1 && text.front() == '/' && text.find_first_of("?&") == std::string_view::npos;
}

// `plugin_attr.proxy-mirror.timeout`: seconds as a number, or text with a unit.
Milliseconds duration_of(const json::Value* timeout, std::string_view key) {
    constexpr Milliseconds otherwise(60'000);
    const json::Value* value = timeout ? timeout->find(key) : nullptr;
    if (!value) return otherwise;
    std::string text = value->is_number() ? value->number() + "s" : value->is_string() ? value->string() : "";
    const bool small = text.ends_with("ms");
    text.resize(text.find_last_of("0123456789") == std::string::npos ? 0 : text.find_last_of("0123456789") + 1);
    char* end = nullptr;
    const double number = std::strtod(text.c_str(), &end);
    if (text.empty() || *end != '\0' || !(number > 0) || number > 86'400'000) return otherwise;
    return Milliseconds(static_cast<std::int64_t>(std::ceil(small ? number : number * 1000)));
}

class ProxyMirror final : public Plugin {
public:
    struct Settings {
        std::string host;
        std::optional<std::string> path;
        PathConcat path_concat_mode = PathConcat::replace;
        double sample_ratio = 1;
    };
    static constexpr std::string_view name = "proxy-mirror";
    static constexpr int priority = 1010;
    static constexpr auto schema = config::fields(
        config::field("host", &Settings::host, "scheme, host and port that get the copies", config::required,
                      config::pattern(host_pattern, is_host)),
        config::field("path", &Settings::path, "path of the copies", config::pattern(path_pattern, is_path)),
        config::field("path_concat_mode", &Settings::path_concat_mode,
                      "whether that path stands in place of the request's, or before it"),
        config::field("sample_ratio", &Settings::sample_ratio, "share of the requests that are copied",
                      config::range(0.00001, 1)));

    static void check(const Settings& settings, config::Errors& errors) {
        const std::string scheme = settings.host.substr(0, settings.host.find(':'));
        if (scheme != "http" && scheme != "https") errors.add("host: " + scheme + " is not supported by this build");
    }

    ProxyMirror(Settings settings, BuildScope& scope)
        : settings_(std::move(settings)), url_(client::parse_url(settings_.host).value()) {
        url_.check_certificate = false;  // as the reference: there is no setting to say otherwise
        const json::Value* timeout = scope.attribute(name, "timeout");
        limits_.connect = duration_of(timeout, "connect");
        limits_.send = duration_of(timeout, "send");
        limits_.read = duration_of(timeout, "read");
        limits_.whole = limits_.connect + limits_.send + limits_.read;
        limits_.keep_body = false;
    }

    BodyNeeds body_needs() const noexcept override { return {largest_body, 0}; }

    // The target is that of this moment: plugins that rewrite it later leave the copy's as it is.
    Step rewrite(Exchange& exchange) const override {
        if (!is_chosen(exchange)) return Verdict::next;
        State& state = exchange.slot<State>(*this);
        state.wanted = true;
        state.target = target_of(exchange);
        return Verdict::next;
    }

    // Only what really goes to the upstream is copied, and once, whatever the number of tries.
    Step before_proxy(Exchange& exchange, const upstream::Endpoint&) const override {
        State& state = exchange.slot<State>(*this);
        if (std::exchange(state.wanted, false)) copy(exchange, state.target);
        return Verdict::next;
    }

private:
    static constexpr std::uint64_t largest_body = 64 << 20;
    struct State {
        bool wanted = false;
        std::string_view target;
    };

    bool is_chosen(Exchange& exchange) const noexcept {
        if (settings_.sample_ratio >= 1) return true;
        constexpr double ends = 9007199254740992.0;
        return static_cast<double>(exchange.services().random() >> 11) / ends < settings_.sample_ratio;
    }

    std::string_view target_of(Exchange& exchange) const {
        const std::string_view whole = exchange.upstream_target();
        if (!settings_.path) return whole;
        if (settings_.path_concat_mode == PathConcat::prefix) return exchange.arena().join(*settings_.path, whole);
        return exchange.has_args ? exchange.arena().join(*settings_.path, "?", exchange.args)
                                 : std::string_view(*settings_.path);
    }

    void copy(Exchange& exchange, std::string_view target) const {
        static const expr::Variable upstream_host = expr::compile_variable("upstream_host");
        const bool has_body = exchange.request.body.kind != http::BodyKind::none;
        if (has_body && !exchange.body_buffered) {
            log::warn("no copy of a request whose body is larger than {} bytes", largest_body);
            return;
        }
        expr::VariableValue host;
        client::Request request;
        request.method = exchange.request.method;
        request.method_text = exchange.request.method_text;
        if (!exchange.upstream_method_text.empty()) {
            request.method = exchange.upstream_method;
            request.method_text = exchange.upstream_method_text;
        }
        request.target = target;
        request.host = exchange.read(upstream_host, host) ? host.text : exchange.host;
        request.fields = {exchange.request.fields.begin(), exchange.request.fields.end()};
        request.body = exchange.request_body;
        if (!exchange.services().tell(url_, request, limits_)) log::warn("a copy for {} is left out", settings_.host);
    }

    Settings settings_;
    client::Url url_;
    client::Limits limits_;
};
const Registration<ProxyMirror> registration;

}  // namespace
}  // namespace gateway::plugins
