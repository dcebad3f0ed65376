// The plugin of docs/writing-plugins.md.
#include "tests/shared_plugin/greeting.cpp"

#include <fstream>
#include <iterator>

#include "libgateway/plugin/check.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_exchange.hpp"

using namespace gateway::test;

namespace {

Seen answer_with(std::string_view settings) {
    BuildScope scope{"routes/1"};
    FakeExchange exchange;
    return exchange.run(*Chain::make({make_instance(plugin_type<Greeting>(), json::parse(settings), scope)}));
}

}  // namespace

TEST_CASE("greeting: greets in a field of every answer", "[plugins][greeting]") {
    CHECK(answer_with("{}").field("X-Greeting") == "hello, stranger");
    CHECK(answer_with(R"({"who":"rose"})").field("X-Greeting") == "hello, rose");
    CHECK(answer_with(R"({"who":"rose"})").body == "hello world\n");
}

TEST_CASE("greeting: can be the whole answer", "[plugins][greeting]") {
    CHECK(answer_with(R"({"only":true})").body == "hello, stranger");
}

TEST_CASE("greeting: the page shows this plugin and this test, letter by letter", "[plugins][greeting]") {
    const auto read = [](const std::string& path) {
        std::ifstream in(std::string(GATEWAY_SOURCE_DIR) + path);
        return std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    };
    const std::string page = read("/docs/writing-plugins.md");
    for (const char* path : {"/tests/shared_plugin/greeting.cpp", "/tests/shared_plugin/CMakeLists.txt"}) {
        INFO(path);
        const std::string text = read(path);
        REQUIRE_FALSE(text.empty());
        CHECK(page.find(text) != std::string::npos);
    }
}
