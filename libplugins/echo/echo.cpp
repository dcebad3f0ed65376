#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "libgateway/plugin/registry.hpp"
#include "libplugins/common/escape.hpp"
#include "libplugins/common/header_rules.hpp"

namespace gateway::plugins {
namespace {

class Echo final : public Plugin {
public:
    struct Settings {
        std::optional<std::string> body, before_body, after_body;
        config::Members<json::Value> headers;
    };
    static constexpr std::string_view name = "echo";
    static constexpr int priority = 412;
    static constexpr auto schema =
        config::fields(config::field("body", &Settings::body, "replaces the body"),
                       config::field("before_body", &Settings::before_body, "put before the (new) body"),
                       config::field("after_body", &Settings::after_body, "put behind the (new) body"),
                       config::field("headers", &Settings::headers,
                                     "response fields to set; empty text removes the field", config::items(1)))
            .any_of("before_body", "body", "after_body");

    static void check(const Settings& settings, config::Errors& errors) {
        for (const auto& [field, value] : settings.headers) {
            const config::Errors::Scope scope(errors, "headers", std::string(), value);
            if (!is_field_name(field)) errors.add("invalid field character in header");
            if (!is_scalar(value)) errors.add("invalid type as header value");
        }
    }

    Echo(Settings settings, BuildScope&) : settings_(std::move(settings)) {
        for (const auto& [field, value] : settings_.headers) headers_.emplace_back(field, scalar_text(value));
    }

    Step header_filter(Exchange& exchange) const override {
        exchange.body_will_be_replaced();
        for (const auto& [field, value] : headers_) {
            set_field(exchange.response.fields, field, field_value(value, exchange.arena()));
        }
        return Verdict::next;
    }

    Step body_filter(Exchange& exchange, BodyChunk& chunk) const override {
        bool& begun = exchange.slot<bool>(*this);
        if (settings_.body) chunk.bytes = begun ? std::string_view() : std::string_view(*settings_.body);
        if (!begun && settings_.before_body) chunk.bytes = chunk.scratch.join(*settings_.before_body, chunk.bytes);
        if (chunk.last && settings_.after_body) chunk.bytes = chunk.scratch.join(chunk.bytes, *settings_.after_body);
        begun = true;
        return Verdict::next;
    }

private:
    Settings settings_;
    std::vector<std::pair<std::string, std::string>> headers_;
};
const Registration<Echo> registration;

}  // namespace
}  // namespace gateway::plugins
