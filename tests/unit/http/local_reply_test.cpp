#include "libgateway/http/local_reply.hpp"

#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::http;

TEST_CASE("local reply: the built-in page, byte for byte", "[http][local_reply]") {
    Arena arena;
    REQUIRE(
        make_page(403, "gateway", arena) ==
        "<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>\r\n<center><h1>403 Forbidden</h1></center>\r\n"
        "<hr><center>gateway</center>\r\n</body>\r\n</html>\r\n");
    REQUIRE(make_page(494, "t", arena) == make_page(400, "t", arena));
}

TEST_CASE("local reply: phrases that differ from common usage", "[http][local_reply]") {
    REQUIRE(reason_phrase(302) == "Found");
    REQUIRE(reason_phrase(308) == "Permanent Redirect");
    REQUIRE(reason_phrase(413) == "Request Entity Too Large");
    REQUIRE(reason_phrase(414) == "Request-URI Too Large");
    REQUIRE(reason_phrase(503) == "Service Temporarily Unavailable");
    REQUIRE(reason_phrase(504) == "Gateway Time-out");
    REQUIRE(reason_phrase(418).empty());
    REQUIRE(reason_phrase(599).empty());
}

TEST_CASE("local reply: pages exist for the listed codes only", "[http][local_reply]") {
    Arena arena;
    for (unsigned status : {301u, 308u, 400u, 404u, 408u, 413u, 414u, 417u, 421u, 429u, 431u, 494u, 497u, 500u, 507u}) {
        INFO(status);
        REQUIRE(has_page(status));
        REQUIRE_FALSE(reason_phrase(status).empty());
    }
    for (unsigned status : {200u, 204u, 304u, 306u, 418u, 422u, 498u, 508u, 599u, 0u, 1000u}) {
        INFO(status);
        REQUIRE_FALSE(has_page(status));
        REQUIRE(make_page(status, "t", arena).empty());
    }
}
