#include "libplugins/common/log_format.hpp"
#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::plugins;

TEST_CASE("log format: a body that a variable names, at any depth, is one that is kept", "[plugins][log_format]") {
    const LogFormat plain({{"a", json::Value("$uri")}, {"b", json::Value("request_body")}}, "x");
    CHECK_FALSE(plain.uses_request_body());
    CHECK_FALSE(plain.uses_response_body());
    const LogFormat bodies(
        {{"a", json::Value("$request_body")}, {"b", json::Value::object({{"c", json::Value("$resp_body")}})}}, "x");
    CHECK(bodies.uses_request_body());
    CHECK(bodies.uses_response_body());
}
