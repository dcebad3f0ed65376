// The worked examples and the table of error texts of the specification's admin-api.md, from tests/golden/admin.
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "tests/support/admin_client.hpp"
#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

json::Value read_cases(const std::string& name) {
    std::ifstream in(std::string(GATEWAY_GOLDEN_DIR) + "/admin/" + name);
    return json::parse(std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()));
}

std::string text_of(const json::Value& object, std::string_view name) {
    const json::Value* found = object.find(name);
    return found ? found->string() : std::string();
}

// Members that the example names must be there and equal; "*" is anything, null means absent.
bool fits(const json::Value& expected, const json::Value& found) {
    if (expected.is_string() && expected.string() == "*") return true;
    if (expected.is_object()) {
        for (const json::Member& member : expected.members()) {
            const json::Value* value = found.find(member.key);
            if (member.value.is_null() ? value != nullptr : !value || !fits(member.value, *value)) return false;
        }
        return found.is_object();
    }
    if (!expected.is_array()) return json::equal(expected, found);
    if (!found.is_array() || found.size() != expected.size()) return false;
    for (std::size_t at = 0; at < expected.size(); ++at) {
        if (!fits(expected.items()[at], found.items()[at])) return false;
    }
    return true;
}

void check_answer(const json::Value& step, const admin::Reply& reply) {
    INFO(reply.body);
    if (const json::Value* status = step.find("status")) REQUIRE(reply.status == *status->as_int64());
    if (const json::Value* plain = step.find("plain")) REQUIRE(reply.body == plain->string());
    if (const json::Value* error = step.find("error")) {
        REQUIRE(text_of(json::parse(reply.body), "error_msg") == error->string());
        REQUIRE(reply.status == (step.find("status") ? reply.status : 400));
    }
    if (const json::Value* has = step.find("has")) REQUIRE_THAT(reply.body, contains(has->string()));
    if (const json::Value* answer = step.find("answer")) REQUIRE(fits(*answer, json::parse(reply.body)));
}

void carry_out(AdminClient& client, const json::Value& step) {
    if (const json::Value* later = step.find("later_ms")) client.objects.later_ms += *later->as_int64();
    const std::string request = text_of(step, "request");
    if (request.empty()) return;
    const std::size_t blank = request.find(' ');
    const json::Value* body = step.find("body");
    const std::string sent = !body ? "" : body->is_string() ? body->string() : json::write(*body);
    admin::Request asked{request.substr(0, blank), "/apisix/admin" + request.substr(blank + 1), sent, {}, "127.0.0.1"};
    const json::Value* key = step.find("key");
    if (!key) asked.fields.emplace_back("X-API-KEY", "secret");
    if (key && key->is_string()) asked.fields.emplace_back("X-API-KEY", key->string());
    const std::int64_t times = step.find("times") ? *step.find("times")->as_int64() : 1;
    for (std::int64_t n = 0; n < times; ++n) {
        const admin::Reply reply = client.raw(asked);
        INFO(request << "  " << sent);
        check_answer(step, reply);
    }
}

void run_cases(const std::string& file) {
    const json::Value cases = read_cases(file);
    REQUIRE(cases.size() > 0);
    for (const json::Value& one : cases.items()) {
        DYNAMIC_SECTION(text_of(one, "id")) {
            admin::AdminSettings settings = open_settings();
            settings.stream_mode = one.find("stream_mode") != nullptr;
            AdminClient client(std::move(settings));
            for (const json::Value& step : one.find("steps")->items()) carry_out(client, step);
        }
    }
}

}  // namespace

TEST_CASE("Admin API: the worked examples of the specification hold", "[admin][vectors]") {
    run_cases("examples.json");
}

TEST_CASE("Admin API: there is a case for every worked example and every mistake of the specification",
          "[admin][vectors]") {
    std::set<std::string> ids;
    const json::Value examples = read_cases("examples.json"), errors = read_cases("errors.json");
    for (const json::Value& one : examples.items()) ids.insert(text_of(one, "id"));
    for (int n = 1; n <= 26; ++n) {
        INFO("A" << n);
        CHECK(ids.count("A" + std::to_string(n)) == 1);
    }
    for (const json::Value& one : errors.items()) CHECK(ids.insert(text_of(one, "id")).second);
    CHECK(errors.size() >= 86);
}

TEST_CASE("Admin API: mistakes are told in the words of the reference", "[admin][error_text]") {
    run_cases("errors.json");
}
