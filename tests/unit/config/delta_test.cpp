#include "libgateway/config/delta.hpp"

#include "tests/support/catch.hpp"

using namespace gateway::config;

TEST_CASE("delta: what is written is read back", "[config][delta]") {
    std::vector<char> bytes;
    DeltaWriter writer(bytes);
    writer.begin(3, 4);
    writer.add({Kind::route, false, "r1", 7, R"({"uri":"/a"})"});
    writer.add({Kind::upstream, true, "u1", 0, {}});
    writer.finish({5, 6});
    DeltaReader reader(bytes);
    REQUIRE(reader.header().from == 3);
    REQUIRE(reader.header().to == 4);
    REQUIRE(reader.header().digest == Digest{5, 6});
    Change change;
    REQUIRE(reader.next(change));
    REQUIRE(change.id == "r1");
    REQUIRE(change.order == 7);
    REQUIRE(change.json == R"({"uri":"/a"})");
    REQUIRE(reader.next(change));
    REQUIRE(change.removed);
    REQUIRE(change.kind == Kind::upstream);
    REQUIRE_FALSE(reader.next(change));
    REQUIRE(reader.ok());
}

TEST_CASE("delta: every truncation is noticed", "[config][delta]") {
    std::vector<char> bytes;
    DeltaWriter writer(bytes);
    writer.begin(0, 1);
    writer.add({Kind::route, false, "r1", 7, "{}"});
    writer.finish({});
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        DeltaReader reader(std::span<const char>(bytes.data(), size));
        Change change;
        while (reader.next(change)) {
        }
        REQUIRE_FALSE(reader.ok());
    }
}

TEST_CASE("digest: does not depend on order, and a removal undoes an addition", "[config][delta]") {
    const auto a = hash_of({Kind::route, false, "a", 1, "{}"}), b = hash_of({Kind::route, false, "b", 2, "{}"});
    Digest first, second;
    first.add(a), first.add(b);
    second.add(b), second.add(a);
    REQUIRE(first == second);
    first.remove(a), first.remove(b);
    REQUIRE(first == Digest{});
}

TEST_CASE("kinds: lists of files, those that no traffic reads, and what control makes for itself", "[config][delta]") {
    Kind kind{};
    for (const std::string_view list : {"routes", "protos", "secrets", "stream_routes", "plugin_metadata"}) {
        REQUIRE(parse_kind(list, kind));
        CHECK(list_name(kind) == list);
        CHECK(is_listed(kind));
    }
    CHECK_FALSE(parse_kind("", kind));
    REQUIRE(parse_kind("stream_route", kind));
    CHECK(is_idle(kind));
    CHECK_FALSE(is_idle(Kind::route));
    for (const Kind own : {Kind::settings, Kind::plugins, Kind::standalone}) CHECK_FALSE(is_listed(own));
}
