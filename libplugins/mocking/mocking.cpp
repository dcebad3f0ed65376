#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "libgateway/base/strings.hpp"
#include "libgateway/expr/template.hpp"
#include "libgateway/plugin/registry.hpp"
#include "libplugins/common/escape.hpp"
#include "libplugins/common/header_rules.hpp"
#include "libplugins/mocking/generate.hpp"

namespace gateway::plugins {
namespace {

constexpr std::array<std::string_view, 5> supported{"application/json", "application/xml", "text/plain", "text/html",
                                                    "text/xml"};

std::string_view base_type(std::string_view content_type) noexcept {
    return trim(content_type.substr(0, content_type.find(';')));
}

class Mocking final : public Plugin {
public:
    struct Settings {
        std::optional<std::string> response_example;
        json::Value response_schema;
        int response_status = 200;
        std::string content_type = "application/json;charset=utf8";
        int delay = 0;
        bool with_mock_header = true;
        config::Members<json::Value> response_headers;
    };
    static constexpr std::string_view name = "mocking";
    static constexpr int priority = 10900;
    static constexpr auto schema =
        config::fields(
            config::field("response_example", &Settings::response_example, "template of the body"),
            config::field("response_schema", &Settings::response_schema, "JSON schema to make a body from"),
            config::field("response_status", &Settings::response_status, "status", config::at_least(100)),
            config::field("content_type", &Settings::content_type, "type of the body"),
            config::field("delay", &Settings::delay, "seconds to wait"),
            config::field("with_mock_header", &Settings::with_mock_header, "say in `x-mock-by` who made the answer"),
            config::field("response_headers", &Settings::response_headers, "fields to add, values are templates",
                          config::items(1)))
            .any_of("response_example", "response_schema");

    static void check(const Settings& settings, config::Errors& errors) {
        const std::string_view type = base_type(settings.content_type);
        if (std::find(supported.begin(), supported.end(), type) == supported.end()) {
            errors.add("unsupported content type!");
        }
        if (!settings.response_schema.is_null() && !settings.response_schema.is_object()) {
            const config::Errors::Scope scope(errors, config::Errors::Level::property, "response_schema",
                                              settings.response_schema);
            config::wrong_type("object", settings.response_schema, errors);
        }
        for (const auto& [field, value] : settings.response_headers) {
            const config::Errors::Scope scope(errors, "response_headers", std::string(), value);
            if (!is_field_name(field)) errors.add("invalid field character in header");
            if (!is_scalar(value)) errors.add("invalid type as header value");
        }
    }

    Mocking(Settings settings, BuildScope&) : settings_(std::move(settings)) {
        if (settings_.response_example) example_ = expr::Template(*settings_.response_example);
        for (const auto& [field, value] : settings_.response_headers) {
            headers_.emplace_back(field, expr::Template(scalar_text(value)));
        }
    }

    Step access(Exchange& exchange) const override {
        return settings_.delay > 0 ? Step(wait(exchange)) : Step(answer(exchange));
    }

private:
    Task<Verdict> wait(Exchange& exchange) const {
        Task<void> pause = exchange.services().sleep(Milliseconds(settings_.delay * std::int64_t{1000}));
        co_await pause;
        co_return answer(exchange);
    }

    Verdict answer(Exchange& exchange) const {
        Arena& arena = exchange.arena();
        http::Fields& fields = exchange.response.fields;
        fields.set(http::FieldName::content_type, settings_.content_type);
        if (settings_.with_mock_header) fields.set("x-mock-by", exchange.services().server_token());
        for (const auto& [field, value] : headers_) {
            const std::string_view text = field_value(value.expand(exchange, arena).text, arena);
            if (!text.empty()) fields.add(field, text);
        }
        const auto status = static_cast<unsigned>(settings_.response_status);
        return exchange.respond_with({status, LocalReply::Body::bytes, body(exchange)});
    }

    std::string_view body(Exchange& exchange) const {
        if (settings_.response_example) return example_.expand(exchange, exchange.arena()).text;
        const std::string_view type = base_type(settings_.content_type);
        if (type.ends_with("/xml")) {
            return generate_xml(settings_.response_schema, exchange.services(), exchange.arena());
        }
        return generate_json(settings_.response_schema, exchange.services(), exchange.arena());
    }

    Settings settings_;
    expr::Template example_;
    std::vector<std::pair<std::string, expr::Template>> headers_;
};
const Registration<Mocking> registration;

}  // namespace
}  // namespace gateway::plugins
