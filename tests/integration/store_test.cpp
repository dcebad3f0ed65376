// Stories of the embedded store in a whole gateway: what survives, what was when, what is taken back.
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "libgateway/store/database.hpp"
#include "tests/integration/store_story.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/raw_client.hpp"

using namespace gateway::test;
using namespace std::chrono_literals;

namespace {

constexpr const char* jack = R"({"username":"jack","plugins":{"key-auth":{"key":"topsecret"}}})";
constexpr const char* file_route =
    "routes:\n  - id: file\n    uri: /file\n    plugins: {mocking: {response_example: file}}\n";

std::string body(GatewayProcess& gateway, std::string_view target) {
    return fetch(gateway.port(), "GET", target).body;
}
int status_of(GatewayProcess& gateway, std::string_view target) {
    return fetch(gateway.port(), "GET", target).status();
}
std::uint64_t newest(const GatewayProcess& gateway) {
    return json_of(gateway, {"history", "-n", "1"}).at(0).at("revision").to_number<std::uint64_t>();
}
std::string store_problem(const GatewayProcess& gateway) {
    return std::string(gateway.status().at("store_problem").as_string());
}
// The same folder, started again.
Process started_again(const GatewayProcess& gateway) {
    return Process({program("gatewayd"), "-c", gateway.config()}, gateway.folder() / "output2",
                   {"LOGS_DIRECTORY=" + (gateway.folder() / ".").string()});
}
std::uint16_t port_now(const GatewayProcess& gateway) {
    return gateway.status().at("listeners").at(0).at("port").to_number<std::uint16_t>();
}
bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("store: what was put is there after a restart, without any file but the store", "[e2e][store]") {
    GatewayProcess gateway({.routes = file_route});
    REQUIRE(done(gateway.put("route", "p", route("/put", "put"))));
    REQUIRE(done(gateway.put("route", "q", route("/gone", "gone"))));
    REQUIRE(done(gateway.ctl({"delete", "route", "q"})));
    const std::string before = digest(gateway);
    const std::uint64_t revision = newest(gateway);
    REQUIRE(gateway.stop(SIGTERM) == 0);
    std::filesystem::remove(gateway.folder() / "data/last-good");
    const Process again = started_again(gateway);
    REQUIRE(eventually([&] { return gateway.ready(); }, 20s));
    CHECK(digest(gateway) == before);
    CHECK(newest(gateway) == revision);
    CHECK(fetch(port_now(gateway), "GET", "/put").body == "put");
    CHECK(fetch(port_now(gateway), "GET", "/file").body == "file");
    CHECK(fetch(port_now(gateway), "GET", "/gone").status() == 404);
}

TEST_CASE("store: everything is killed again and again, nothing acknowledged is lost", "[e2e][store]") {
    GatewayProcess gateway({.routes = file_route});
    std::vector<std::string> acknowledged;
    std::optional<Process> again;
    std::atomic<int> number = 0;
    for (int round = 0; round < 5; ++round) {
        std::atomic<bool> stop = false;
        std::vector<std::string> of_round;
        std::thread writer([&] {
            while (!stop) {
                const std::string id = "r" + std::to_string(number++);
                if (gateway.put("route", id, route("/" + id, id)).exit == 0) of_round.push_back(id);
            }
        });
        const bool wrote = eventually([&] { return number > round * 20 + 20; }, 60s);
        // Everything at once, as a power cut would: master, control and workers are one group.
        const pid_t master = again ? again->pid() : gateway.master().pid();
        ::kill(-master, SIGKILL);
        stop = true;
        writer.join();
        REQUIRE(wrote);
        CHECK_FALSE(of_round.empty());
        acknowledged.insert(acknowledged.end(), of_round.begin(), of_round.end());
        again.reset();
        again.emplace(started_again(gateway));
        REQUIRE(eventually([&] { return gateway.ready(); }, 20s));
        const std::uint16_t port = port_now(gateway);
        std::size_t lost = 0;
        for (const std::string& id : acknowledged) lost += fetch(port, "GET", "/" + id).body == id ? 0 : 1;
        INFO("acknowledged " << acknowledged.size());
        REQUIRE(lost == 0);
    }
}

TEST_CASE("store: history, diff and rollback", "[e2e][store]") {
    GatewayProcess gateway({.routes = file_route});
    REQUIRE(done(gateway.put("route", "a", route("/a", "one"))));
    const std::uint64_t first = newest(gateway);
    const std::string before = digest(gateway);
    REQUIRE(done(gateway.put("route", "a", route("/a", "two"))));
    REQUIRE(done(gateway.put("route", "b", route("/b", "b"))));
    REQUIRE(done(gateway.ctl({"delete", "route", "a"})));
    const auto rows = json_of(gateway, {"history"});
    REQUIRE(rows.as_array().size() == 5);
    CHECK(rows.at(0).at("action") == "delete");
    CHECK(rows.at(0).at("author") == "gatewayctl");
    CHECK(rows.at(4).at("action") == "start");
    const auto one = json_of(gateway, {"history", std::to_string(first)});
    CHECK(one.at("difference").at(0).at("object") == "routes/a");
    CHECK(one.at("difference").at(0).at("change") == "made");

    const std::string number = std::to_string(first);
    const std::string text = gateway.ctl({"diff", "--rev", number}).out;
    CHECK(contains(text, "- routes/a"));
    CHECK(contains(text, "+ routes/b"));
    const RunResult back = gateway.ctl({"rollback", number});
    INFO(back.out);
    REQUIRE(done(back));
    CHECK(digest(gateway) == before);
    CHECK(body(gateway, "/a") == "one");
    CHECK(status_of(gateway, "/b") == 404);
    CHECK(contains(gateway.ctl({"diff", "--rev", number}).out, "no difference"));
    CHECK(json_of(gateway, {"history"}).at(0).at("action") == "rollback");
    CHECK(gateway.ctl({"rollback", "999"}).exit == 1);
    CHECK(gateway.ctl({"rollback", "x"}).exit == 2);
}

TEST_CASE("store: a rollback over a change of the route file says what it would take, and changes nothing",
          "[e2e][store]") {
    GatewayProcess gateway({.routes = file_route});
    REQUIRE(done(gateway.put("route", "a", route("/a", "one"))));
    const std::string number = std::to_string(newest(gateway));
    REQUIRE(done(gateway.put("route", "a", route("/a", "two"))));
    std::string changed = file_route;
    changed.replace(changed.find("uri: /file"), 10, "uri: /else");
    changed += "  - {id: more, uri: /more, plugins: {mocking: {response_example: m}}}\n";
    REQUIRE(done(gateway.reload(changed)));
    const RunResult refused = gateway.ctl({"rollback", number});
    CHECK(refused.exit == 1);
    CHECK(contains(refused.out, "routes.yaml:2: route [file] would have to be changed to: "));
    CHECK(contains(refused.out, "\"uri\":\"/file\""));
    CHECK(contains(refused.out, "route [more] would have to be removed"));
    CHECK(body(gateway, "/a") == "two");
    REQUIRE(done(gateway.reload(file_route)));
    CHECK(done(gateway.ctl({"rollback", number})));
    CHECK(body(gateway, "/a") == "one");
}

TEST_CASE("store: apply is all or nothing, and prunes only when told", "[e2e][store]") {
    GatewayProcess gateway({.routes = file_route});
    REQUIRE(done(gateway.put("route", "old", route("/old", "old"))));
    const auto apply = [&](const std::string& text, std::vector<std::string> more = {}) {
        more.insert(more.begin(), {"apply", gateway.folder().write("apply.yaml", text).string()});
        return gateway.ctl(more);
    };
    const std::string good =
        "routes:\n  - {id: x, uri: /x, plugins: {mocking: {response_example: x}}}\n"
        "  - {id: y, uri: /y, plugins: {mocking: {response_example: y}}}\n";
    const std::uint64_t before = newest(gateway);
    const RunResult refused = apply(good + "  - {id: z, uri: 5}\n");
    CHECK(refused.exit == 1);
    INFO(refused.out);
    CHECK(contains(refused.out, "apply.yaml:4:18: error: routes/z uri: "));
    CHECK(status_of(gateway, "/x") == 404);
    CHECK(newest(gateway) == before);
    const RunResult applied = apply(good);
    INFO(applied.out);
    REQUIRE(done(applied));
    CHECK(newest(gateway) == before + 1);
    CHECK(body(gateway, "/x") == "x");
    CHECK(body(gateway, "/old") == "old");
    CHECK(contains(apply(good).out, "0 changes"));
    CHECK(newest(gateway) == before + 1);
    CHECK(done(apply(good, {"--prune"})));
    CHECK(status_of(gateway, "/old") == 404);
    CHECK(body(gateway, "/file") == "file");
    const RunResult owned = apply("routes:\n  - {id: file, uri: /other, plugins: {mocking: {response_example: o}}}\n");
    CHECK(owned.exit == 1);
    CHECK(contains(owned.out, "route [file] is defined in "));
}

TEST_CASE("store: what is not confirmed in time is taken back", "[e2e][store]") {
    GatewayProcess gateway({.routes = file_route});
    REQUIRE(done(gateway.put("route", "a", route("/a", "one"))));
    const std::string before = digest(gateway);
    const auto file =
        gateway.folder().write("apply.yaml", "routes:\n  - " + route("/a", "two").insert(1, "\"id\":\"a\",") +
                                                 "\n  - " + route("/b", "b").insert(1, "\"id\":\"b\",") + "\n");
    SECTION("confirmed: it stays") {
        REQUIRE(done(gateway.ctl({"apply", file, "--confirm-within", "2s"})));
        CHECK(body(gateway, "/a") == "two");
        CHECK(contains(gateway.ctl({"status"}).out, "unless it is confirmed"));
        REQUIRE(done(gateway.ctl({"confirm"})));
        CHECK(gateway.ctl({"confirm"}).exit == 1);
        std::this_thread::sleep_until(std::chrono::steady_clock::now() + 3500ms);  // the deadline must have passed
        CHECK(body(gateway, "/a") == "two");
        CHECK(json_of(gateway, {"history"}).at(0).at("action") == "apply");
    }
    SECTION("not confirmed") {
        REQUIRE(done(gateway.ctl({"apply", file, "--confirm-within", "1s"})));
        CHECK(gateway.ctl({"apply", file, "--confirm-within", "1s"}).exit == 1);
        CHECK(eventually([&] { return digest(gateway) == before; }, 20s));
        CHECK(body(gateway, "/a") == "one");
        CHECK(status_of(gateway, "/b") == 404);
        CHECK(json_of(gateway, {"history"}).at(0).at("action") == "revert");
    }
    SECTION("not confirmed, and control is killed meanwhile") {
        REQUIRE(done(gateway.ctl({"apply", file, "--confirm-within", "2s"})));
        ::kill(gateway.control(), SIGKILL);
        CHECK(eventually([&] { return gateway.ready() && digest(gateway) == before; }, 20s));
        CHECK(body(gateway, "/a") == "one");
    }
    SECTION("not confirmed, and everything is killed meanwhile") {
        REQUIRE(done(gateway.ctl({"apply", file, "--confirm-within", "2s"})));
        ::kill(-gateway.master().pid(), SIGKILL);
        const Process again = started_again(gateway);
        CHECK(eventually([&] { return gateway.ready() && digest(gateway) == before; }, 20s));
        CHECK(fetch(port_now(gateway), "GET", "/a").body == "one");
    }
}

TEST_CASE("store: too many bad answers take an applied revision back within 3 seconds", "[e2e][store]") {
    GatewayProcess gateway({.routes = file_route});
    REQUIRE(done(gateway.put("route", "a", route("/a", "good"))));
    const auto file = gateway.folder().write(
        "apply.yaml",
        "routes:\n  - {id: a, uri: /a, plugins: {mocking: {response_status: 500, response_example: bad}}}\n");
    CHECK(gateway.ctl({"apply", file, "--revert-if", "5xx"}).exit == 2);
    REQUIRE(done(gateway.ctl({"apply", file, "--revert-if", "5xx>5%"})));
    REQUIRE(status_of(gateway, "/a") == 500);
    const auto since = std::chrono::steady_clock::now();
    REQUIRE(eventually([&] { return body(gateway, "/a") == "good"; }, 20s));
    WARN("reverted after "
         << std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - since).count()
         << " ms");
    CHECK(json_of(gateway, {"history"}).at(0).at("action") == "revert");
}

TEST_CASE("store: an export is a route file, and an import brings it back", "[e2e][store]") {
    GatewayProcess gateway({.routes = file_route});
    REQUIRE(done(gateway.put("route", "a", route("/a", "a"))));
    REQUIRE(done(gateway.put("consumer", "jack", jack)));
    const std::string file = (gateway.folder() / "export.yaml").string();
    REQUIRE(done(gateway.ctl({"export", file})));
    const std::string text = gateway.folder().read("export.yaml");
    CHECK_FALSE(contains(text, "topsecret"));
    CHECK(contains(text, "secrets are encrypted with key "));
    struct stat about {};
    REQUIRE(::stat(file.c_str(), &about) == 0);
    CHECK((about.st_mode & 0777) == 0600);
    CHECK(done(gateway.ctl({"check", file})));
    CHECK(contains(gateway.ctl({"diff", file}).out, "no difference"));
    const std::string before = digest(gateway);
    REQUIRE(done(gateway.ctl({"delete", "route", "a"})));
    CHECK(contains(gateway.ctl({"diff", file}).out, "+ routes/a"));
    const RunResult back = gateway.ctl({"import", file});
    INFO(back.out);
    REQUIRE(done(back));
    CHECK(contains(back.out, "1 changes"));
    CHECK(body(gateway, "/a") == "a");

    GatewayProcess other({.routes = "routes: []\n"});
    const RunResult unreadable = other.ctl({"import", file});
    CHECK(unreadable.exit == 1);
    CHECK(contains(unreadable.out, "which is not in the keyring: bring the key along"));
    CHECK(status_of(other, "/a") == 404);
}

TEST_CASE("store: secrets of the history are encrypted on disk and masked for people", "[e2e][store]") {
    GatewayProcess gateway({.routes = "consumers:\n  - username: ann\n    plugins: {key-auth: {key: filesecret}}\n"});
    REQUIRE(done(gateway.put("consumer", "jack", jack)));
    const std::string number = std::to_string(newest(gateway));
    CHECK_FALSE(contains(gateway.ctl({"history", number}).out, "topsecret"));
    CHECK(contains(gateway.ctl({"history", number}).out, "***"));
    CHECK_FALSE(contains(gateway.ctl({"history", "1"}).out, "filesecret"));
    REQUIRE(gateway.stop(SIGTERM) == 0);
    for (const char* name : {"data/store.db", "data/store.db-wal"}) {
        CHECK_FALSE(contains(gateway.folder().read(name), "topsecret"));
    }
}

TEST_CASE("store: a corrupt store is told, the last good revision serves and writes are refused", "[e2e][store]") {
    GatewayProcess gateway({.routes = file_route});
    REQUIRE(done(gateway.put("route", "p", route("/put", "put"))));
    REQUIRE(gateway.stop(SIGTERM) == 0);
    std::filesystem::remove(gateway.folder() / "data/store.db-wal");
    std::fstream(gateway.folder() / "data/store.db", std::ios::in | std::ios::out | std::ios::binary)
        << std::string(100, 'x');
    Process again = started_again(gateway);
    REQUIRE(eventually([&] { return gateway.ready(); }, 20s));
    const std::uint16_t port = port_now(gateway);
    CHECK(fetch(port, "GET", "/put").body == "put");
    CHECK(contains(store_problem(gateway), "data/store.db: file is not a database"));
    CHECK(contains(gateway.ctl({"status"}).out, "file is not a database"));
    const RunResult refused = gateway.put("route", "q", route("/q", "q"));
    CHECK(refused.exit == 1);
    CHECK(contains(refused.out, "data/store.db: file is not a database"));
    CHECK(fetch(port, "GET", "/q").status() == 404);
    CHECK(gateway.ctl({"history"}).exit == 1);
    // The route file goes on working.
    const std::string more = "  - {id: 2, uri: /2, plugins: {mocking: {response_example: two}}}\n";
    CHECK(done(gateway.reload(file_route + more)));
    CHECK(fetch(port, "GET", "/2").body == "two");
    CHECK(fetch(port, "GET", "/put").body == "put");
    // A file that can be used again is taken at the next reload.
    std::filesystem::remove(gateway.folder() / "data/store.db");
    CHECK(done(gateway.ctl({"reload"})));
    CHECK(store_problem(gateway).empty());
    CHECK(fetch(port, "GET", "/put").status() == 404);
    CHECK(done(gateway.put("route", "q", route("/q", "q"))));
}

TEST_CASE("store: a full disk refuses writes until there is room, and traffic goes on", "[e2e][store]") {
    const TempDir small;
    if (::mount("none", small.path().c_str(), "tmpfs", 0, "size=256k") != 0) {
        WARN("left out: this user cannot mount a small disk");
        return;
    }
    {
        GatewayOptions options;
        options.routes = file_route;
        options.further = "deployment: {local: {path: " + (small / "store.db").string() + "}}\n";
        GatewayProcess gateway(options);
        REQUIRE(done(gateway.put("route", "p", route("/put", "put"))));
        const RunResult refused = gateway.put("route", "q", route("/q", std::string(300'000, 'q')));
        CHECK(refused.exit == 1);
        CHECK(contains(refused.out, "store.db: database or disk is full"));
        CHECK(contains(store_problem(gateway), "full"));
        CHECK(status_of(gateway, "/q") == 404);
        CHECK(body(gateway, "/put") == "put");
        CHECK(done(gateway.put("route", "q", route("/q", "q"))));
        CHECK(body(gateway, "/q") == "q");
        CHECK(store_problem(gateway).empty());
    }
    ::umount(small.path().c_str());
}

TEST_CASE("store: one that cannot be written serves what it has", "[e2e][store]") {
    GatewayProcess gateway({.routes = file_route});
    REQUIRE(done(gateway.put("route", "p", route("/put", "put"))));
    REQUIRE(gateway.stop(SIGTERM) == 0);
    // A folder where SQLite needs a file of its own: for root, too, this cannot be written.
    const std::filesystem::path log = gateway.folder() / "data/store.db-wal", aside = gateway.folder() / "aside";
    if (std::filesystem::exists(log)) std::filesystem::rename(log, aside);
    std::filesystem::create_directory(log);
    const Process again = started_again(gateway);
    REQUIRE(eventually([&] { return gateway.ready(); }, 20s));
    CHECK(eventually([&] { return fetch(port_now(gateway), "GET", "/put").body == "put"; }, 20s));
    const RunResult refused = gateway.put("route", "q", route("/q", "q"));
    CHECK(refused.exit == 1);
    CHECK(contains(refused.out, "data/store.db: "));
    std::filesystem::remove(log);
    if (std::filesystem::exists(aside)) std::filesystem::rename(aside, log);
    CHECK(done(gateway.ctl({"reload"})));
    CHECK(done(gateway.put("route", "q", route("/q", "q"))));
    CHECK(fetch(port_now(gateway), "GET", "/put").body == "put");
}

TEST_CASE("store: a lock of another process refuses writes until it is gone", "[e2e][store]") {
    GatewayProcess gateway({.routes = file_route});
    REQUIRE(done(gateway.put("route", "p", route("/put", "put"))));
    {
        gateway::store::Database other((gateway.folder() / "data/store.db").string());
        other.execute("BEGIN IMMEDIATE");
        const RunResult refused = gateway.put("route", "q", route("/q", "q"));
        CHECK(refused.exit == 1);
        CHECK(contains(refused.out, "data/store.db: database is locked"));
        CHECK(status_of(gateway, "/q") == 404);
    }
    CHECK(done(gateway.put("route", "q", route("/q", "q"))));
}

TEST_CASE("store: a gateway whose source is the route file alone has none", "[e2e][store]") {
    GatewayOptions options;
    options.routes = file_route;
    options.further = "deployment: {role: data_plane, role_data_plane: {config_provider: yaml}}\n";
    GatewayProcess gateway(options);
    const RunResult refused = gateway.put("route", "p", route("/put", "put"));
    CHECK(refused.exit == 1);
    CHECK(contains(refused.out, "this gateway has no store"));
    CHECK_FALSE(std::filesystem::exists(gateway.folder() / "data/store.db"));
}

TEST_CASE("store: an object that the file defines too is hidden and comes back", "[e2e][store]") {
    GatewayProcess gateway({.routes = "routes: []\n"});
    REQUIRE(done(gateway.put("route", "file", route("/stored", "stored"))));
    const RunResult hidden = gateway.reload(file_route);
    CHECK(done(hidden));
    CHECK(contains(hidden.out, "route [file] of the store is hidden"));
    CHECK(body(gateway, "/file") == "file");
    CHECK(status_of(gateway, "/stored") == 404);
    CHECK(done(gateway.reload("routes: []\n")));
    CHECK(body(gateway, "/stored") == "stored");
}
