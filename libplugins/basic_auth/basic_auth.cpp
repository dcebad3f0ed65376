#include "libgateway/base/strings.hpp"
#include "libgateway/plugin/registry.hpp"
#include "libplugins/common/base64.hpp"
#include "libplugins/common/doorkeeper.hpp"
#include "libplugins/common/same_secret.hpp"

namespace gateway::plugins {
namespace {

constexpr std::string_view missing = R"({"message":"Missing authorization in request"})";
constexpr std::string_view malformed = R"({"message":"Invalid authorization in request"})";
constexpr std::string_view invalid = R"({"message":"Invalid user authorization"})";
constexpr std::string_view blanks = " \t\r\n\v\f";

// What stands behind the word `basic` and one blank, wherever they are.
std::optional<std::string_view> encoded_part(std::string_view header) noexcept {
    constexpr std::string_view word = "basic";
    for (std::size_t at = 0; at + word.size() < header.size(); ++at) {
        if (!iequals(header.substr(at, word.size()), word)) continue;
        if (blanks.find(header[at + word.size()]) == blanks.npos) continue;
        return header.substr(at + word.size() + 1);
    }
    return std::nullopt;
}

std::string_view without_blanks(std::string_view text, Arena& arena) {
    if (text.find_first_of(blanks) == text.npos) return text;
    char* const begin = arena.chars(text.size());
    char* end = begin;
    for (const char c : text) {
        if (blanks.find(c) == blanks.npos) *end++ = c;
    }
    return {begin, static_cast<std::size_t>(end - begin)};
}

class BasicAuth final : public Plugin {
public:
    struct Settings {
        bool hide_credentials = false;
        std::string realm = "basic";
        std::optional<std::string> anonymous_consumer;
    };
    struct Credential {
        std::string username, password;
        static constexpr auto schema = config::fields(
            config::field("username", &Credential::username, "the name to log in with", config::required),
            config::field("password", &Credential::password, "its password", config::required, config::encrypted));
    };
    static constexpr std::string_view name = "basic-auth";
    static constexpr int priority = 2520;
    static constexpr OnError on_error = OnError::closed;
    static constexpr bool is_auth = true;
    static constexpr std::string_view credential_key = "username";
    static constexpr auto schema = config::fields(
        config::field("hide_credentials", &Settings::hide_credentials, "the upstream does not get `Authorization`"),
        config::field("realm", &Settings::realm, "realm of the challenge", config::length(1, 128), realm_form),
        config::field("anonymous_consumer", &Settings::anonymous_consumer, "who a request without a valid login is",
                      config::length(1)));

    BasicAuth(Settings settings, BuildScope& scope)
        : settings_(std::move(settings)), doorkeeper_("Basic", settings_.realm, settings_.anonymous_consumer) {
        const json::Value* strict = scope.attribute(name, "strict_basic");
        strict_ = strict && strict->boolean();
    }

    Step rewrite(Exchange& exchange) const override {
        const Verdict verdict = judge(exchange);
        if (verdict == Verdict::next && settings_.hide_credentials) {
            exchange.request.fields.remove(http::FieldName::authorization);
        }
        return verdict;
    }

private:
    struct Pair {
        std::string_view user, password;
    };

    Verdict judge(Exchange& exchange) const {
        const http::Field* field = exchange.request.fields.find(http::FieldName::authorization);
        if (!field) return doorkeeper_.refuse(exchange, missing);
        const auto encoded = encoded_part(field->value);
        if (!encoded) return doorkeeper_.refuse(exchange, malformed, "Invalid authorization header format");
        const auto plain = decode_base64(*encoded, exchange.arena());
        if (!plain) return doorkeeper_.refuse(exchange, malformed, "Failed to decode authentication header");
        const auto pair = split(*plain, exchange.arena());
        if (!pair) return doorkeeper_.refuse(exchange, malformed, "Split authorization err: invalid decoded data");
        const auto login = find_login<BasicAuth>(exchange, pair->user);
        if (!login) return doorkeeper_.refuse(exchange, invalid, "failed to find user: invalid user");
        if (!same_secret(login->password, pair->password))
            return doorkeeper_.refuse(exchange, invalid, "invalid password");
        login.attach(exchange);
        return Verdict::next;
    }
    // Like the reference: what follows a second colon is cut off, blanks are dropped. Strictly: RFC 7617, 2.
    std::optional<Pair> split(std::string_view plain, Arena& arena) const {
        const std::size_t colon = plain.find(':');
        if (colon == plain.npos) return std::nullopt;
        std::string_view user = plain.substr(0, colon), password = plain.substr(colon + 1);
        if (strict_) return Pair{user, password};
        password = password.substr(0, password.find(':'));
        return Pair{without_blanks(user, arena), without_blanks(password, arena)};
    }

    Settings settings_;
    Doorkeeper doorkeeper_;
    bool strict_ = false;
};
const Registration<BasicAuth> registration;

}  // namespace
}  // namespace gateway::plugins
