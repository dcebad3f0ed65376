#include <algorithm>

#include "libgateway/base/log.hpp"
#include "libgateway/config/secret_reference.hpp"
#include "libgateway/plugin/registry.hpp"
#include "libplugins/common/base64.hpp"
#include "libplugins/common/cookie_edit.hpp"
#include "libplugins/common/doorkeeper.hpp"
#include "libplugins/common/http_date.hpp"
#include "libplugins/common/jws_token.hpp"
#include "libplugins/common/jws_verifier.hpp"
#include "libplugins/common/query_edit.hpp"

namespace gateway::plugins {

enum class Claim : unsigned char { exp, nbf };
constexpr auto enum_names(Claim) {
    return std::array{std::pair{std::string_view("exp"), Claim::exp}, std::pair{std::string_view("nbf"), Claim::nbf}};
}

namespace {

constexpr std::string_view missing = R"({"message":"Missing JWT token in request"})";
constexpr std::string_view malformed = R"({"message":"JWT token invalid"})";
constexpr std::string_view keyless = R"({"message":"missing user key in JWT token"})";
constexpr std::string_view unknown_key = R"({"message":"Invalid user key in JWT token"})";
constexpr std::string_view refuted = R"({"message":"failed to verify jwt"})";

// For later plugins of the request and the access log: the payload, where `store_in_ctx` asks for it.
const std::uint16_t payload_variable = expr::VariableNames::add("jwt_auth_payload");

std::string_view text_of(TokenFault fault) noexcept {
    switch (fault) {
        case TokenFault::header:
            return "JWT token invalid: invalid header";
        case TokenFault::payload:
            return "JWT token invalid: invalid payload";
        default:
            return "JWT token invalid: invalid jwt string";
    }
}

struct JwtCredential {
    std::string key;
    JwsAlgorithm algorithm = JwsAlgorithm::hs256;
    std::optional<std::string> secret, public_key;
    bool base64_secret = false;
    std::int64_t exp = 86400, lifetime_grace_period = 0;
    JwsVerifier verifier{};  // filled by prepare; accepts nothing without a usable key

    static constexpr auto schema = config::fields(
        config::field("key", &JwtCredential::key, "what the token's claim names", config::required, config::length(1)),
        config::field("algorithm", &JwtCredential::algorithm, "the only one that is accepted of its tokens"),
        config::field("secret", &JwtCredential::secret, "shared secret of HS*", config::length(1), config::encrypted),
        config::field("public_key", &JwtCredential::public_key, "PEM, key or certificate, of all others",
                      config::length(1)),
        config::field("base64_secret", &JwtCredential::base64_secret, "`secret` is base64"),
        config::field("exp", &JwtCredential::exp, "no effect; accepted for old documents", config::at_least(1)),
        config::field("lifetime_grace_period", &JwtCredential::lifetime_grace_period,
                      "seconds that clocks may differ when exp and nbf are looked at", config::at_least(0)));

    static void check(const JwtCredential& credential, config::Errors& errors) {
        if (!is_symmetric(credential.algorithm)) {
            if (!credential.public_key) {
                errors.add(
                    "failed to validate dependent schema for \"algorithm\": "
                    "value should match only one schema, but matches none");
            }
            return;
        }
        if (!credential.secret) return errors.add("property \"secret\" is required when using HS based algorithms");
        const bool open = errors.references_allowed() && config::is_secret_reference(*credential.secret);
        if (credential.base64_secret && !open && !credential.plain_secret())
            errors.add("base64_secret required but the secret is not in base64 format");
    }
    std::optional<std::string> plain_secret() const {
        if (!base64_secret) return secret;
        Arena arena;
        const auto decoded = decode_base64(secret.value_or(""), arena);
        if (!decoded || decoded->empty()) return std::nullopt;
        return std::string(*decoded);
    }
};

class JwtAuth final : public Plugin {
public:
    struct Settings {
        std::string header = "authorization", query = "jwt", cookie = "jwt";
        bool hide_credentials = false;
        std::string key_claim_name = "key";
        bool store_in_ctx = false;
        std::string realm = "jwt";
        std::optional<std::string> anonymous_consumer;
        std::vector<Claim> claims_to_verify;
    };
    using Credential = JwtCredential;
    static constexpr std::string_view name = "jwt-auth";
    static constexpr int priority = 2510;
    static constexpr OnError on_error = OnError::closed;
    static constexpr bool is_auth = true;
    static constexpr std::string_view credential_key = "key";
    static constexpr auto schema = config::fields(
        config::field("header", &Settings::header, "header field that is read first, with or without `Bearer `"),
        config::field("query", &Settings::query, "query parameter that is read where the field is absent"),
        config::field("cookie", &Settings::cookie, "cookie that is read where both are absent"),
        config::field("hide_credentials", &Settings::hide_credentials, "the upstream does not get the token"),
        config::field("key_claim_name", &Settings::key_claim_name, "claim that holds the consumer's key",
                      config::length(1)),
        config::field("store_in_ctx", &Settings::store_in_ctx, "the payload is the variable `jwt_auth_payload`"),
        config::field("realm", &Settings::realm, "realm of the challenge", config::length(1, 128), realm_form),
        config::field("anonymous_consumer", &Settings::anonymous_consumer, "who a request without a valid token is",
                      config::length(1)),
        config::field("claims_to_verify", &Settings::claims_to_verify, "claims that must be there", config::unique));

    // A key that cannot be used is no reason to say that there is no such consumer: its tokens fail to verify.
    static void prepare(Credential& credential) {
        try {
            if (!is_symmetric(credential.algorithm)) {
                credential.verifier =
                    JwsVerifier::of_public_key(credential.algorithm, credential.public_key.value_or(""));
            } else {
                credential.verifier =
                    JwsVerifier::of_secret(credential.algorithm, credential.plain_secret().value_or(""));
            }
        } catch (const config::Error& problem) {
            log::error("jwt-auth: no token of a consumer will be accepted: {}", problem.what());
        }
        credential.secret.reset();
        credential.public_key.reset();
    }

    JwtAuth(Settings settings, BuildScope&)
        : settings_(std::move(settings)),
          header_(http::field_name(settings_.header)),
          doorkeeper_("Bearer", settings_.realm, settings_.anonymous_consumer) {}

    Step rewrite(Exchange& exchange) const override {
        std::string_view text;
        if (!fetch(exchange, text)) return doorkeeper_.refuse(exchange, missing);
        JwsToken token;
        const TokenFault fault = parse_token(text, exchange.arena(), token);
        if (fault != TokenFault::none) return doorkeeper_.refuse(exchange, malformed, text_of(fault));
        return judge(exchange, token);
    }

private:
    // Takes the token from the first place that has something, and from there away if it is to be hidden.
    bool fetch(Exchange& exchange, std::string_view& text) const {
        const http::Fields& fields = exchange.request.fields;
        const http::Field* field =
            header_ == http::FieldName::unknown ? fields.find(settings_.header) : fields.find(header_);
        if (field) {
            text = field->value;
            if (text.starts_with("Bearer ") || text.starts_with("bearer ")) text.remove_prefix(7);
            if (settings_.hide_credentials) exchange.request.fields.remove(settings_.header);
            return true;
        }
        const QueryArgument argument =
            exchange.has_args ? find_query_argument(exchange, settings_.query) : QueryArgument();
        if (argument.count > 0) {
            if (argument.count == 1) text = argument.value;
            if (settings_.hide_credentials) remove_query_argument(exchange, settings_.query);
            return true;
        }
        if (!find_cookie(fields, settings_.cookie, text)) return false;
        if (settings_.hide_credentials) remove_cookie(exchange, settings_.cookie);
        return true;
    }

    Verdict judge(Exchange& exchange, const JwsToken& token) const {
        Arena& arena = exchange.arena();
        const std::string_view claim = member_of(token.payload, settings_.key_claim_name, arena);
        if (claim.empty()) return doorkeeper_.refuse(exchange, keyless);
        std::string_view key;
        const auto login = json_string(claim, arena, key) ? find_login<JwtAuth>(exchange, key) : Found<JwtAuth>();
        if (!login) {
            const bool anybody = exchange.consumers().has_logins(auth_slot<JwtAuth>());
            return doorkeeper_.refuse(exchange, unknown_key, anybody ? "" : "Missing related consumer");
        }
        std::string_view algorithm;
        const bool named = json_string(member_of(token.header, "alg", arena), arena, algorithm);
        if (!named || algorithm != name_of(login->algorithm)) {
            return doorkeeper_.refuse(
                exchange, refuted,
                arena.join("failed to verify jwt: algorithm mismatch, expected ", name_of(login->algorithm)));
        }
        // RFC 7515, 4.1.11: what the sender calls critical must be understood, and nothing of that is.
        if (!member_of(token.header, "crit", arena).empty())
            return doorkeeper_.refuse(exchange, refuted, "failed to verify jwt: critical header parameters");
        if (!login->verifier.verify(token.signed_part, token.signature))
            return doorkeeper_.refuse(exchange, refuted, "failed to verify jwt: signature mismatch");
        const std::string_view late = check_claims(exchange, token.payload, login->lifetime_grace_period);
        if (!late.empty()) return doorkeeper_.refuse(exchange, refuted, late);
        if (settings_.store_in_ctx) exchange.set_custom(payload_variable, token.payload);
        login.attach(exchange);
        return Verdict::next;
    }

    // Why the token does not count now; empty if it does.
    std::string_view check_claims(Exchange& exchange, std::string_view payload, std::int64_t grace) const {
        Arena& arena = exchange.arena();
        const double now = static_cast<double>(exchange.services().now_ms() / 1000);
        const double leeway = static_cast<double>(grace);
        for (const auto& claim : enum_names(Claim{})) {
            const std::string_view value = member_of(payload, claim.first, arena);
            const auto explain = [&](std::string_view what) {
                return arena.join("failed to verify jwt: claim ", claim.first, what);
            };
            if (value.empty() && !is_required(claim.second)) continue;
            if (value.empty()) return explain(" is missing");
            double time = 0;
            if (!json_number(value, time)) return explain(" is not a number");
            const bool expired = claim.second == Claim::exp && !(time > now - leeway);
            const bool early = claim.second == Claim::nbf && !(time < now + leeway);
            if (expired) return arena.join("failed to verify jwt: 'exp' claim expired at ", date_of(time, arena));
            if (early) return arena.join("failed to verify jwt: 'nbf' claim not valid until ", date_of(time, arena));
        }
        return {};
    }
    bool is_required(Claim claim) const noexcept {
        const std::vector<Claim>& listed = settings_.claims_to_verify;
        return std::find(listed.begin(), listed.end(), claim) != listed.end();
    }
    static std::string_view date_of(double time, Arena& arena) {
        constexpr double far = 1e12;
        return http_date(static_cast<std::int64_t>(std::clamp(time, -far, far)), arena);
    }

    Settings settings_;
    http::FieldName header_;
    Doorkeeper doorkeeper_;
};
const Registration<JwtAuth> registration;

}  // namespace
}  // namespace gateway::plugins
