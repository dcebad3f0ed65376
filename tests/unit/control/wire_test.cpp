#include "libgateway/control/wire.hpp"

#include "libgateway/control/client.hpp"
#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::control;

TEST_CASE("wire: a request is read as it was written", "[control][wire]") {
    Request request{"put", json::Value::object({{"kind", "route"}, {"content", "a\nb"}})};
    const std::string line = write(request);
    REQUIRE(line.find('\n') == line.size() - 1);
    std::string why;
    const auto read = parse_request(line.substr(0, line.size() - 1), why);
    REQUIRE(read);
    REQUIRE(read->command == "put");
    REQUIRE(read->text("content") == "a\nb");
    REQUIRE(read->text("absent").empty());
}

TEST_CASE("wire: an answer is read as it was written", "[control][wire]") {
    Answer answer{Status::not_ready, {"worker 1 lags", "and \"more\""}, R"({"revision":12345678901234567890})"};
    std::string why;
    const auto read = parse_answer(write(answer), why);
    REQUIRE(read);
    REQUIRE(read->status == Status::not_ready);
    REQUIRE(read->errors == answer.errors);
    REQUIRE(read->result == answer.result);
}

TEST_CASE("wire: what is no request is refused with a reason", "[control][wire]") {
    const std::string line =
        GENERATE(as<std::string>{}, "", "{", "[]", "1", "null", R"({"command":1})", R"({"arguments":{}})",
                 R"({"command":"status","arguments":[]})", R"({"command":"status","more":1})", R"({"command":""})",
                 "\xff\xfe", R"({"command":"status"}x)", std::string(1000, '['));
    std::string why;
    REQUIRE_FALSE(parse_request(line, why));
    REQUIRE_FALSE(why.empty());
    REQUIRE(why.find('\n') == std::string::npos);
}

TEST_CASE("wire: what is no answer is refused with a reason", "[control][wire]") {
    const std::string line = GENERATE(as<std::string>{}, "", "{}", R"({"status":"fine"})", R"({"status":1})", "[]");
    std::string why;
    REQUIRE_FALSE(parse_answer(line, why));
    REQUIRE_FALSE(why.empty());
}

TEST_CASE("wire: exit codes keep their numbers", "[control][wire]") {
    REQUIRE(static_cast<int>(Status::ok) == 0);
    REQUIRE(static_cast<int>(Status::refused) == 1);
    REQUIRE(static_cast<int>(Status::usage) == 2);
    REQUIRE(static_cast<int>(Status::unreachable) == 3);
    REQUIRE(static_cast<int>(Status::not_ready) == 4);
}

TEST_CASE("client: no gateway at the socket is status unreachable", "[control][client]") {
    const std::string path = GENERATE(as<std::string>{}, "/nonexistent/gateway.sock", std::string(300, 'x'));
    const Answer answer = ask(path, {"status", {}}, std::chrono::milliseconds(200));
    REQUIRE(answer.status == Status::unreachable);
    REQUIRE(answer.errors.size() == 1);
}
