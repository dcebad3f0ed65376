// hmac-auth beyond its worked examples: every reason of a refusal, the form of the field, dates, bodies, bad secrets.
#include <cstdlib>

#include "libplugins/common/http_date.hpp"
#include "libplugins/common/keyed_hash.hpp"
#include "libplugins/hmac_auth/signature.hpp"
#include "tests/plugins/refusal.hpp"
#include "tests/support/alloc_count.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_consumers.hpp"
#include "tests/support/fake_exchange.hpp"
#include "tests/support/log_lines.hpp"

using namespace gateway;
using namespace gateway::test;
using plugins::Hash;

namespace {

constexpr std::string_view now = "Tue, 19 Jan 2027 03:14:07 GMT";
constexpr std::string_view secret = "jack-secret-key";

std::string base64(std::string_view bytes) {
    constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    unsigned bits = 0;
    int count = 0;
    for (const char c : bytes) {
        bits = (bits << 8 | static_cast<unsigned char>(c)) & 0xffff;
        for (count += 8; count >= 6; count -= 6) out += letters[bits >> (count - 6) & 63];
    }
    if (count > 0) out += letters[bits << (6 - count) & 63];
    while (out.size() % 4 != 0) out += '=';
    return out;
}

FakeConsumers jack(std::string_view key = secret) {
    FakeConsumers consumers;
    consumers.add("jack", R"({"hmac-auth":{"key_id":"jack-key","secret_key":")" + std::string(key) + "\"}}");
    consumers.add("anon", "{}");
    return consumers;
}

// The field for a text that was signed rightly.
std::string signed_over(std::string_view headers, std::string_view text, std::string_view key = secret) {
    const std::string whole = "jack-key\n" + std::string(text);
    return R"(Signature keyId="jack-key",algorithm="hmac-sha256",headers=")" + std::string(headers) +
           R"(",signature=")" + base64(plugins::hmac_of(Hash::sha256, key, {whole}).view()) + "\"";
}

struct Answer {
    unsigned status;
    std::string body, log;
};
Answer ask(const FieldList& fields, std::string_view settings = "{}", const FakeConsumers& consumers = jack()) {
    const LogLines lines;
    FakeExchange exchange("GET", "/get");
    exchange.use(consumers);
    for (const auto& [name, value] : fields) exchange.with(name, value);
    const Seen& answer = exchange.run(*chain_of("hmac-auth", settings));
    const std::vector<std::string> all = lines.all();
    return {answer.status, answer.body, all.empty() ? "" : all.front()};
}

std::string hex(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (const char c : bytes) {
        out += digits[static_cast<unsigned char>(c) >> 4];
        out += digits[static_cast<unsigned char>(c) & 15];
    }
    return out;
}

}  // namespace

TEST_CASE("keyed hash: the vectors of RFC 4231 and RFC 2202 hold", "[plugins][keyed_hash]") {
    const std::string long_key(131, '\xaa');
    constexpr std::string_view text = "Test Using Larger Than Block-Size Key - Hash Key First";
    CHECK(hex(plugins::hmac_of(Hash::sha256, "Jefe", {"what do ya want ", "for nothing?"}).view()) ==
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    CHECK(hex(plugins::hmac_of(Hash::sha1, "Jefe", {"what do ya want for nothing?"}).view()) ==
          "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    CHECK(hex(plugins::hmac_of(Hash::sha256, long_key, {text}).view()) ==
          "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    CHECK(hex(plugins::hmac_of(Hash::sha384, long_key, {text}).view()) ==
          "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952");
    CHECK(hex(plugins::hmac_of(Hash::sha512, long_key, {text}).view()) ==
          "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
          "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598");
    CHECK(hex(plugins::hash_of(Hash::sha256, {}).view()) ==
          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_CASE("http date: three forms are read, anything else is none", "[plugins][http_date]") {
    constexpr std::int64_t t0 = 1800328447;
    CHECK(plugins::parse_http_date(now) == t0);
    CHECK(plugins::parse_http_date("Tuesday, 19-Jan-27 03:14:07 GMT") == t0);
    CHECK(plugins::parse_http_date("Tue Jan 19 03:14:07 2027") == t0);
    CHECK(plugins::parse_http_date("Sun Nov  6 08:49:37 1994") == 784111777);
    CHECK(plugins::parse_http_date("Thu, 29 Feb 2024 00:00:00 GMT") == 1709164800);
    const std::string_view bad =
        GENERATE(as<std::string_view>(), "", "now", "Tue, 19 Jan 2027 03:14:07", "Tue, 19 Jan 2027 03:14:07 GMT ",
                 "Tue, 19 Jan 2027 03:14:07 CET", "Tue, 32 Jan 2027 03:14:07 GMT", "Mon, 29 Feb 2027 03:14:07 GMT",
                 "Tue, 19 Jan 2027 24:14:07 GMT", "Tue, 19 Jan 2027 03:60:07 GMT", "Tue, 19 Jan 2027 03:14:61 GMT",
                 "Tue, 19 jan 2027 03:14:07 GMT", "Tue, -9 Jan 2027 03:14:07 GMT", "1800328447",
                 "Tue, 00 Jan 2027 03:14:07 GMT");
    CHECK_FALSE(plugins::parse_http_date(bad));
}

TEST_CASE("hmac-auth: the field is taken apart as the reference does it", "[plugins][hmac_auth]") {
    const auto parts = plugins::read_signature(
        R"(Signature keyId="a",, x="1" , Algorithm="no",algorithm="b"rest,headers=" c  d ",signature="e=",signature="f=")");
    CHECK(parts.key_id == "a");
    CHECK(parts.algorithm == "b");
    CHECK(parts.headers == " c  d ");
    CHECK(parts.signature == "f=");
    const std::string_view odd = GENERATE(as<std::string_view>(), "Signature", "Signature keyId=\"", "Signature =\"a\"",
                                          "Signature keyId=a", "Signature ,,,", "Signature keyId =\"a\"");
    CHECK(plugins::read_signature(odd).key_id.empty());
}

TEST_CASE("hmac-auth: every refusal has its reason in the log, the client is told two of them",
          "[plugins][hmac_auth]") {
    const std::string start = R"(Signature keyId="jack-key",algorithm="hmac-sha256",headers="date",)";
    const std::string late = "Tue, 19 Jan 2027 03:09:06 GMT", early = "Tue, 19 Jan 2027 03:19:08 GMT";
    // Authorization and Date; "-": not there.
    const auto [authorization, date, reason] = GENERATE_COPY(table<std::string, std::string, std::string>(
        {{"-", "-", "missing Authorization header"},
         {"Basic x", "-", "Authorization header does not start with 'Signature'"},
         {"signature x", "-", "Authorization header does not start with 'Signature'"},
         {"", "-", "Authorization header does not start with 'Signature'"},
         {"Signature", "-", "keyId or signature missing"},
         {start, "-", "keyId or signature missing"},
         {R"(Signature keyId="jack-key",signature="x")", "-", "algorithm missing"},
         {R"(Signature keyId="x",algorithm="hmac-sha256",signature="x")", "-", "Invalid key_id"},
         {R"(Signature keyId="jack-key",algorithm="none",signature="x")", "-", "Invalid algorithm"},
         {start + R"(signature="x")", "-", "Date header missing. failed to validate clock skew"},
         {start + R"(signature="x")", "x", "Invalid GMT format time"},
         {start + R"(signature="x")", late, "Clock skew exceeded"},
         {start + R"(signature="x")", early, "Clock skew exceeded"},
         {R"(Signature keyId="jack-key",algorithm="hmac-sha256",signature="x")", std::string(now),
          "expected header \"date\" missing in signing"},
         {start + R"(signature="x")", std::string(now), "Invalid signature"},
         {start + R"(signature="=")", std::string(now), "Invalid signature"}}));
    FieldList fields;
    if (authorization != "-") fields.emplace_back("Authorization", authorization);
    if (date != "-") fields.emplace_back("Date", date);
    const Answer answer = ask(fields);
    INFO(reason);
    CHECK(answer.status == 401);
    CHECK(answer.log == "warn: client request can't be validated: " + reason + ", client: 127.0.0.1");
    const bool told = reason.find("Authorization header") != reason.npos;
    CHECK(answer.body == "{\"message\":\"client request can't be validated" + (told ? ": " + reason : "") + "\"}\n");
}

TEST_CASE("hmac-auth: without any consumer the log says so", "[plugins][hmac_auth]") {
    const Answer answer =
        ask({{"Authorization", R"(Signature keyId="x",algorithm="hmac-sha256",signature="x")"}}, "{}", FakeConsumers());
    CHECK(answer.log == "warn: client request can't be validated: Missing related consumer, client: 127.0.0.1");
}

TEST_CASE("hmac-auth: what is signed are the fields as they are listed", "[plugins][hmac_auth]") {
    const std::string date = std::string(now);
    CHECK(ask({{"Date", date}, {"Authorization", signed_over("Date", "Date: " + date + "\n")}}).status == 200);
    CHECK(ask({{"Date", date}, {"Authorization", signed_over("date", "date: " + date + "\n")}}).status == 200);
    CHECK(ask({{"Date", date}, {"Authorization", signed_over("date", "Date: " + date + "\n")}}).status == 401);
    const std::string both = "x-b: 2\ndate: " + date + "\n";
    CHECK(ask({{"Date", date}, {"X-B", "2"}, {"Authorization", signed_over("x-b date", both)}}).status == 200);
    CHECK(ask({{"Date", date}, {"X-B", "3"}, {"Authorization", signed_over("x-b date", both)}}).status == 401);
    CHECK(ask({{"Date", date}, {"Authorization", signed_over("x-b date", both)}}).status == 401);
    // A listed field that the request does not have is left out; the first of several counts.
    CHECK(ask({{"Date", date}, {"Authorization", signed_over("x-b date", "date: " + date + "\n")}}).status == 200);
    CHECK(ask({{"Date", date}, {"X-B", "2"}, {"x-b", "3"}, {"Authorization", signed_over("x-b date", both)}}).status ==
          200);
    CHECK(ask({{"Date", date}, {"Authorization", signed_over("", "")}}, R"({"signed_headers":[]})").status == 200);
}

TEST_CASE("hmac-auth: fields listed over and over are not worked through", "[plugins][hmac_auth]") {
    const std::string date = std::string(now);
    std::string headers = "date", text = "date: " + date + "\n";
    for (int i = 0; i < 300; ++i) headers += " date", text += "date: " + date + "\n";
    CHECK(ask({{"Date", date}, {"Authorization", signed_over(headers, text)}}).status == 401);
}

TEST_CASE("hmac-auth: a secret that does not resolve, or is empty, admits nobody",
          "[plugins][hmac_auth][fail_closed]") {
    ::setenv("GATEWAY_TEST_EMPTY", "", 1);
    const std::string reference = GENERATE("$env://GATEWAY_TEST_NOT_SET", "$env://GATEWAY_TEST_EMPTY");
    const std::string date = std::string(now), text = "date: " + date + "\n";
    for (const std::string& key : {reference, std::string()}) {
        CHECK(ask({{"Date", date}, {"Authorization", signed_over("date", text, key)}}, "{}", jack(reference)).status ==
              401);
    }
}

TEST_CASE("hmac-auth: a body is compared with its digest once the signature is right", "[plugins][hmac_auth]") {
    const FakeConsumers consumers = jack();
    const LogLines lines;
    const auto run = [&](std::string_view digest, std::optional<std::string_view> body) {
        FakeExchange exchange("POST", "/post");
        exchange.use(consumers);
        if (body) exchange.with_body(*body);
        if (!digest.empty()) exchange.with("Digest", digest);
        exchange.with("Date", now);
        exchange.with("Authorization", signed_over("date", "date: " + std::string(now) + "\n"));
        return exchange.run(*chain_of("hmac-auth", R"({"validate_request_body":true,"max_req_body_size":8})")).status;
    };
    constexpr std::string_view of_nothing = "SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    CHECK(run(of_nothing, std::nullopt) == 200);
    CHECK(run(of_nothing, "x") == 401);
    CHECK(run("", std::nullopt) == 401);
    CHECK(run("sha-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", std::nullopt) == 401);
    CHECK(run(of_nothing, "123456789") == 413);
}

TEST_CASE("hmac-auth: a body that was not read is too large", "[plugins][hmac_auth][fail_closed]") {
    const FakeConsumers consumers = jack();
    const LogLines lines;
    FakeExchange exchange("POST", "/post");
    exchange.use(consumers);
    exchange.request.body.kind = http::BodyKind::chunked;
    exchange.with("Digest", "SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=").with("Date", now);
    exchange.with("Authorization", signed_over("date", "date: " + std::string(now) + "\n"));
    const auto chain = chain_of("hmac-auth", R"({"validate_request_body":true,"max_req_body_size":8})");
    CHECK(chain->request_body_needed() == 8);
    const Seen& answer = exchange.run(*chain);
    CHECK(answer.status == 413);
    CHECK(answer.body == "{\"message\":\"request size 9 is greater than the maximum size 8 allowed\"}\n");
}

TEST_CASE("hmac-auth: hidden credentials do not reach the upstream", "[plugins][hmac_auth]") {
    const FakeConsumers consumers = jack();
    const LogLines lines;
    const auto run = [&](std::string_view authorization) {
        FakeExchange exchange("GET", "/get");
        exchange.use(consumers);
        exchange.with("Date", now).with("Authorization", authorization);
        exchange.run(*chain_of("hmac-auth", R"({"hide_credentials":true,"anonymous_consumer":"anon"})"));
        REQUIRE(exchange.upstream);
        CHECK(exchange.upstream->field("authorization") == "(none)");
        return exchange.upstream->field("x-consumer-username");
    };
    CHECK(run(signed_over("date", "date: " + std::string(now) + "\n")) == "jack");
    CHECK(run("Signature x") == "anon");
}

TEST_CASE("hmac-auth: settings and credentials that cannot work are refused", "[plugins][hmac_auth]") {
    CHECK(refusal("hmac-auth", R"({"allowed_algorithms":[]})") ==
          "property \"allowed_algorithms\" validation failed: expect array to have at least 1 items");
    CHECK(refusal("hmac-auth", R"({"allowed_algorithms":["hmac-md5"]})") != "");
    CHECK(refusal("hmac-auth", R"({"signed_headers":[""]})") != "");
    CHECK(refusal("hmac-auth", R"({"max_req_body_size":0})") != "");
    CHECK(refusal("hmac-auth", R"({"realm":"a\"b"})") != "");
    CHECK(refusal("hmac-auth", "{}").empty());
    CHECK(credential_refusal("hmac-auth", json::parse(R"({"key_id":"k"})")) != "");
    CHECK(credential_refusal("hmac-auth", json::parse(R"({"key_id":"k","secret_key":""})")) != "");
}

TEST_CASE("hmac-auth: a signature is checked without allocation once warm", "[plugins][hmac_auth]") {
    const FakeConsumers consumers = jack();
    const std::string text = "GET /get\ndate: " + std::string(now) + "\n";
    const std::string authorization = signed_over("@request-target date", text);
    const auto chain = chain_of("hmac-auth", "{}");
    for (int round = 0; round < 3; ++round) {
        FakeExchange exchange("GET", "/get");
        exchange.variables["request_uri"] = "/get";
        exchange.use(consumers);
        exchange.with("Date", now).with("Authorization", authorization);
        exchange.arena().chars(1);
        const AllocCount count;
        const Step step = chain->run<Phase::rewrite>(exchange);
        const std::uint64_t allocated = count.count();
        REQUIRE(step.ready());
        CHECK(step.verdict() == Verdict::next);
        if (round > 0) CHECK(allocated == 0);
    }
}
