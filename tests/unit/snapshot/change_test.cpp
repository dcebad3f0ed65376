// What a change touches and what it leaves alone.
#include "libgateway/config/errors.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/snapshot/document.hpp"
#include "tests/unit/snapshot/test_plugins.hpp"

using namespace gateway;
using gateway::test::Kind;
using gateway::test::Worker;

namespace {

constexpr auto upstream_1 = R"({"nodes":{"127.0.0.1:1":1}})";
constexpr auto upstream_2 = R"({"nodes":{"127.0.0.1:2":1}})";

// Two routes on a service with an upstream, one with an upstream of its own.
Worker small_site() {
    Worker worker;
    worker.document.put(Kind::upstream, "u", upstream_1);
    worker.document.put(Kind::service, "s", R"({"upstream_id":"u","plugins":{"mark-a":{"text":"s"}}})");
    worker.document.put(Kind::route, "a", R"({"uri":"/a","service_id":"s"})");
    worker.document.put(Kind::route, "b", R"({"uri":"/b","service_id":"s","plugins":{"mark-b":{"text":"b"}}})");
    worker.document.put(Kind::route, "c", R"({"uri":"/c","upstream":{"nodes":{"127.0.0.1:3":1}}})");
    worker.reload();
    return worker;
}

std::string chain_of(const Worker& worker, std::string_view path) {
    return test::plugins_of(*worker.compiled(path)->chain);
}

}  // namespace

TEST_CASE("change: revision and digest are those of the document", "[snapshot][change]") {
    Worker worker = small_site();
    REQUIRE(worker.snapshot->revision() == 1);
    REQUIRE(worker.snapshot->digest() == worker.document.digest());
    worker.document.remove(Kind::route, "c").put(Kind::route, "d", R"({"uri":"/d","upstream_id":"u"})");
    worker.update();
    REQUIRE(worker.snapshot->revision() == 2);
    REQUIRE(worker.snapshot->digest() == worker.document.digest());
    REQUIRE(worker.snapshot->route_count() == 3);
}

TEST_CASE("change: routes that a delta does not name are the same objects", "[snapshot][change]") {
    Worker worker = small_site();
    const auto* a = worker.match("/a");
    const Ref<const CompiledRoute> compiled = worker.compiled("/a");
    worker.document.put(Kind::route, "c", R"({"uri":"/c2","upstream_id":"u"})");
    worker.update();
    REQUIRE(worker.match("/a") == a);
    REQUIRE(worker.compiled("/a") == compiled);
    REQUIRE(worker.id_for("/c") == "none");
    REQUIRE(worker.id_for("/c2") == "c");
}

TEST_CASE("change: the old snapshot answers as before", "[snapshot][change]") {
    Worker worker = small_site();
    Worker old = worker;
    worker.document.remove(Kind::route, "a").put(Kind::upstream, "u", upstream_2);
    worker.update();
    REQUIRE(worker.id_for("/a") == "none");
    REQUIRE(old.id_for("/a") == "a");
    REQUIRE(worker.compiled("/b")->target->nodes()[0].endpoint->port() == 2);
    REQUIRE(old.compiled("/b")->target->nodes()[0].endpoint->port() == 1);
    REQUIRE(worker.compiled("/b")->target->nodes()[0].endpoint->port() == 2);
}

TEST_CASE("change: a service's change reaches its routes without touching them", "[snapshot][change]") {
    Worker worker = small_site();
    const auto* a = worker.match("/a");
    const Ref<const CompiledRoute> c = worker.compiled("/c");
    REQUIRE(chain_of(worker, "/a") == "mark-a=s");
    worker.document.put(Kind::service, "s", R"({"upstream_id":"u","plugins":{"mark-a":{"text":"t"}}})");
    worker.update();
    REQUIRE(worker.match("/a") == a);
    REQUIRE(chain_of(worker, "/a") == "mark-a=t");
    REQUIRE(chain_of(worker, "/b") == "mark-a=t mark-b=b");
    REQUIRE(worker.compiled("/c") == c);
}

TEST_CASE("change: a service that comes or goes changes the answer of its routes", "[snapshot][change]") {
    Worker worker = small_site();
    worker.document.remove(Kind::service, "s");
    worker.update();
    REQUIRE(worker.compiled("/a")->outcome == CompiledRoute::Outcome::no_service);
    worker.document.put(Kind::service, "s", R"({"upstream_id":"u"})");
    worker.update();
    REQUIRE(worker.compiled("/a")->outcome == CompiledRoute::Outcome::ok);
}

TEST_CASE("change: an upstream's change leaves chains, plugins and common endpoints as they are",
          "[snapshot][change]") {
    Worker worker = small_site();
    const Ref<const CompiledRoute> before = worker.compiled("/a");
    const int built = test::instances_built();
    worker.document.put(Kind::upstream, "u", R"({"nodes":{"127.0.0.1:1":1,"127.0.0.1:9":1}})");
    worker.update();
    const Ref<const CompiledRoute> after = worker.compiled("/a");
    REQUIRE(after->chain == before->chain);
    REQUIRE(test::instances_built() == built);
    REQUIRE(after->target->nodes()[0].endpoint == before->target->nodes()[0].endpoint);
}

TEST_CASE("change: routes of one service share its chain and its plugin instances", "[snapshot][change]") {
    Worker worker = small_site();
    worker.document.put(Kind::route, "d", R"({"uri":"/d","service_id":"s"})");
    worker.update();
    REQUIRE(worker.compiled("/a")->chain == worker.compiled("/d")->chain);
    REQUIRE(worker.compiled("/a")->chain->instances()[0] == worker.compiled("/b")->chain->instances()[0]);
}

TEST_CASE("change: a route that changes keeps its plugin instances and its upstream if they are written as before",
          "[snapshot][change]") {
    Worker worker;
    worker.document.put(Kind::route, "a",
                        R"({"uri":"/a","plugins":{"mark-a":{}},"upstream":{"nodes":{"127.0.0.1:1":1}}})");
    worker.reload();
    const Ref<const CompiledRoute> before = worker.compiled("/a");
    worker.document.put(Kind::route, "a",
                        R"({"uri":"/a","upstream":{"nodes":{"127.0.0.1:1":1}},"plugins":{"mark-a":{},"mark-b":{}}})");
    worker.update();
    const Ref<const CompiledRoute> after = worker.compiled("/a");
    REQUIRE(after->chain->instances().size() == 2);
    REQUIRE(after->chain->instances()[0] == before->chain->instances()[0]);
    REQUIRE(after->target == before->target);
}

TEST_CASE("change: a full document takes over what is equal and forgets what it does not name", "[snapshot][change]") {
    Worker worker = small_site();
    worker.document.put(Kind::plugins, "list", R"(["mark-a"])").put(Kind::global_rule, "g", R"({"plugins":{}})");
    worker.update();
    const auto* a = worker.match("/a");
    worker.document.remove(Kind::route, "c").remove(Kind::plugins, "list").remove(Kind::global_rule, "g");
    worker.document.put(Kind::route, "b", R"({"uri":"/b2","service_id":"s","plugins":{"mark-b":{"text":"b"}}})");
    worker.reload();
    REQUIRE(worker.match("/a") == a);
    REQUIRE(worker.id_for("/c") == "none");
    REQUIRE(worker.id_for("/b") == "none");
    REQUIRE(chain_of(worker, "/b2") == "mark-a=s mark-b=b");
    REQUIRE(worker.snapshot->route_count() == 2);
    REQUIRE(worker.snapshot->digest() == worker.document.digest());
}

TEST_CASE("change: several deltas are built into one snapshot", "[snapshot][change]") {
    Worker worker = small_site();
    upstream::EndpointTable endpoints;
    const std::vector<char> whole = worker.document.full();
    worker.document.put(Kind::upstream, "u", upstream_2);
    const std::vector<char> second = worker.document.delta();
    worker.document.remove(Kind::route, "c");
    const std::vector<char> third = worker.document.delta();
    SnapshotBuilder builder(nullptr, endpoints);
    builder.feed(whole);
    builder.feed(second);
    builder.feed(third);
    while (!builder.advance(std::chrono::microseconds(0))) {
    }
    const SnapshotPtr snapshot = builder.take();
    REQUIRE(snapshot->revision() == worker.document.revision());
    REQUIRE(snapshot->digest() == worker.document.digest());
    REQUIRE(snapshot->route_count() == 2);
}

TEST_CASE("change: what cannot be built is a veto, and the snapshot in use stays whole", "[snapshot][change]") {
    struct Row {
        Kind kind;
        const char* id;
        const char* json;
        const char* text;
    };
    const auto row = GENERATE(
        Row{Kind::route, "x", "{", "routes/x: "}, Row{Kind::route, "x", "[]", "routes/x: expected an object"},
        Row{Kind::route, "x", "{}", "routes/x: no uri"},
        Row{Kind::route, "x", R"({"uri":"/x","vars":[["a","no such operator","b"]]})", "routes/x: "},
        Row{Kind::route, "x", R"({"uri":"/x","remote_addr":"1.2.3"})", "routes/x: 1.2.3 is no address or network"},
        Row{Kind::route, "x", R"({"uri":"/x","plugins":{"mark-a":{"text":"bad"}}})", "text must not be bad"},
        Row{Kind::service, "s", R"({"plugins":{"mark-a":{"text":"bad"}}})", "text must not be bad"},
        Row{Kind::plugin_config, "p", R"({"plugins":{"mark-a":{"text":7}}})", "text"},
        Row{Kind::global_rule, "g", R"({"plugins":{"no-such-plugin":{}}})", "unknown plugin [no-such-plugin]"});
    Worker worker = small_site();
    const SnapshotPtr before = worker.snapshot;
    const Ref<const CompiledRoute> a = worker.compiled("/a");
    worker.document.put(Kind::upstream, "u", upstream_2).put(row.kind, row.id, row.json);
    REQUIRE_THROWS_WITH(worker.update(), test::contains(row.text));
    REQUIRE(worker.snapshot == before);
    REQUIRE(worker.compiled("/a") == a);
    REQUIRE(worker.id_for("/b") == "b");
}

TEST_CASE("change: after a veto a good revision is taken", "[snapshot][change]") {
    Worker worker = small_site();
    worker.document.put(Kind::upstream, "u", upstream_2).put(Kind::route, "x", "{}");
    REQUIRE_THROWS_AS(worker.update(), config::Error);
    worker.document.remove(Kind::route, "x");
    worker.reload();
    REQUIRE(worker.compiled("/a")->target->nodes()[0].endpoint->port() == 2);
}

TEST_CASE("change: a delta that does not add up or does not follow is refused", "[snapshot][change]") {
    Worker worker = small_site();
    std::vector<char> delta = worker.document.put(Kind::upstream, "u", upstream_2).delta();
    SECTION("another text than the digest was made of") {
        delta.back() = ' ';
        REQUIRE_THROWS_WITH(worker.apply(delta), test::contains("does not add up"));
    }
    SECTION("a revision is missing in between") {
        worker.document.remove(Kind::route, "c");
        REQUIRE_THROWS_WITH(worker.update(), test::contains("delta from revision 2, but this is 1"));
    }
    SECTION("cut short") {
        delta.resize(delta.size() - 1);
        REQUIRE_THROWS_WITH(worker.apply(delta), "damaged delta");
    }
    REQUIRE(worker.snapshot->revision() == 1);
}
