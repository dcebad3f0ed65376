// jwt-auth beyond its worked examples: every algorithm, forged tokens, what is strict about tokens, claims, bad keys.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "libplugins/common/base64url.hpp"
#include "libplugins/common/keyed_hash.hpp"
#include "tests/plugins/refusal.hpp"
#include "tests/support/alloc_count.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_consumers.hpp"
#include "tests/support/fake_exchange.hpp"
#include "tests/support/log_lines.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

constexpr std::string_view secret = "jack-secret-0123456789abcdef";
constexpr std::int64_t t0 = 1800328447;

std::string base64url(std::string_view bytes) {
    constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string out;
    unsigned bits = 0;
    int count = 0;
    for (const char c : bytes) {
        bits = (bits << 8 | static_cast<unsigned char>(c)) & 0xffff;
        for (count += 8; count >= 6; count -= 6) out += letters[bits >> (count - 6) & 63];
    }
    if (count > 0) out += letters[bits << (6 - count) & 63];
    return out;
}

// A token of that text, rightly signed with HS256.
std::string token_of(std::string_view header, std::string_view payload, std::string_view key = secret) {
    const std::string text = base64url(header) + "." + base64url(payload);
    return text + "." + base64url(plugins::hmac_of(plugins::Hash::sha256, key, {text}).view());
}
std::string token_of(std::string_view payload) {
    return token_of(R"({"alg":"HS256"})", payload);
}

FakeConsumers jack_with(const json::Value& credential) {
    FakeConsumers consumers;
    consumers.add("jack", json::write(json::Value::object({{"jwt-auth", credential}})));
    return consumers;
}
FakeConsumers jack(std::string_view more = "") {
    return jack_with(
        json::parse(R"({"key":"jack-key","secret":")" + std::string(secret) + "\"" + std::string(more) + "}"));
}

struct Answer {
    unsigned status;
    std::string body, log;
};
Answer ask(const FakeConsumers& consumers, std::string_view token, std::string_view settings = "{}") {
    const LogLines lines;
    FakeExchange exchange;
    exchange.use(consumers);
    exchange.with("Authorization", token);
    const Seen& answer = exchange.run(*chain_of("jwt-auth", settings));
    const std::vector<std::string> all = lines.all();
    return {answer.status, answer.body, all.empty() ? "" : all.front()};
}

json::Value read_vectors() {
    std::ifstream in(std::string(GATEWAY_GOLDEN_DIR) + "/jws/vectors.json");
    return json::parse(std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()));
}

// Other bytes in the same form: the character there is replaced by one that stands for other bits.
std::string with_change(std::string token, std::size_t at) {
    token[at] = token[at] == 'B' ? 'C' : 'B';
    return token;
}

}  // namespace

TEST_CASE("jwt-auth: tokens that openssl signed are accepted, for every algorithm", "[plugins][jwt_auth]") {
    const json::Value vectors = read_vectors();
    REQUIRE(vectors.items().size() >= 14);
    for (const json::Value& vector : vectors.items()) {
        INFO(json::write(vector));
        CHECK(ask(jack_with(*vector.find("credential")), vector.find("token")->string()).status == 200);
    }
}

TEST_CASE("jwt-auth: a token with one character changed is refused, for every algorithm", "[plugins][jwt_auth]") {
    const json::Value vectors = read_vectors();
    for (const json::Value& vector : vectors.items()) {
        const std::string token = vector.find("token")->string();
        const std::size_t dot = token.rfind('.');
        const FakeConsumers consumers = jack_with(*vector.find("credential"));
        for (const std::size_t at : {std::size_t(2), token.find('.') + 3, dot - 3, dot + 1, dot + 20}) {
            INFO(json::write(vector) << " at " << at);
            CHECK(ask(consumers, with_change(token, at)).status == 401);
        }
        INFO(json::write(vector));
        CHECK(ask(consumers, token.substr(0, dot + 1)).status == 401);
        CHECK(ask(consumers, token.substr(0, token.size() - 4)).status == 401);
        CHECK(ask(consumers, token + "AAAA").status == 401);
        CHECK(ask(consumers, token.substr(0, dot)).status == 401);
    }
}

TEST_CASE("jwt-auth: a token for one algorithm is refused where the credential names another", "[plugins][jwt_auth]") {
    const json::Value vectors = read_vectors();
    for (const json::Value& own : vectors.items()) {
        const FakeConsumers consumers = jack_with(*own.find("credential"));
        for (const json::Value& other : vectors.items()) {
            if (own.find("algorithm")->string() == other.find("algorithm")->string()) continue;
            const Answer answer = ask(consumers, other.find("token")->string());
            INFO(own.find("algorithm")->string() << " and " << other.find("algorithm")->string());
            CHECK(answer.status == 401);
            CHECK(answer.log == "warn: failed to verify jwt: algorithm mismatch, expected " +
                                    own.find("algorithm")->string() + ", client: 127.0.0.1");
        }
    }
}

TEST_CASE("jwt-auth: a public key is no secret, and no algorithm is none", "[plugins][jwt_auth]") {
    const json::Value vectors = read_vectors();
    const auto rs256 = std::find_if(vectors.items().begin(), vectors.items().end(), [](const json::Value& vector) {
        return vector.find("algorithm")->string() == "RS256";
    });
    const FakeConsumers consumers = jack_with(*rs256->find("credential"));
    const std::string pem = rs256->find("credential")->find("public_key")->string();
    constexpr std::string_view payload = R"({"key":"jack-key"})";
    CHECK(ask(consumers, token_of(R"({"alg":"HS256"})", payload, pem)).status == 401);
    CHECK(ask(consumers, token_of(R"({"alg":"RS256"})", payload, pem)).status == 401);
    for (const std::string_view algorithm : {"none", "None", "NONE", "", "hs256", "HS256 "}) {
        const std::string header = R"({"alg":")" + std::string(algorithm) + "\"}";
        CHECK(ask(jack(), token_of(header, payload)).status == 401);
        CHECK(ask(jack(), base64url(header) + "." + base64url(payload) + ".").status == 401);
    }
    CHECK(ask(jack(), token_of("{}", payload)).status == 401);
    CHECK(ask(jack(), token_of(R"({"alg":["HS256"]})", payload)).status == 401);
}

TEST_CASE("jwt-auth: what is no token in the strict sense is refused as such", "[plugins][jwt_auth]") {
    const std::string good = token_of(R"({"key":"jack-key"})");
    const std::string header = base64url(R"({"alg":"HS256"})"), payload = base64url(R"({"key":"jack-key"})");
    const std::string signature = good.substr(good.rfind('.') + 1);
    const FakeConsumers consumers = jack();
    REQUIRE(ask(consumers, good).status == 200);
    const auto [text, reason] = GENERATE_COPY(table<std::string, std::string>(
        {{"", "invalid jwt string"},
         {".", "invalid jwt string"},
         {"..", "invalid header"},
         {header + "." + payload, "invalid jwt string"},
         {good + ".", "invalid jwt string"},
         {good + "=", "invalid jwt string"},
         {header + "." + payload + "." + signature.substr(0, 41), "invalid jwt string"},
         {header + "." + payload + "." + signature.substr(0, 42) + "+", "invalid jwt string"},
         {" " + good, "invalid header"},
         {"BEARER " + good, "invalid header"},
         {header + "=." + payload + "." + signature, "invalid header"},
         {base64url("[]") + "." + payload + "." + signature, "invalid header"},
         {base64url("") + "." + payload + "." + signature, "invalid header"},
         {header + "." + base64url("7") + "." + signature, "invalid payload"},
         {header + "." + base64url(R"({"key":"jack-key"}})") + "." + signature, "invalid payload"},
         {header + ".." + signature, "invalid payload"},
         {header + "." + base64url(R"({"a":)" + std::string(5000, '[')) + "." + signature, "invalid payload"},
         {std::string(70'000, 'A') + ".AA.AA", "invalid jwt string"}}));
    INFO(text);
    const Answer answer = ask(consumers, text);
    CHECK(answer.status == 401);
    CHECK(answer.body == "{\"message\":\"JWT token invalid\"}\n");
    CHECK(answer.log == "warn: JWT token invalid: " + reason + ", client: 127.0.0.1");
}

TEST_CASE("jwt-auth: a signature has one form only", "[plugins][jwt_auth]") {
    std::string token = token_of(R"({"key":"jack-key"})");
    constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    token.back() = letters[letters.find(token.back()) + 1];
    CHECK(ask(jack(), token).body == "{\"message\":\"JWT token invalid\"}\n");
}

TEST_CASE("jwt-auth: what the sender calls critical is not understood", "[plugins][jwt_auth]") {
    const Answer answer =
        ask(jack(), token_of(R"({"alg":"HS256","crit":["b64"],"b64":false})", R"({"key":"jack-key"})"));
    CHECK(answer.status == 401);
    CHECK(answer.log == "warn: failed to verify jwt: critical header parameters, client: 127.0.0.1");
}

TEST_CASE("jwt-auth: the consumer's key is a text", "[plugins][jwt_auth]") {
    const auto [payload, body] =
        GENERATE(table<std::string, std::string>({{R"({"key":7})", "Invalid user key in JWT token"},
                                                  {R"({"key":null})", "Invalid user key in JWT token"},
                                                  {R"({"key":["jack-key"]})", "Invalid user key in JWT token"},
                                                  {R"({"key":""})", "Invalid user key in JWT token"},
                                                  {R"({"key":"jack-key\u0000"})", "Invalid user key in JWT token"},
                                                  {R"({"a":{"key":"jack-key"}})", "missing user key in JWT token"},
                                                  {R"({})", "missing user key in JWT token"}}));
    INFO(payload);
    CHECK(ask(jack(), token_of(payload)).body == "{\"message\":\"" + body + "\"}\n");
    CHECK(ask(jack(), token_of(R"({ "k\u0065y" : "jack\u002dkey" })")).status == 200);
}

TEST_CASE("jwt-auth: exp and nbf are looked at to the second, with the credential's leeway", "[plugins][jwt_auth]") {
    const auto [claim, offset, grace, accepted] =
        GENERATE(table<std::string, int, int, bool>({{"exp", 1, 0, true},
                                                     {"exp", 0, 0, false},
                                                     {"exp", -1, 0, false},
                                                     {"exp", -9, 10, true},
                                                     {"exp", -10, 10, false},
                                                     {"nbf", 0, 0, false},
                                                     {"nbf", -1, 0, true},
                                                     {"nbf", 9, 10, true},
                                                     {"nbf", 10, 10, false}}));
    const FakeConsumers consumers = jack(R"(,"lifetime_grace_period":)" + std::to_string(grace));
    const std::string payload = R"({"key":"jack-key",")" + claim + "\":" + std::to_string(t0 + offset) + "}";
    INFO(payload << " grace " << grace);
    CHECK(ask(consumers, token_of(payload)).status == (accepted ? 200 : 401));
}

TEST_CASE("jwt-auth: claims that cannot be right are refused, with the reason in the log", "[plugins][jwt_auth]") {
    const auto [claims, settings, reason] = GENERATE(table<std::string, std::string, std::string>(
        {{R"("exp":1600000000)", "{}", "'exp' claim expired at Sun, 13 Sep 2020 12:26:40 GMT"},
         {R"("nbf":4102444800)", "{}", "'nbf' claim not valid until Fri, 01 Jan 2100 00:00:00 GMT"},
         {R"("nbf":1e300)", "{}", "'nbf' claim not valid until Fri, 31 Dec 9999 23:59:59 GMT"},
         {R"("exp":"4102444800")", "{}", "claim exp is not a number"},
         {R"("exp":null)", "{}", "claim exp is not a number"},
         {R"("exp":1e999)", "{}", "claim exp is not a number"},
         {R"("nbf":true)", "{}", "claim nbf is not a number"},
         {R"("exp":4102444800,"exp":1)", "{}", "'exp' claim expired at Thu, 01 Jan 1970 00:00:01 GMT"},
         {R"("exp":4102444800)", R"({"claims_to_verify":["nbf"]})", "claim nbf is missing"},
         {R"("exp":1,"nbf":1)", R"({"claims_to_verify":["nbf"]})",
          "'exp' claim expired at Thu, 01 Jan 1970 00:00:01 GMT"},
         {R"("exp":-5)", R"({"claims_to_verify":["exp"]})", "'exp' claim expired at Wed, 31 Dec 1969 23:59:55 GMT"}}));
    INFO(claims << settings);
    const Answer answer = ask(jack(), token_of(R"({"key":"jack-key",)" + claims + "}"), settings);
    CHECK(answer.body == "{\"message\":\"failed to verify jwt\"}\n");
    CHECK(answer.log == "warn: failed to verify jwt: " + reason + ", client: 127.0.0.1");
}

TEST_CASE("jwt-auth: nobody gets in where the key cannot be used", "[plugins][jwt_auth][fail_closed]") {
    const json::Value vectors = read_vectors();
    const auto token_for = [&](std::string_view algorithm) {
        for (const json::Value& vector : vectors.items()) {
            if (vector.find("algorithm")->string() == algorithm) return vector.find("token")->string();
        }
        return std::string();
    };
    const auto key_for = [&](std::string_view algorithm) {
        for (const json::Value& vector : vectors.items()) {
            if (vector.find("algorithm")->string() == algorithm)
                return vector.find("credential")->find("public_key")->string();
        }
        return std::string();
    };
    const auto [algorithm, pem] = GENERATE_COPY(
        table<std::string, std::string>({{"RS256", "not a key"},
                                         {"RS256", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"},
                                         {"RS256", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
                                         {"RS256", key_for("RS256").substr(0, 100)},
                                         {"RS256", key_for("ES256")},
                                         {"PS256", key_for("EdDSA")},
                                         {"ES256", key_for("RS256")},
                                         {"ES256", key_for("ES384")},
                                         {"ES512", key_for("ES256")},
                                         {"EdDSA", key_for("ES256")}}));
    INFO(algorithm << " " << pem);
    const json::Value credential =
        json::Value::object({{"key", "jack-key"}, {"algorithm", algorithm}, {"public_key", pem}});
    CHECK(credential_refusal("jwt-auth", credential).empty());
    const Answer answer = ask(jack_with(credential), token_for(algorithm));
    CHECK(answer.status == 401);
    CHECK(answer.body == "{\"message\":\"failed to verify jwt\"}\n");
    CHECK(answer.log.rfind("error: jwt-auth: no token of a consumer will be accepted: public_key ", 0) == 0);
}

TEST_CASE("jwt-auth: a secret that does not resolve, or is empty, admits nobody", "[plugins][jwt_auth][fail_closed]") {
    ::setenv("GATEWAY_TEST_EMPTY", "", 1);
    ::setenv("GATEWAY_TEST_NOT_BASE64", "?", 1);
    const auto [reference, more] =
        GENERATE(table<std::string, std::string>({{"$env://GATEWAY_TEST_NOT_SET", ""},
                                                  {"$secret://vault/1/jack", ""},
                                                  {"$env://GATEWAY_TEST_EMPTY", ""},
                                                  {"$env://GATEWAY_TEST_EMPTY", R"(,"base64_secret":true)"},
                                                  {"$env://GATEWAY_TEST_NOT_BASE64", R"(,"base64_secret":true)"}}));
    const json::Value credential = json::parse(R"({"key":"jack-key","secret":")" + reference + "\"" + more + "}");
    INFO(json::write(credential));
    CHECK(credential_refusal("jwt-auth", credential).empty());
    const FakeConsumers consumers = jack_with(credential);
    CHECK(ask(consumers, token_of(R"({"alg":"HS256"})", R"({"key":"jack-key"})", reference)).status == 401);
    CHECK(ask(consumers, token_of(R"({"alg":"HS256"})", R"({"key":"jack-key"})", "")).status == 401);
    CHECK(ask(consumers, token_of(R"({"alg":"HS256"})", R"({"key":"jack-key"})", "?")).status == 401);
}

TEST_CASE("jwt-auth: a secret may be base64", "[plugins][jwt_auth]") {
    const FakeConsumers consumers =
        jack_with(json::parse(R"({"key":"jack-key","secret":"c2Vj+/8=","base64_secret":true})"));
    const std::string_view plain = "sec\xfb\xff";
    CHECK(ask(consumers, token_of(R"({"alg":"HS256"})", R"({"key":"jack-key"})", plain)).status == 200);
    CHECK(ask(consumers, token_of(R"({"alg":"HS256"})", R"({"key":"jack-key"})", "c2Vj+/8=")).status == 401);
}

TEST_CASE("jwt-auth: credentials that cannot work are refused before they are stored", "[plugins][jwt_auth]") {
    const auto [credential, error] = GENERATE(table<std::string, std::string>(
        {{R"({"secret":"s"})", "property \"key\" is required"},
         {R"({"key":"","secret":"s"})",
          "property \"key\" validation failed: string too short, expected at least 1, got 0"},
         {R"({"key":"k","secret":""})",
          "property \"secret\" validation failed: string too short, expected at least 1, got 0"},
         {R"({"key":"k","algorithm":"RS256"})",
          "failed to validate dependent schema for \"algorithm\": value should match only one schema, but matches "
          "none"},
         {R"({"key":"k","algorithm":"RS256","secret":"s"})",
          "failed to validate dependent schema for \"algorithm\": value should match only one schema, but matches "
          "none"},
         {R"({"key":"k","secret":"?","base64_secret":true})",
          "base64_secret required but the secret is not in base64 format"},
         {R"({"key":"k","secret":"=","base64_secret":true})",
          "base64_secret required but the secret is not in base64 format"},
         {R"({"key":"k","secret":"s","exp":0})", "property \"exp\" validation failed: expected 0 to be at least 1"},
         {R"({"key":"k","secret":"s","lifetime_grace_period":-1})",
          "property \"lifetime_grace_period\" validation failed: expected -1 to be at least 0"}}));
    CHECK(credential_refusal("jwt-auth", json::parse(credential)) ==
          "invalid plugins configuration: failed to check the configuration of plugin jwt-auth err: " + error);
    CHECK(credential_refusal("jwt-auth", json::parse(R"({"key":"k","secret":"s","algorithm":"none"})")) != "");
    CHECK(refusal("jwt-auth", R"({"key_claim_name":""})") != "");
    CHECK(refusal("jwt-auth", R"({"claims_to_verify":["exp","exp"]})") != "");
    CHECK(refusal("jwt-auth", R"({"claims_to_verify":["iat"]})") != "");
}

TEST_CASE("jwt-auth: the token is taken from the first place that has one", "[plugins][jwt_auth]") {
    const FakeConsumers consumers = jack();
    const std::string token = token_of(R"({"key":"jack-key"})");
    const LogLines lines;
    const auto run = [&](std::string_view target, const FieldList& fields) {
        FakeExchange exchange("GET", target);
        exchange.use(consumers);
        for (const auto& [name, value] : fields) exchange.with(name, value);
        return exchange.run(*chain_of("jwt-auth", "{}")).status;
    };
    CHECK(run("/?jwt=" + token, {{"Cookie", "jwt=x"}}) == 200);
    CHECK(run("/?jwt=" + token, {{"Authorization", ""}}) == 401);
    CHECK(run("/?jwt=x", {{"Authorization", token}}) == 200);
    CHECK(run("/?jwt=" + token + "&jwt=" + token, {}) == 401);
    CHECK(run("/?jwt", {{"Cookie", "jwt=" + token}}) == 401);
    CHECK(run("/", {{"Cookie", "a=1"}, {"Cookie", "jwt=" + token}}) == 200);
    CHECK(run("/", {{"Authorization", token}, {"Authorization", "x"}}) == 200);
}

TEST_CASE("jwt-auth: a hidden token is nowhere in what the upstream gets from that place", "[plugins][jwt_auth]") {
    const FakeConsumers consumers = jack();
    const std::string token = token_of(R"({"key":"jack-key"})");
    FakeExchange cookies;
    cookies.use(consumers);
    cookies.with("Cookie", "jwt=" + token).with("Cookie", "a=1 ;jwt=" + token + "; jwtx=2;jwt=x");
    cookies.run(*chain_of("jwt-auth", R"({"hide_credentials":true})"));
    REQUIRE(cookies.upstream);
    CHECK(cookies.upstream->field("cookie") == "a=1; jwtx=2");
    FakeExchange field;
    field.use(consumers);
    field.with("Authorization", "bearer " + token).with("Cookie", "a=1");
    field.run(*chain_of("jwt-auth", R"({"hide_credentials":true})"));
    REQUIRE(field.upstream);
    CHECK(field.upstream->field("authorization") == "(none)");
    CHECK(field.upstream->field("cookie") == "a=1");
}

TEST_CASE("jwt-auth: the payload is a variable only where store_in_ctx asks for it", "[plugins][jwt_auth]") {
    const FakeConsumers consumers = jack();
    const bool stored = GENERATE(true, false);
    FakeExchange exchange;
    exchange.use(consumers);
    exchange.with("Authorization", token_of(R"( {"key":"jack-key","role":"a"} )"));
    exchange.run(*chain_of("jwt-auth", stored ? R"({"store_in_ctx":true})" : "{}"));
    expr::VariableValue value;
    REQUIRE(exchange.read(expr::compile_variable("jwt_auth_payload"), value) == stored);
    if (stored) CHECK(value.text == R"({"key":"jack-key","role":"a"})");
}

TEST_CASE("jwt-auth: a failure lets the anonymous consumer in, without the token", "[plugins][jwt_auth]") {
    FakeConsumers consumers = jack();
    consumers.add("anon", "{}");
    const LogLines lines;
    FakeExchange exchange;
    exchange.use(consumers);
    exchange.with("Authorization", "x.y.z");
    exchange.run(*chain_of("jwt-auth", R"({"anonymous_consumer":"anon","hide_credentials":true})"));
    REQUIRE(exchange.upstream);
    CHECK(exchange.upstream->field("x-consumer-username") == "anon");
    CHECK(exchange.upstream->field("authorization") == "(none)");
    FakeExchange lost;
    lost.use(consumers);
    const Seen& answer = lost.run(*chain_of("jwt-auth", R"({"anonymous_consumer":"nobody"})"));
    CHECK(answer.body == "{\"message\":\"Invalid user authorization\"}\n");
    CHECK(answer.field("www-authenticate") == "Bearer realm=\"jwt\"");
}

TEST_CASE("jwt-auth: no text of a token is in the log", "[plugins][jwt_auth]") {
    const std::string token = token_of(R"({"key":"jack-key","exp":1})");
    const LogLines lines;
    FakeExchange exchange;
    const FakeConsumers consumers = jack();
    exchange.use(consumers);
    exchange.with("Authorization", token);
    exchange.run(*chain_of("jwt-auth", "{}"));
    for (const std::string& line : lines.all()) CHECK(line.find(token.substr(token.rfind('.') + 1)) == line.npos);
}

TEST_CASE("jwt-auth: a token with a shared secret is checked without allocation once warm", "[plugins][jwt_auth]") {
    const FakeConsumers consumers = jack();
    const std::string token = "Bearer " + token_of(R"({"key":"jack-key","exp":4102444800})");
    const auto chain = chain_of("jwt-auth", "{}");
    for (int round = 0; round < 3; ++round) {
        FakeExchange exchange;
        exchange.use(consumers);
        exchange.with("Authorization", token);
        exchange.arena().chars(1);
        const AllocCount count;
        const Step step = chain->run<Phase::rewrite>(exchange);
        const std::uint64_t allocated = count.count();
        REQUIRE(step.ready());
        CHECK(step.verdict() == Verdict::next);
        if (round > 0) CHECK(allocated == 0);
    }
}
