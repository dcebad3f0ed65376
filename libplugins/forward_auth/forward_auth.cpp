#include <algorithm>
#include <array>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "libgateway/base/log.hpp"
#include "libgateway/base/strings.hpp"
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

// A table of fields in an arena, large enough for all that will be put in.
class FieldList {
public:
    FieldList(Arena& arena, std::size_t most)
        : begin_(static_cast<http::Field*>(arena.take(most * sizeof(http::Field), alignof(http::Field)))) {}
    void add(const http::Field& field) noexcept { ::new (begin_ + size_++) http::Field(field); }
    void set(std::string_view name, std::string_view value) noexcept {
        for (std::size_t i = 0; i < size_; ++i) {
            if (!iequals(begin_[i].name, name)) continue;
            begin_[i].value = value;
            return;
        }
        add({name, value, http::field_name(name)});
    }
    bool has(std::string_view name, std::size_t among) const noexcept {
        return std::any_of(begin_, begin_ + among, [&](const http::Field& field) { return iequals(field.name, name); });
    }
    std::size_t size() const noexcept { return size_; }
    std::span<const http::Field> all() const noexcept { return {begin_, size_}; }

private:
    http::Field* begin_;
    std::size_t size_ = 0;
};

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
        for (const auto& [field, value] : settings.extra_headers) {
            if (!is_field_name(field)) errors.add("invalid field character in header");
        }
    }

    ForwardAuth(Settings settings, BuildScope&)
        : settings_(std::move(settings)), url_(client::parse_url(settings_.uri).value()) {
        url_.check_certificate = settings_.ssl_verify;
        for (const auto& [field, value] : settings_.extra_headers) extra_.emplace_back(field, expr::Template(value));
        const Milliseconds each(settings_.timeout);
        limits_.connect = limits_.send = limits_.read = each;
        limits_.whole = 3 * each + Milliseconds(60'000);
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
        question.fields = fields_for(exchange);
        client::Answer answer;
        Task<void> asking = exchange.services().fetch(url_, question, limits_, answer);
        co_await asking;
        if (answer.failure != client::Failure::none) co_return not_asked(exchange, answer);
        co_return answer.head->status < 300 ? allow(exchange, answer) : refuse(exchange, answer);
    }

    // Generated fields first, replaced by `extra_headers`; then what the client may say beside them.
    std::span<const http::Field> fields_for(Exchange& exchange) const {
        FieldList list(exchange.arena(), generated + extra_.size() + exchange.request.fields.size());
        add_generated(exchange, list);
        for (const auto& [field, value] : extra_) list.set(field, value.expand(exchange, exchange.arena()).text);
        const std::size_t own = list.size();
        for (const http::Field& field : exchange.request.fields) {
            const bool wanted = std::any_of(settings_.request_headers.begin(), settings_.request_headers.end(),
                                            [&](const std::string& listed) { return iequals(field.name, listed); });
            if (wanted && !list.has(field.name, own)) list.add(field);
        }
        return list.all();
    }

    static constexpr std::size_t generated = 6;
    void add_generated(Exchange& exchange, FieldList& list) const {
        static const expr::Variable request_uri = expr::compile_variable("request_uri");
        expr::VariableValue uri;
        exchange.read(request_uri, uri);
        list.add({"X-Forwarded-Proto", exchange.scheme});
        list.add({"X-Forwarded-Method", exchange.request.method_text});
        list.add({"X-Forwarded-Host", exchange.host});
        list.add({"X-Forwarded-Uri", uri.text});
        list.add({"X-Forwarded-For", exchange.client_text});
        const std::string_view coding = exchange.request.fields.get(FieldName::content_encoding);
        if (posts() && !coding.empty()) list.add({"Content-Encoding", coding});
    }

    // A value that cannot be sent is the request's own fault: degradation is no way around the service.
    Verdict not_asked(Exchange& exchange, const client::Answer& answer) const {
        log::warn("failed to process forward auth, err: {}", client::describe(answer));
        if (settings_.allow_degradation && answer.failure != client::Failure::invalid_characters) return Verdict::next;
        return exchange.respond_with({static_cast<unsigned>(settings_.status_on_error), LocalReply::Body::page, {}});
    }

    Verdict allow(Exchange& exchange, const client::Answer& answer) const {
        Arena& arena = exchange.arena();
        for (const std::string& field : settings_.upstream_headers) {
            const std::string_view value = answer.head->fields.get(field);
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
            for (const http::Field& field : answer.head->fields) {
                if (!iequals(field.name, wanted) || is_framing(field.id)) continue;
                exchange.response.fields.add(wanted, arena.copy(field.value));
            }
        }
        return exchange.respond_with({answer.head->status, LocalReply::Body::bytes, arena.copy(answer.body)});
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
