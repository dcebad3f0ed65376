#include "libgateway/plugin/registry.hpp"
#include "libplugins/common/doorkeeper.hpp"
#include "libplugins/common/query_edit.hpp"

namespace gateway::plugins {
namespace {

constexpr std::string_view missing = R"({"message":"Missing API key in request"})";
constexpr std::string_view invalid = R"({"message":"Invalid API key in request"})";

class KeyAuth final : public Plugin {
public:
    struct Settings {
        std::string header = "apikey", query = "apikey", realm = "key";
        bool hide_credentials = false;
        std::optional<std::string> anonymous_consumer;
    };
    struct Credential {
        std::string key;
        static constexpr auto schema =
            config::fields(config::field("key", &Credential::key, "the API key", config::required, config::encrypted));
    };
    static constexpr std::string_view name = "key-auth";
    static constexpr int priority = 2500;
    static constexpr OnError on_error = OnError::closed;
    static constexpr bool is_auth = true;
    static constexpr std::string_view credential_key = "key";
    static constexpr auto schema = config::fields(
        config::field("header", &Settings::header, "header field that is read first"),
        config::field("query", &Settings::query, "query parameter that is read where the field is absent"),
        config::field("realm", &Settings::realm, "realm of the challenge", config::length(1, 128), realm_form),
        config::field("hide_credentials", &Settings::hide_credentials, "the upstream does not get the key"),
        config::field("anonymous_consumer", &Settings::anonymous_consumer, "who a request without a valid key is",
                      config::length(1)));

    KeyAuth(Settings settings, BuildScope&)
        : settings_(std::move(settings)),
          header_(http::field_name(settings_.header)),
          doorkeeper_("apikey", settings_.realm, settings_.anonymous_consumer) {}

    Step rewrite(Exchange& exchange) const override {
        if (const http::Field* field = find_field(exchange.request.fields)) {
            if (!admit(exchange, field->value)) return turn_away(exchange, invalid);
            if (settings_.hide_credentials) remove_field(exchange);
            return Verdict::next;
        }
        const QueryArgument argument =
            exchange.has_args ? find_query_argument(exchange, settings_.query) : QueryArgument();
        if (argument.count == 0) return turn_away(exchange, missing);
        const bool usable = argument.count == 1 && argument.has_value;
        if (!usable || !admit(exchange, argument.value)) return turn_away(exchange, invalid);
        if (settings_.hide_credentials) remove_query_argument(exchange, settings_.query);
        return Verdict::next;
    }

private:
    const http::Field* find_field(const http::Fields& fields) const noexcept {
        return fields.find(settings_.header, header_);
    }
    static bool admit(Exchange& exchange, std::string_view key) noexcept {
        if (key.empty()) return false;  // whatever a consumer's settings come to
        const auto login = find_login<KeyAuth>(exchange, key);
        if (login) login.attach(exchange);
        return static_cast<bool>(login);
    }
    // Who is let in as the anonymous consumer leaves no key behind, wherever it was.
    Verdict turn_away(Exchange& exchange, std::string_view body) const {
        const Verdict verdict = doorkeeper_.refuse(exchange, body);
        if (verdict != Verdict::next || !settings_.hide_credentials) return verdict;
        remove_field(exchange);
        if (exchange.has_args) remove_query_argument(exchange, settings_.query);
        return verdict;
    }
    void remove_field(Exchange& exchange) const noexcept { exchange.request.fields.remove(settings_.header, header_); }

    Settings settings_;
    http::FieldName header_;
    Doorkeeper doorkeeper_;
};
const Registration<KeyAuth> registration;

}  // namespace
}  // namespace gateway::plugins
