// Building and freeing in slices.
#include "tests/support/catch.hpp"
#include "tests/unit/snapshot/document.hpp"

using namespace gateway;
using gateway::test::Kind;
using gateway::test::Worker;

namespace {

void put_routes(Worker& worker, int count, std::string_view prefix) {
    for (int i = 0; i < count; ++i) {
        const std::string id = std::to_string(i);
        worker.document.put(Kind::route, id, R"({"uri":")" + std::string(prefix) + id + R"(","upstream_id":"u"})",
                            1 + static_cast<unsigned>(i));
    }
}

}  // namespace

TEST_CASE("builder: works in slices beside the snapshot in use", "[snapshot][builder]") {
    Worker worker;
    put_routes(worker, 200, "/old/");
    worker.reload();
    put_routes(worker, 200, "/new/");
    const std::vector<char> delta = worker.document.delta();
    upstream::EndpointTable endpoints;
    SnapshotBuilder builder(worker.snapshot, endpoints);
    builder.feed(delta);
    int slices = 1;
    for (; !builder.advance(std::chrono::microseconds(0)); ++slices) {
        REQUIRE(worker.id_for("/old/7") == "7");
        REQUIRE(worker.id_for("/new/7") == "none");
    }
    REQUIRE(slices > 20);
    worker.snapshot = builder.take();
    REQUIRE(worker.id_for("/old/7") == "none");
    REQUIRE(worker.id_for("/new/7") == "7");
}

TEST_CASE("builder: with nothing to do it gives what it began with", "[snapshot][builder]") {
    Worker worker;
    put_routes(worker, 3, "/");
    worker.reload();
    upstream::EndpointTable endpoints;
    SnapshotBuilder builder(worker.snapshot, endpoints);
    REQUIRE(builder.advance(std::chrono::microseconds(0)));
    const SnapshotPtr same = builder.take();
    REQUIRE(same->revision() == worker.snapshot->revision());
    REQUIRE(same->digest() == worker.snapshot->digest());
    REQUIRE(same->route_count() == 3);
}

TEST_CASE("builder: the first snapshot of an empty document has a chain and settings", "[snapshot][builder]") {
    Worker worker;
    worker.reload();
    REQUIRE(worker.snapshot->global_chain());
    REQUIRE(worker.snapshot->settings());
    REQUIRE(worker.snapshot->route_count() == 0);
    REQUIRE_FALSE(worker.snapshot->match_needs_body());
}

TEST_CASE("builder: bytes that are no delta are refused when they are fed", "[snapshot][builder]") {
    upstream::EndpointTable endpoints;
    SnapshotBuilder builder(nullptr, endpoints);
    const std::vector<char> junk(200, 'x');
    REQUIRE_THROWS_WITH(builder.feed(junk), "damaged delta");
    REQUIRE_THROWS_WITH(builder.feed({}), "damaged delta");
}

TEST_CASE("graveyard: once open, a dropped snapshot is freed by digging, slice by slice", "[snapshot][graveyard]") {
    Worker worker;
    put_routes(worker, 2000, "/a/");
    worker.document.put(Kind::upstream, "u", R"({"nodes":{"127.0.0.1:1":1}})");
    Graveyard::open();
    worker.reload();
    const Ref<const CompiledRoute> pinned = worker.compiled("/a/1");
    worker.snapshot = nullptr;
    REQUIRE(Graveyard::waiting() > 0);
    REQUIRE(pinned->target->use_count() == 2);
    int slices = 1;
    for (; !Graveyard::dig(std::chrono::microseconds(0)); ++slices) {
    }
    REQUIRE(slices > 5);
    REQUIRE(Graveyard::waiting() == 0);
    REQUIRE(pinned->target->use_count() == 1);
    Graveyard::close();
}
