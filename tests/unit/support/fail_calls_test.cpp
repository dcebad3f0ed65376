#include "tests/support/fail_calls.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/process.hpp"
#include "tests/support/raw_client.hpp"

using namespace gateway::test;

namespace {

// The demo upstream under control of `calls`.
struct Server {
    explicit Server(const FailCalls& calls)
        : process({std::string(GATEWAY_BIN_DIR) + "/gateway-demo-upstream", "--announce"}, folder / "output",
                  calls.environment()) {
        REQUIRE(eventually([this] { return folder.read("output").ends_with('\n'); }));
        port = static_cast<std::uint16_t>(std::stoi(folder.read("output")));
    }
    TempDir folder;
    Process process;
    std::uint16_t port = 0;
};

}  // namespace

TEST_CASE("fail calls: the chosen call of another process fails once", "[support][fail_calls]") {
    FailCalls calls;
    const Server server(calls);
    RawClient client(server.port);
    REQUIRE(client.get("/hello").status() == 200);
    calls.arm(FailPage::receive, 1);
    REQUIRE(client.get("/hello").status() == 200);
    REQUIRE_FALSE(calls.failed());
    client.send(make_request("GET", "/hello"));
    REQUIRE(client.wait_for_end());
    REQUIRE(calls.failed());
    REQUIRE(fetch(server.port, "GET", "/hello").status() == 200);
}

TEST_CASE("fail calls: one byte at a time is slow and right", "[support][fail_calls]") {
    FailCalls calls;
    const Server server(calls);
    calls.arm(FailPage::every, 1'000'000);
    calls.one_byte_at_a_time(true);
    REQUIRE(fetch(server.port, "GET", "/hello").body == "hello world\n");
    REQUIRE(calls.seen() > 100);
}
