#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <ctime>
#include <string>

#include "libgateway/base/log.hpp"
#include "libgateway/base/strings.hpp"
#include "libgateway/expr/json_text.hpp"
#include "libgateway/expr/query.hpp"
#include "libgateway/plugin/registry.hpp"
#include "libplugins/common/base64.hpp"
#include "libplugins/common/header_rules.hpp"
#include "libplugins/common/keyed_hash.hpp"
#include "libplugins/common/same_secret.hpp"

namespace gateway::plugins {
namespace {

constexpr std::string_view no_header = R"({"error_msg":"no csrf token in headers"})";
constexpr std::string_view no_cookie = R"({"error_msg":"no csrf cookie"})";
constexpr std::string_view mismatch = R"({"error_msg":"csrf token mismatch"})";
constexpr std::string_view invalid = R"({"error_msg":"Failed to verify the csrf token signature"})";

// The members of a token as they stand in its text.
struct Token {
    std::string_view random, expires, sign;
};

Token read_token(std::string_view text, Arena& arena) {
    Token token;
    const auto plain = decode_base64(text, arena);
    if (!plain || !expr::is_json(*plain)) return token;
    expr::JsonChildren members(*plain);
    while (members.next()) {
        if (!members.object()) return {};
        const std::string_view key = members.key();
        if (key == R"("random")") token.random = members.value();
        if (key == R"("expires")") token.expires = members.value();
        if (key == R"("sign")" && members.value().starts_with('"')) {
            token.sign = expr::unquote_json(members.value(), arena);
        }
    }
    return token;
}

// "Thu, 18-Nov-10 11:27:35 GMT"
std::string_view cookie_time(std::int64_t seconds, Arena& arena) {
    static constexpr std::string_view days = "SunMonTueWedThuFriSat", months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const std::time_t time = seconds;
    std::tm parts{};
    if (!::gmtime_r(&time, &parts)) return "Thu, 01-Jan-70 00:00:00 GMT";
    std::array<char, 64> text;
    const auto end = fmt::format_to_n(text.data(), text.size(), "{}, {:02}-{}-{:02} {:02}:{:02}:{:02} GMT",
                                      days.substr(static_cast<std::size_t>(parts.tm_wday) * 3, 3), parts.tm_mday,
                                      months.substr(static_cast<std::size_t>(parts.tm_mon) * 3, 3), parts.tm_year % 100,
                                      parts.tm_hour, parts.tm_min, parts.tm_sec);
    return arena.copy({text.data(), end.size});
}

// Lower-case digits of a SHA-256.
std::array<char, 64> hex_of(const HashValue& hash) noexcept {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::array<char, 64> text{};
    for (std::size_t i = 0; 2 * i < text.size() && i < hash.size; ++i) {
        const auto byte = static_cast<unsigned char>(hash.bytes[i]);
        text[2 * i] = digits[byte >> 4];
        text[2 * i + 1] = digits[byte & 15];
    }
    return text;
}

class Csrf final : public Plugin {
public:
    struct Settings {
        std::string key, name = "apisix-csrf-token";
        std::int64_t expires = 7200;
    };
    static constexpr std::string_view name = "csrf";
    static constexpr int priority = 2980;
    static constexpr OnError on_error = OnError::closed;
    static constexpr auto schema = config::fields(
        config::field("key", &Settings::key, "secret of the signature", config::required, config::encrypted),
        config::field("expires", &Settings::expires, "seconds that a token is good for; 0 or less: for ever",
                      config::range(-1e12, 1e12)),
        config::field("name", &Settings::name, "name of both header field and cookie"));

    static void check(const Settings& settings, config::Errors& errors) {
        if (!is_field_name(settings.name)) errors.add("invalid field character in header");
    }

    Csrf(Settings settings, BuildScope&) : settings_(std::move(settings)) {}

    Step access(Exchange& exchange) const override {
        switch (exchange.request.method) {
            case http::Verb::get:
            case http::Verb::head:
            case http::Verb::options:
                return Verdict::next;
            default:
                break;
        }
        const std::string_view fault = judge(exchange);
        if (fault.empty()) return Verdict::next;
        return exchange.respond_with({401, LocalReply::Body::json, fault});
    }

    Step header_filter(Exchange& exchange) const override {
        Arena& arena = exchange.arena();
        const std::int64_t now = exchange.services().now_ms() / 1000;
        const std::string_view token = arena.join(settings_.name, "=", make(now, exchange));
        const std::string_view cookie =
            arena.join(token, ";path=/;SameSite=Lax;Expires=", cookie_time(now + settings_.expires, arena));
        if (!exchange.response.fields.add(http::FieldName::set_cookie, cookie)) {
            log::error("no room for the field of csrf");
        }
        return Verdict::next;
    }

private:
    // Empty: the token is good.
    std::string_view judge(Exchange& exchange) const {
        const http::Fields& fields = exchange.request.fields;
        const std::string_view header = fields.get(settings_.name);
        if (header.empty()) return no_header;
        std::string_view cookie;
        bool found = false;
        for (const http::Field& field : fields) {
            if (found || field.id != http::FieldName::cookie) continue;
            found = expr::find_cookie(field.value, settings_.name, cookie);
        }
        if (!found) return no_cookie;
        if (header != cookie) return mismatch;
        const Token token = read_token(header, exchange.arena());
        return is_good(token, exchange.services().now_ms() / 1000) ? std::string_view() : invalid;
    }

    bool is_good(const Token& token, std::int64_t now) const noexcept {
        const auto issued = parse_decimal<std::int64_t>(token.expires);
        if (token.random.empty() || token.sign.empty() || !issued || *issued > 253402300799) return false;
        if (settings_.expires > 0 && now - *issued > settings_.expires) return false;
        const auto sign = sign_of(token.random, token.expires);
        return same_secret({sign.data(), sign.size()}, token.sign);
    }

    std::array<char, 64> sign_of(std::string_view random, std::string_view expires) const noexcept {
        return hex_of(hash_of(Hash::sha256, {"{expires:", expires, ",random:", random, ",key:", settings_.key, "}"}));
    }

    std::string_view make(std::int64_t now, Exchange& exchange) const {
        std::uint64_t bits = 0;
        exchange.services().secure_random(&bits, sizeof bits);
        std::array<char, 32> number;
        const auto random = fmt::format_to_n(number.data(), number.size(), "{:.14g}",
                                             static_cast<double>(bits >> 11) / 9007199254740992.0);
        const std::string_view random_text(number.data(), random.size);
        const fmt::format_int issued(now);
        const std::string_view issued_text(issued.data(), issued.size());
        const auto sign = sign_of(random_text, issued_text);
        std::array<char, 192> text;
        const auto end = fmt::format_to_n(text.data(), text.size(), R"({{"random":{},"expires":{},"sign":"{}"}})",
                                          random_text, issued_text, std::string_view(sign.data(), sign.size()));
        return encode_base64({text.data(), end.size}, exchange.arena());
    }

    Settings settings_;
};
const Registration<Csrf> registration;

}  // namespace
}  // namespace gateway::plugins
