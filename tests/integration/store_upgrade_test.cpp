// The store across SIGUSR2: what the old binary acknowledged, the new one has.
#include <signal.h>

#include <algorithm>

#include "tests/integration/store_story.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/raw_client.hpp"

using namespace gateway::test;
using namespace std::chrono_literals;

TEST_CASE("store: a new binary in place loses nothing that was acknowledged, and the history goes on", "[e2e][store]") {
    GatewayProcess gateway({.workers = 2});
    const pid_t control = gateway.control();
    const std::uint16_t port = gateway.port();
    REQUIRE(done(gateway.put("route", "first", route("/first", "first"))));
    const auto first = json_of(gateway, {"history", "-n", "1"}).at(0).at("revision").to_number<std::uint64_t>();
    const auto trial = gateway.folder().write(
        "trial.yaml", "routes:\n  - {id: t, uri: /t, plugins: {mocking: {response_example: t}}}\n");
    REQUIRE(done(gateway.ctl({"apply", "--confirm-within", "1h", trial.string()})));

    std::vector<std::string> acknowledged;
    int number = 0;
    const auto put_one = [&] {
        const std::string id = "u" + std::to_string(number++);
        if (done(gateway.put("route", id, route("/" + id, id)))) acknowledged.push_back(id);
    };
    put_one();
    gateway.master().signal(SIGUSR2);
    const auto upgraded = [&] {
        put_one();
        const pid_t now = gateway.control();
        return now > 0 && now != control;
    };
    REQUIRE(eventually(upgraded, 30s));
    const std::size_t before = acknowledged.size();
    REQUIRE(eventually([&] { return put_one(), acknowledged.size() >= before + 3; }, 30s));

    // Each acknowledged write is one revision, in the order of the writes, whichever control took it.
    const auto rows = json_of(gateway, {"history", "-n", "1000"});
    std::vector<std::string> made;
    std::uint64_t above = ~std::uint64_t{0};
    for (const auto& row : rows.as_array()) {
        const auto revision = row.at("revision").to_number<std::uint64_t>();
        CHECK(revision < above);
        above = revision;
        if (row.at("action") != "put") continue;
        const auto one = json_of(gateway, {"history", std::to_string(revision)});
        made.emplace_back(std::string(one.at("difference").at(0).at("object").as_string()).substr(7));
    }
    std::reverse(made.begin(), made.end());
    // What was cut off before its answer may be there too.
    std::erase_if(made, [&](const std::string& id) {
        return std::find(acknowledged.begin(), acknowledged.end(), id) == acknowledged.end();
    });
    CHECK(made == acknowledged);
    for (const std::string& id : acknowledged) CHECK(fetch(port, "GET", "/" + id).body == id);

    // The trial that began under the old binary ends under the new one.
    CHECK_THAT(gateway.ctl({"status"}).out, contains("trial"));
    CHECK(done(gateway.ctl({"confirm"})));
    CHECK(fetch(port, "GET", "/t").body == "t");
    CHECK(done(gateway.ctl({"rollback", std::to_string(first)})));
    CHECK(fetch(port, "GET", "/t").status() == 404);
    CHECK(fetch(port, "GET", "/first").body == "first");
    const std::string kept = digest(gateway);
    REQUIRE(gateway.stop(SIGTERM) == 0);
    const Process again({program("gatewayd"), "-c", gateway.config()}, gateway.folder() / "output2",
                        {"LOGS_DIRECTORY=" + (gateway.folder() / ".").string()});
    REQUIRE(eventually([&] { return gateway.ready(); }, 20s));
    CHECK(digest(gateway) == kept);
}
