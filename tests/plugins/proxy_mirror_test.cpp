#include "tests/plugins/refusal.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_exchange.hpp"
#include "tests/support/log_lines.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

// What the other server would get.
struct Copied {
    std::string line, host, body;
};

struct Story {
    explicit Story(std::string_view method = "GET", std::string_view target = "/hello?a=1") : exchange(method, target) {
        exchange.own_services.told = [this](const client::Request& request) {
            copies.push_back({std::string(request.method_text) + " " + std::string(request.target),
                              std::string(request.host), std::string(request.body)});
            return !refuse;
        };
    }
    const Seen& run(const std::string& further = {}) {
        return exchange.run(*chain_of("proxy-mirror", R"({"host":"http://127.0.0.1:1981")" + further + "}"));
    }
    std::vector<Copied> copies;
    bool refuse = false;
    FakeExchange exchange;
};

}  // namespace

TEST_CASE("proxy-mirror: a copy has target, host and body of the request (PM1)", "[plugins][proxy_mirror]") {
    Story story("POST");
    story.exchange.with_body("body");
    CHECK(story.run().status == 200);
    REQUIRE(story.copies.size() == 1);
    CHECK(story.copies[0].line == "POST /hello?a=1");
    CHECK(story.copies[0].host == "localhost");
    CHECK(story.copies[0].body == "body");
}

TEST_CASE("proxy-mirror: another path keeps the query (PM2)", "[plugins][proxy_mirror]") {
    Story story;
    story.run(R"(,"path":"/m")");
    CHECK(story.copies.at(0).line == "GET /m?a=1");
}

TEST_CASE("proxy-mirror: a path before the request's (PM3)", "[plugins][proxy_mirror]") {
    Story story;
    story.run(R"(,"path":"/m","path_concat_mode":"prefix")");
    CHECK(story.copies.at(0).line == "GET /m/hello?a=1");
}

TEST_CASE("proxy-mirror: a share of the requests is copied (PM4)", "[plugins][proxy_mirror]") {
    const auto chain = chain_of("proxy-mirror", R"({"host":"http://127.0.0.1:1981","sample_ratio":0.5})");
    std::size_t copies = 0;
    std::uint64_t chance = 1;
    for (int i = 0; i < 200; ++i) {
        Story story;
        chance = chance * 6364136223846793005u + 1442695040888963407u;
        story.exchange.own_services.next_random = chance;
        story.exchange.run(*chain);
        copies += story.copies.size();
    }
    CHECK(copies >= 60);
    CHECK(copies <= 140);
}

TEST_CASE("proxy-mirror: what proxy-rewrite does later is not in the copy, what it did before is", "[plugins]") {
    const std::string rewrite = GENERATE(R"({"uri":"/new"})", R"({"uri":"/new","_meta":{"priority":1011}})");
    Story story("GET", "/hello");
    const auto chain =
        TestChain().add("proxy-mirror", R"({"host":"http://127.0.0.1:1981"})").add("proxy-rewrite", rewrite).make();
    story.exchange.run(*chain);
    CHECK(story.copies.at(0).line == (rewrite.find("1011") == std::string::npos ? "GET /hello" : "GET /new"));
    CHECK(story.exchange.upstream->line == "GET /new");
}

TEST_CASE("proxy-mirror: a request that a plugin answers is not copied", "[plugins][proxy_mirror]") {
    Story story;
    const auto chain = TestChain()
                           .add("proxy-mirror", R"({"host":"http://127.0.0.1:1981"})")
                           .add("mocking", R"({"response_example":"x"})")
                           .make();
    story.exchange.run(*chain);
    CHECK(story.copies.empty());
}

TEST_CASE("proxy-mirror: a body that is not there whole is not copied", "[plugins][proxy_mirror]") {
    const LogLines lines;
    Story story("POST");
    story.exchange.request.body = {http::BodyKind::length, 100 << 20};
    CHECK(story.run().status == 200);
    CHECK(story.copies.empty());
    CHECK(lines.all().at(0) == "warn: no copy of a request whose body is larger than 67108864 bytes");
}

TEST_CASE("proxy-mirror: a copy that cannot be sent changes nothing", "[plugins][proxy_mirror]") {
    const LogLines lines;
    Story story;
    story.refuse = true;
    CHECK(story.run().status == 200);
    CHECK(lines.all().at(0) == "warn: a copy for http://127.0.0.1:1981 is left out");
}

TEST_CASE("proxy-mirror: what cannot be configured", "[plugins][proxy_mirror]") {
    for (const char* host : {"http://", "http://a/b", "http://u@a", "ftp://a", "http://a:x"}) {
        CHECK(refusal("proxy-mirror", std::string(R"({"host":")") + host + "\"}").find("failed to match pattern") !=
              std::string::npos);
    }
    CHECK(refusal("proxy-mirror", R"({"host":"grpcs://a"})") == "host: grpcs is not supported by this build");
    CHECK(refusal("proxy-mirror", R"({"host":"http://a","path":"/a?b"})").find("failed to match pattern") !=
          std::string::npos);
    CHECK(refusal("proxy-mirror", R"({"host":"http://[::1]:80","path":"/a"})") == "");
}
