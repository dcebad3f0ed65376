#include "tests/plugins/refusal.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_exchange.hpp"
#include "tests/support/log_lines.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

// The service of the worked examples: it decides by the value of Authorization.
void service(const client::Request& question, client::Answer& answer) {
    static http::ResponseHead head;
    static std::string body;
    std::string_view who;
    for (const http::Field& field : question.fields) {
        if (iequals(field.name, "Authorization")) who = field.value;
    }
    head.clear();
    head.status = who == "333" || who == "444" ? 403 : 200;
    if (who == "222") head.fields.add("X-User-ID", "i-am-an-user");
    if (who == "333") head.fields.add("Location", "http://example.com/auth");
    answer.head = &head;
    if (who != "444") return;
    json::Value seen = json::Value::object();
    for (const http::Field& field : question.fields) seen.set(to_lower(field.name), field.value);
    body = json::write(seen);
    answer.body = body;
}

struct Story {
    explicit Story(std::string_view who = {}, std::string_view method = "GET", std::string_view target = "/hello")
        : exchange(method, target) {
        exchange.own_services.service = service;
        if (!who.empty()) exchange.with("Authorization", who);
    }
    const Seen& run(const std::string& further) {
        return exchange.run(*chain_of("forward-auth", "{\"uri\":\"http://127.0.0.1:1984/auth\"" + further + "}"));
    }
    void service_is_down(client::Failure failure = client::Failure::connect_refused) {
        exchange.own_services.service = [failure](const client::Request&, client::Answer& answer) {
            answer.failure = failure;
        };
    }
    const LogLines lines;
    FakeExchange exchange;
};

const std::string who = R"(,"request_headers":["Authorization"])";

}  // namespace

TEST_CASE("forward-auth: what the service says of the user goes to the upstream (F1)", "[plugins][forward_auth]") {
    Story story("222");
    CHECK(story.run(who + R"(,"upstream_headers":["X-User-ID"])").status == 200);
    CHECK(story.exchange.upstream->field("x-user-id") == "i-am-an-user");
}

TEST_CASE("forward-auth: what the service does not say the client may not say (F2)", "[plugins][forward_auth]") {
    Story story("111");
    story.exchange.with("X-User-ID", "root");
    CHECK(story.run(who + R"(,"upstream_headers":["X-User-ID"])").status == 200);
    CHECK(story.exchange.upstream->field("x-user-id") == "(none)");
}

TEST_CASE("forward-auth: listed fields of a refusal go to the client (F3)", "[plugins][forward_auth]") {
    Story story("333");
    const Seen& answer = story.run(who + R"(,"client_headers":["Location"])");
    CHECK(answer.status == 403);
    CHECK(answer.field("Location") == "http://example.com/auth");
    CHECK_FALSE(story.exchange.upstream);
}

TEST_CASE("forward-auth: other fields of a refusal stay (F4)", "[plugins][forward_auth]") {
    Story story("333");
    CHECK(story.run(who).status == 403);
    CHECK(story.exchange.answer.field("Location") == "(none)");
}

TEST_CASE("forward-auth: the service learns about the request from the gateway alone (F5)", "[plugins][forward_auth]") {
    Story story("444");
    story.exchange.with("X-Forwarded-Host", "evil");
    const Seen& answer = story.run(R"(,"request_headers":["Authorization","X-Forwarded-Host"])");
    CHECK(answer.status == 403);
    const json::Value seen = json::parse(answer.body);
    CHECK(seen.find("x-forwarded-host")->string() == "localhost");
    CHECK(seen.find("x-forwarded-method")->string() == "GET");
    CHECK(seen.find("x-forwarded-uri")->string() == "/hello");
    CHECK(seen.find("x-forwarded-for")->string() == "127.0.0.1");
}

TEST_CASE("forward-auth: a service that is down refuses (F6)", "[plugins][forward_auth]") {
    Story story;
    story.service_is_down();
    CHECK(story.run("").status == 403);
    CHECK(story.exchange.answer.page);
    CHECK(story.lines.all().at(0) == "warn: failed to process forward auth, err: connection refused");
}

TEST_CASE("forward-auth: with the status of the settings (F7)", "[plugins][forward_auth]") {
    Story story;
    story.service_is_down();
    CHECK(story.run(R"(,"status_on_error":503)").status == 503);
    CHECK(story.exchange.answer.page);
}

TEST_CASE("forward-auth: or lets through if it may (F8)", "[plugins][forward_auth]") {
    Story story;
    story.service_is_down();
    CHECK(story.run(R"(,"allow_degradation":true)").status == 200);
    CHECK(story.exchange.upstream);
}

TEST_CASE("forward-auth: a body over its limit is 413 (F9)", "[plugins][forward_auth]") {
    Story story({}, "POST");
    story.exchange.with_body(std::string(24, 'x'));
    CHECK(story.run(R"(,"request_method":"POST","max_req_body_size":10)").status == 413);
    CHECK(story.exchange.answer.page);
}

TEST_CASE("forward-auth: a value that would break the question apart is not sent, degradation or not (F11)",
          "[plugins][forward_auth]") {
    const std::string degraded = GENERATE("", R"(,"allow_degradation":true)");
    Story story({}, "GET", "/?user=a%0d%0ax:1");
    story.service_is_down(client::Failure::invalid_characters);
    CHECK(story.run(R"(,"extra_headers":{"X-Tenant":"$arg_user"})" + degraded).status == 403);
    CHECK_FALSE(story.exchange.upstream);
}

TEST_CASE("forward-auth: what cannot be configured", "[plugins][forward_auth]") {
    CHECK(refusal("forward-auth", R"({"uri":"auth"})") == "invalid uri: auth");
    CHECK(refusal("forward-auth", R"({"uri":"http://a","timeout":0})") ==
          "property \"timeout\" validation failed: expected 0 to be at least 1");
    CHECK(plugin_registry().find("forward-auth")->on_error == OnError::closed);
}
