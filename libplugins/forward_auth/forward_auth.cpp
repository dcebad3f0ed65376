#include <array>
#include <optional>
#include <string>
#include <vector>

#include "libgateway/base/log.hpp"
#include "libgateway/client/client.hpp"
#include "libgateway/expr/template.hpp"
#include "libgateway/plugin/registry.hpp"
#include "libplugins/common/header_rules.hpp"

namespace gateway::plugins {

enum class AuthMethod : unsigned char { get, post };
constexpr auto enum_names(AuthMethod) {
    return std::array{std::pair{std::string_view("GET"), AuthMethod::get},
                      std::pair{std::string_view("POST"), AuthMethod::post}};
}

namespace {

using http::FieldName;

class ForwardAuth final : public Plugin {
public:
    struct Settings {
        std::string uri;
        bool ssl_verify = true;
        AuthMethod request_method = AuthMethod::get;
        std::uint64_t max_req_body_size = 64 << 20;
        std::vector<std::string> request_headers, upstream_headers, client_headers;
        config::Members<std::string> extra_headers;
        int timeout = 3000;
        bool keepalive = true;
        int keepalive_timeout = 60000;
        std::uint32_t keepalive_pool = 5;
        bool allow_degradation = false;
        int status_on_error = 403;
    };
    static constexpr std::string_view name = "forward-auth";
    static constexpr int priority = 2002;
    static constexpr OnError on_error = OnError::closed;
    static constexpr auto schema = config::fields(
        config::field("uri", &Settings::uri, "address of the authorisation service", config::required),
        config::field("ssl_verify", &Settings::ssl_verify, "check the certificate of an https service"),
        config::field("request_method", &Settings::request_method, "method of the question; POST carries the body"),
        config::field("max_req_body_size", &Settings::max_req_body_size, "most bytes of a body with POST; more: 413",
                      config::at_least(1)),
        config::field("request_headers", &Settings::request_headers, "fields of the client that go to the service"),
        config::field("extra_headers", &Settings::extra_headers, "further fields, values are templates",
                      config::items(1)),
        config::field("upstream_headers", &Settings::upstream_headers,
                      "fields of a positive answer for the upstream; those missing in it are removed"),
        config::field("client_headers", &Settings::client_headers, "fields of a negative answer for the client"),
        config::field("timeout", &Settings::timeout, "milliseconds to connect, to send and to read each",
                      config::range(1, 60000)),
        config::field("keepalive", &Settings::keepalive, "keep connections to the service"),
        config::field("keepalive_timeout", &Settings::keepalive_timeout, "milliseconds that an idle one is kept",
                      config::at_least(1000)),
        config::field("keepalive_pool", &Settings::keepalive_pool, "idle connections that are kept",
                      config::at_least(1)),
        config::field("allow_degradation", &Settings::allow_degradation,
                      "let requests through when the service cannot be asked"),
        config::field("status_on_error", &Settings::status_on_error, "status when the service cannot be asked",
                      config::range(200, 599)));

    static void check(const Settings& settings, config::Errors& errors) {
        const auto url = client::parse_url(settings.uri);
        if (!url) errors.add("invalid uri: " + settings.uri);
        if (url && url->tls) errors.add("uri: https is not supported by this build");
        for (const auto& [field, value] : settings.extra_headers) {
            if (!is_field_name(field)) errors.add("invalid field character in header");
        }
    }

    ForwardAuth(Settings settings, BuildScope&)
        : settings_(std::move(settings)), url_(client::parse_url(settings_.uri).value()) {
        for (const auto& [field, value] : settings_.extra_headers) extra_.emplace_back(field, expr::Template(value));
        const Milliseconds each(settings_.timeout);
        limits_.connect = limits_.send = limits_.read = each;
        limits_.keep_alive = settings_.keepalive;
        limits_.pool = {settings_.keepalive_pool, 1000, Milliseconds(settings_.keepalive_timeout)};
    }

    BodyNeeds body_needs() const noexcept override { return {posts() ? settings_.max_req_body_size : 0, 0}; }

    Step access(Exchange& exchange) const override {
        const bool has_body = exchange.request.body.kind != http::BodyKind::none;
        const bool whole = exchange.body_buffered && exchange.request_body.size() <= settings_.max_req_body_size;
        if (posts() && has_body && !whole) return exchange.respond_with({413, LocalReply::Body::page, {}});
        return ask(exchange);
    }

private:
    bool posts() const noexcept { return settings_.request_method == AuthMethod::post; }

    Task<Verdict> ask(Exchange& exchange) const {
        client::Request question;
        if (posts()) {
            question.method = http::Verb::post;
            question.method_text = "POST";
            question.body = exchange.request_body;
        }
        question.fields = &fields_for(exchange);
        client::Answer answer;
        co_await exchange.services().fetch(url_, question, limits_, answer);
        if (answer.failure != client::Failure::none) co_return not_asked(exchange, answer.failure);
        co_return answer.head.status < 300 ? allow(exchange, answer) : refuse(exchange, answer);
    }

    const http::Fields& fields_for(Exchange& exchange) const {
        static const expr::Variable request_uri = expr::compile_variable("request_uri");
        Arena& arena = exchange.arena();
        http::Fields& fields = *arena.make<http::Fields>();
        expr::VariableValue uri;
        exchange.read(request_uri, uri);
        fields.add("X-Forwarded-Proto", exchange.scheme);
        fields.add("X-Forwarded-Method", exchange.request.method_text);
        fields.add("X-Forwarded-Host", exchange.host);
        fields.add("X-Forwarded-Uri", uri.text);
        fields.add("X-Forwarded-For", exchange.client_text);
        const std::string_view coding = exchange.request.fields.get(FieldName::content_encoding);
        if (posts() && !coding.empty()) fields.add(FieldName::content_encoding, coding);
        for (const auto& [field, value] : extra_) fields.set(field, value.expand(exchange, arena).text);
        const std::size_t own = fields.size();
        for (const std::string& wanted : settings_.request_headers) {
            const http::Field* known = fields.find(wanted);
            if (known && static_cast<std::size_t>(known - fields.begin()) < own) continue;
            for (const http::Field& field : exchange.request.fields) {
                if (iequals(field.name, wanted)) fields.add(field.name, field.value, field.id);
            }
        }
        return fields;
    }

    // A value that cannot be sent is the request's own fault: degradation is no way around the service.
    Verdict not_asked(Exchange& exchange, client::Failure failure) const {
        log::warn("failed to process forward auth, err: {}", client::name_of(failure));
        if (settings_.allow_degradation && failure != client::Failure::invalid_characters) return Verdict::next;
        return exchange.respond_with({static_cast<unsigned>(settings_.status_on_error), LocalReply::Body::page, {}});
    }

    Verdict allow(Exchange& exchange, const client::Answer& answer) const {
        Arena& arena = exchange.arena();
        for (const std::string& field : settings_.upstream_headers) {
            const std::string_view value = answer.head.fields.get(field);
            if (value.empty()) {
                exchange.request.fields.remove(field);
            } else if (!exchange.request.fields.set(field, arena.copy(value))) {
                log::error("no room for the fields of forward-auth");
                return Verdict::fail;
            }
        }
        return Verdict::next;
    }

    Verdict refuse(Exchange& exchange, const client::Answer& answer) const {
        Arena& arena = exchange.arena();
        for (const std::string& wanted : settings_.client_headers) {
            for (const http::Field& field : answer.head.fields) {
                if (!iequals(field.name, wanted) || is_framing(field.id)) continue;
                exchange.response.fields.add(wanted, arena.copy(field.value));
            }
        }
        return exchange.respond_with({answer.head.status, LocalReply::Body::bytes, arena.copy(answer.body)});
    }
    static bool is_framing(FieldName id) noexcept {
        return id == FieldName::content_length || id == FieldName::transfer_encoding || id == FieldName::connection;
    }

    Settings settings_;
    client::Url url_;
    client::Limits limits_;
    std::vector<std::pair<std::string, expr::Template>> extra_;
};
const Registration<ForwardAuth> registration;

}  // namespace
}  // namespace gateway::plugins
