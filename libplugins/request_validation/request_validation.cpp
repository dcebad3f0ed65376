#include <optional>
#include <string>
#include <vector>

#include "libgateway/plugin/registry.hpp"
#include "libgateway/schema/schema.hpp"
#include "libplugins/request_validation/documents.hpp"

namespace gateway::plugins {
namespace {

class RequestValidation final : public Plugin {
public:
    struct Settings {
        json::Value header_schema, body_schema;
        std::uint64_t max_req_body_size = 64 << 20;
        int rejected_code = 400;
        std::optional<std::string> rejected_msg;
    };
    static constexpr std::string_view name = "request-validation";
    static constexpr int priority = 2800;
    static constexpr OnError on_error = OnError::closed;
    static constexpr auto schema =
        config::fields(
            config::field("header_schema", &Settings::header_schema, "JSON schema of the header fields"),
            config::field("body_schema", &Settings::body_schema, "JSON schema of the body, JSON or form"),
            config::field("max_req_body_size", &Settings::max_req_body_size, "most bytes of a body that is checked",
                          config::at_least(1)),
            config::field("rejected_code", &Settings::rejected_code, "status of a refusal", config::range(200, 599)),
            config::field("rejected_msg", &Settings::rejected_msg, "text of a refusal in place of the reason",
                          config::length(1, 256)))
            .any_of("header_schema", "body_schema");

    static void check(const Settings& settings, config::Errors& errors) {
        check_schema("header_schema", settings.header_schema, errors);
        check_schema("body_schema", settings.body_schema, errors);
    }

    RequestValidation(Settings settings, BuildScope&) : settings_(std::move(settings)) {
        if (!settings_.header_schema.is_null()) header_.emplace(settings_.header_schema);
        if (!settings_.body_schema.is_null()) body_.emplace(settings_.body_schema);
    }

    BodyNeeds body_needs() const noexcept override { return {body_ ? settings_.max_req_body_size : 0, 0}; }

    Step rewrite(Exchange& exchange) const override {
        if (header_) {
            json::Value fields = document_of(exchange.request.fields);
            const std::string why = header_->check(fields);
            if (!why.empty()) return refuse(exchange, why);
        }
        return body_ ? check_body(exchange) : Verdict::next;
    }

private:
    static void check_schema(std::string_view field, const json::Value& document, config::Errors& errors) {
        if (document.is_null()) return;
        if (!document.is_object() && !(document.is_array() && document.size() == 0)) {
            const config::Errors::Scope scope(errors, config::Errors::Level::property, field, document);
            return config::wrong_type("object", document, errors);
        }
        try {
            const schema::Schema compiled(document);
        } catch (const schema::SchemaError& error) {
            errors.add(error.what());
        }
    }

    Verdict refuse(Exchange& exchange, std::string_view why) const {
        const std::string_view text = settings_.rejected_msg ? *settings_.rejected_msg : exchange.arena().copy(why);
        return exchange.respond_with({static_cast<unsigned>(settings_.rejected_code), LocalReply::Body::bytes, text});
    }
    Verdict refuse(Exchange& exchange) const {
        if (settings_.rejected_msg) return refuse(exchange, {});
        return exchange.respond_with({static_cast<unsigned>(settings_.rejected_code), LocalReply::Body::page, {}});
    }

    Verdict check_body(Exchange& exchange) const {
        const std::string_view body = exchange.request_body;
        if (!exchange.body_buffered || body.empty() || body.size() > settings_.max_req_body_size) {
            return refuse(exchange);
        }
        const http::Fields& fields = exchange.request.fields;
        if (fields.count(http::FieldName::content_type) > 1) return refuse(exchange);
        const bool form = is_form(fields.get(http::FieldName::content_type));
        std::string why;
        std::optional<json::Value> document =
            form ? document_of_form(body, exchange.arena()) : document_of_json(body, why);
        if (!document) return refuse(exchange, why);
        why = body_->check(*document);
        if (!why.empty()) return refuse(exchange, why);
        // What was checked is what is sent: no member twice, nothing that another parser could read otherwise.
        if (!form) exchange.request_body = exchange.arena().copy(json::write(*document));
        return Verdict::next;
    }

    Settings settings_;
    std::optional<schema::Schema> header_, body_;
};
const Registration<RequestValidation> registration;

}  // namespace
}  // namespace gateway::plugins
