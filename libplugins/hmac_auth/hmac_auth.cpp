#include <algorithm>
#include <charconv>

#include "libgateway/base/strings.hpp"
#include "libgateway/plugin/registry.hpp"
#include "libplugins/common/arena_text.hpp"
#include "libplugins/common/base64.hpp"
#include "libplugins/common/doorkeeper.hpp"
#include "libplugins/common/http_date.hpp"
#include "libplugins/common/keyed_hash.hpp"
#include "libplugins/common/same_secret.hpp"
#include "libplugins/hmac_auth/signature.hpp"

namespace gateway::plugins {

enum class HmacAlgorithm : unsigned char { sha1, sha256, sha512 };
constexpr auto enum_names(HmacAlgorithm) {
    return std::array{std::pair{std::string_view("hmac-sha1"), HmacAlgorithm::sha1},
                      std::pair{std::string_view("hmac-sha256"), HmacAlgorithm::sha256},
                      std::pair{std::string_view("hmac-sha512"), HmacAlgorithm::sha512}};
}

namespace {

// Two reasons the client is told; the others are for the log alone.
constexpr std::string_view refused = R"({"message":"client request can't be validated"})";
constexpr std::string_view missing = R"({"message":"client request can't be validated: missing Authorization header"})";
constexpr std::string_view other_scheme =
    R"({"message":"client request can't be validated: Authorization header does not start with 'Signature'"})";
constexpr std::string_view log_prefix = "client request can't be validated: ";

// More than a request can have fields, and more than its fields can hold, unless some are listed over and over: that
// is nothing but work for us.
constexpr std::size_t most_listed = 2 * http::Fields::capacity, longest_text = 256 * 1024;

constexpr Hash hash_for(HmacAlgorithm algorithm) noexcept {
    return algorithm == HmacAlgorithm::sha1     ? Hash::sha1
           : algorithm == HmacAlgorithm::sha256 ? Hash::sha256
                                                : Hash::sha512;
}

bool is_listed(std::string_view list, std::string_view name) noexcept {
    bool found = false;
    for_each_item(list, ' ', [&](std::string_view item) { found = found || iequals(item, name); });
    return found;
}

class HmacAuth final : public Plugin {
public:
    struct Settings {
        std::vector<HmacAlgorithm> allowed_algorithms{HmacAlgorithm::sha1, HmacAlgorithm::sha256,
                                                      HmacAlgorithm::sha512};
        std::int64_t clock_skew = 300;
        std::vector<std::string> signed_headers{"date"};
        bool validate_request_body = false;
        std::uint64_t max_req_body_size = 64 << 20;
        bool hide_credentials = false;
        std::string realm = "hmac";
        std::optional<std::string> anonymous_consumer;
    };
    struct Credential {
        std::string key_id, secret_key;
        static constexpr auto schema = config::fields(
            config::field("key_id", &Credential::key_id, "name of the key", config::required, config::length(1, 256)),
            config::field("secret_key", &Credential::secret_key, "the key", config::required, config::length(1, 256),
                          config::encrypted));
    };
    static constexpr std::string_view name = "hmac-auth";
    static constexpr int priority = 2530;
    static constexpr OnError on_error = OnError::closed;
    static constexpr bool is_auth = true;
    static constexpr std::string_view credential_key = "key_id";
    static constexpr auto schema = config::fields(
        config::field("allowed_algorithms", &Settings::allowed_algorithms, "what clients may use", config::items(1)),
        config::field("clock_skew", &Settings::clock_skew, "seconds that `Date` may differ from now",
                      config::at_least(1)),
        config::field("signed_headers", &Settings::signed_headers, "fields that must be signed; `[]`: any will do",
                      config::each(config::length(1, 50))),
        config::field("validate_request_body", &Settings::validate_request_body, "`Digest` must be that of the body"),
        config::field("max_req_body_size", &Settings::max_req_body_size, "most bytes of a body that is checked",
                      config::at_least(1)),
        config::field("hide_credentials", &Settings::hide_credentials, "the upstream does not get `Authorization`"),
        config::field("realm", &Settings::realm, "realm of the challenge", config::length(1, 128), realm_form),
        config::field("anonymous_consumer", &Settings::anonymous_consumer, "who a request without valid signature is",
                      config::length(1)));

    HmacAuth(Settings settings, BuildScope&)
        : settings_(std::move(settings)),
          doorkeeper_("hmac", settings_.realm, settings_.anonymous_consumer),
          request_uri_(expr::compile_variable("request_uri")) {}

    Step rewrite(Exchange& exchange) const override {
        const Verdict verdict = judge(exchange);
        if (verdict == Verdict::next && settings_.hide_credentials) {
            exchange.request.fields.remove(http::FieldName::authorization);
        }
        return verdict;
    }
    BodyNeeds body_needs() const noexcept override {
        BodyNeeds needs;
        if (settings_.validate_request_body) needs.request = settings_.max_req_body_size;
        return needs;
    }

private:
    Verdict judge(Exchange& exchange) const {
        const http::Field* field = exchange.request.fields.find(http::FieldName::authorization);
        if (!field) return refuse(exchange, "missing Authorization header", missing);
        if (!field->value.starts_with(signature_scheme))
            return refuse(exchange, "Authorization header does not start with 'Signature'", other_scheme);
        const SignatureParts said = read_signature(field->value);
        if (said.key_id.empty() || said.signature.empty()) return refuse(exchange, "keyId or signature missing");
        if (said.algorithm.empty()) return refuse(exchange, "algorithm missing");
        const auto login = find_login<HmacAuth>(exchange, said.key_id);
        if (!login) {
            const bool anybody = exchange.consumers().has_logins(auth_slot<HmacAuth>());
            return refuse(exchange, anybody ? "Invalid key_id" : "Missing related consumer");
        }
        const std::string_view why = check_signed(exchange, said, login->secret_key);
        if (!why.empty()) return refuse(exchange, why);
        if (settings_.validate_request_body) {
            if (body_too_large(exchange)) return refuse_size(exchange);
            if (!digest_fits(exchange)) return refuse(exchange, "Invalid digest");
        }
        login.attach(exchange);
        return Verdict::next;
    }

    Verdict refuse(Exchange& exchange, std::string_view why, std::string_view body = refused) const {
        return doorkeeper_.refuse(exchange, body, exchange.arena().join(log_prefix, why));
    }

    // What is wrong with a request that names a key; empty: nothing.
    std::string_view check_signed(Exchange& exchange, const SignatureParts& said, std::string_view secret) const {
        const auto algorithm = allowed(said.algorithm);
        if (!algorithm) return "Invalid algorithm";
        const http::Field* date = exchange.request.fields.find(http::FieldName::date);
        if (!date) return "Date header missing. failed to validate clock skew";
        const auto sent = parse_http_date(date->value);
        if (!sent) return "Invalid GMT format time";
        const std::int64_t difference = exchange.services().now_ms() / 1000 - *sent;
        if (difference > settings_.clock_skew || -difference > settings_.clock_skew) return "Clock skew exceeded";
        for (const std::string& header : settings_.signed_headers) {
            if (!is_listed(said.headers, header))
                return exchange.arena().join("expected header \"", header, "\" missing in signing");
        }
        return signature_fits(exchange, said, *algorithm, secret) ? std::string_view() : "Invalid signature";
    }

    std::optional<HmacAlgorithm> allowed(std::string_view algorithm) const noexcept {
        const std::vector<HmacAlgorithm>& list = settings_.allowed_algorithms;
        for (const auto& known : enum_names(HmacAlgorithm{})) {
            if (known.first == algorithm && std::find(list.begin(), list.end(), known.second) != list.end())
                return known.second;
        }
        return std::nullopt;
    }

    bool signature_fits(Exchange& exchange, const SignatureParts& said, HmacAlgorithm algorithm,
                        std::string_view secret) const {
        ArenaText text(exchange.arena(), 512);
        if (!write_signed_text(exchange, said, text)) return false;
        const HashValue right = hmac_of(hash_for(algorithm), secret, {text.view()});
        const auto given = decode_base64(said.signature, exchange.arena());
        return given && given->size() == right.size && same_secret(right.view(), *given);
    }

    // False: more is listed than a sensible request can mean.
    bool write_signed_text(Exchange& exchange, const SignatureParts& said, ArenaText& text) const {
        text << said.key_id << '\n';
        std::size_t listed = 0;
        bool sensible = true;
        for_each_item(said.headers, ' ', [&](std::string_view header) {
            sensible = sensible && ++listed <= most_listed && text.size() <= longest_text;
            if (!sensible) return;
            if (const http::Field* field = exchange.request.fields.find(header)) {
                text << header << ": " << field->value << '\n';
            } else if (header == "@request-target") {
                expr::VariableValue target;
                const bool known = exchange.read(request_uri_, target) && !target.text.empty();
                text << exchange.request.method_text << ' ' << (known ? target.text : "/") << '\n';
            }
        });
        return sensible;
    }

    bool body_too_large(const Exchange& exchange) const noexcept {
        const bool unread = exchange.request.body.kind != http::BodyKind::none && !exchange.body_buffered;
        return unread || exchange.request_body.size() > settings_.max_req_body_size;
    }
    // A body whose end has not been seen is at least one byte too large.
    Verdict refuse_size(Exchange& exchange) const {
        std::uint64_t size = exchange.body_buffered ? exchange.request_body.size() : exchange.request.body.length;
        size = std::max(size, settings_.max_req_body_size + 1);
        ArenaText body(exchange.arena());
        const auto put = [&body](std::uint64_t number) {
            std::array<char, 20> digits;
            const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
            body << std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data()));
        };
        body << R"({"message":"request size )";
        put(size);
        body << " is greater than the maximum size ";
        put(settings_.max_req_body_size);
        body << R"( allowed"})";
        exchange.auth_failure = body.view();
        return exchange.respond_with({413, LocalReply::Body::json, body.view()});
    }
    bool digest_fits(Exchange& exchange) const {
        constexpr std::string_view prefix = "SHA-256=";
        const std::string_view field = exchange.request.fields.get("Digest");
        if (!field.starts_with(prefix)) return false;
        const auto given = decode_base64(field.substr(prefix.size()), exchange.arena());
        const HashValue right = hash_of(Hash::sha256, {exchange.request_body});
        return given && given->size() == right.size && same_secret(right.view(), *given);
    }

    Settings settings_;
    Doorkeeper doorkeeper_;
    expr::Variable request_uri_;
};
const Registration<HmacAuth> registration;

}  // namespace
}  // namespace gateway::plugins
