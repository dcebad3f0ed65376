#include "libgateway/etcd/mirror.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/gate.hpp"
#include "tests/unit/etcd/etcd_rig.hpp"
#include "tests/unit/etcd/fake_etcd.hpp"

using namespace gateway::test;
using namespace gateway::etcd;

namespace {

const std::string one = "/apisix/routes/1", two = "/apisix/routes/2";

// A store that holds `one` = "a" at revision 5.
struct Store : FakeEtcd {
    Store() { answer("kv/range", page_text(5, {entry_text(one, "a", 5)})); }
};

std::string start_of(const std::string& request) {
    const std::size_t at = request.find("start_revision\":\"") + 17;
    return request.substr(at, request.find('"', at) - at);
}

}  // namespace

TEST_CASE("mirror: a full read comes first, then changes from the next revision on", "[etcd][mirror]") {
    Loop loop;
    Store store;
    store.watch({{created_line(5), put_line(two, "b", 6), put_line(one, "c", 7)}, FakeEtcd::Then::stay});
    Mirrored mirrored(loop, options_for({store.url()}));
    CHECK(loop.until([&] { return mirrored.mirror.revision() == 7; }));
    CHECK(mirrored.notes.replaced == 1);
    CHECK(mirrored.notes.value(one) == "c");
    CHECK(mirrored.notes.value(two) == "b");
    CHECK(mirrored.notes.news == std::vector<std::string>{"synchronised"});
    CHECK(start_of(store.asked("watch").at(0)) == "6");
}

TEST_CASE("mirror: pages of a full read are of one revision", "[etcd][mirror]") {
    Loop loop;
    FakeEtcd store;
    store.answer("kv/range", page_text(5, {entry_text(one, "a", 5)}, true));
    store.answer("kv/range", page_text(9, {entry_text(two, "b", 5)}));
    store.watch({{created_line(9)}, FakeEtcd::Then::stay});
    Mirrored mirrored(loop, options_for({store.url()}));
    REQUIRE(mirrored.synchronised());
    CHECK(mirrored.notes.entries.size() == 2);
    CHECK(mirrored.notes.revision == 5);
    CHECK_THAT(store.asked("kv/range").at(1), contains(R"("revision":"5")"));
    CHECK_THAT(store.asked("kv/range").at(1), contains(base64(one + std::string(1, '\0'))));
}

TEST_CASE("mirror: a page that is too large is asked for in parts", "[etcd][mirror]") {
    Loop loop;
    FakeEtcd store;
    store.answer("kv/range", std::string(5000, ' '));
    store.answer("kv/range", page_text(5, {entry_text(one, "a", 5)}));
    store.watch({{created_line(5)}, FakeEtcd::Then::stay});
    Options options = options_for({store.url()});
    options.answer_limit = 4000;
    Mirrored mirrored(loop, options);
    REQUIRE(mirrored.synchronised());
    CHECK_THAT(store.asked("kv/range").at(1), contains(R"("limit":"500")"));
}

TEST_CASE("mirror: a stream that ends goes on where it was, without a full read", "[etcd][mirror]") {
    Loop loop;
    Store store;
    store.watch({{created_line(5), put_line(two, "b", 6)}, FakeEtcd::Then::close});
    store.watch({{created_line(6), put_line(two, "c", 7)}, FakeEtcd::Then::stay});
    Mirrored mirrored(loop, options_for({store.url()}));
    CHECK(loop.until([&] { return mirrored.notes.value(two) == "c"; }));
    CHECK(mirrored.notes.replaced == 1);
    CHECK(start_of(store.asked("watch").at(1)) == "7");
    CHECK(mirrored.notes.news == std::vector<std::string>{"synchronised"});
}

TEST_CASE("mirror: half a line changes nothing and comes again", "[etcd][mirror]") {
    Loop loop;
    Store store;
    const std::string line = put_line(two, "b", 6);
    store.watch({{created_line(5), line.substr(0, line.size() / 2)}, FakeEtcd::Then::close});
    store.watch({{created_line(6) + line.substr(0, 9), line.substr(9)}, FakeEtcd::Then::stay});
    Mirrored mirrored(loop, options_for({store.url()}));
    CHECK(loop.until([&] { return mirrored.notes.value(two) == "b"; }));
    CHECK(mirrored.notes.seen.size() == 1);
    CHECK(start_of(store.asked("watch").at(1)) == "6");
}

TEST_CASE("mirror: fragments of one revision are delivered together", "[etcd][mirror]") {
    Loop loop;
    Store store;
    SECTION("all of them") {
        store.watch({{created_line(5), put_line(one, "b", 6, ",\"fragment\":true"), put_line(two, "b", 6)},
                     FakeEtcd::Then::stay});
    }
    SECTION("cut between them: from the beginning again") {
        store.watch({{created_line(5), put_line(one, "x", 6, ",\"fragment\":true")}, FakeEtcd::Then::close});
        store.watch({{created_line(6), put_line(one, "b", 6, ",\"fragment\":true"), put_line(two, "b", 6)},
                     FakeEtcd::Then::stay});
    }
    Mirrored mirrored(loop, options_for({store.url()}));
    CHECK(loop.until([&] { return mirrored.notes.value(two) == "b"; }));
    CHECK(mirrored.notes.batches == std::vector<std::size_t>{2});
    CHECK(mirrored.notes.value(one) == "b");
}

TEST_CASE("mirror: what cannot be followed is read whole again", "[etcd][mirror]") {
    Loop loop;
    FakeEtcd store;
    store.answer("kv/range", page_text(5, {entry_text(one, "a", 5)}));
    store.answer("kv/range", page_text(9, {entry_text(two, "z", 8)}));
    const std::string cause =
        GENERATE("{\"result\":{" + header_at(9) + ",\"canceled\":true,\"compact_revision\":\"8\"}}\n",
                 std::string("garbage\n"), std::string("{}\n"), std::string(3000, 'x') + "\n", std::string(3000, 'x'),
                 put_line(two, "b", 4), put_line("/other/routes/1", "b", 6));
    CAPTURE(cause);
    store.watch({{created_line(5), cause}, FakeEtcd::Then::stay});
    store.watch({{created_line(9)}, FakeEtcd::Then::stay});
    Options options = options_for({store.url()});
    options.line_limit = 2000;
    Mirrored mirrored(loop, options);
    CHECK(loop.until([&] { return mirrored.notes.replaced == 2 && mirrored.mirror.following(); }));
    CHECK(mirrored.notes.value(one) == "-");
    CHECK(mirrored.notes.value(two) == "z");
    CHECK(start_of(store.asked("watch").back()) == "10");
}

TEST_CASE("mirror: a store that is another one or older is read whole", "[etcd][mirror]") {
    Loop loop;
    Store store;
    store.watch({{created_line(5)}, FakeEtcd::Then::close});
    store.watch({{GENERATE(created_line(4), created_line(5, "8"))}, FakeEtcd::Then::stay});
    store.watch({{created_line(5)}, FakeEtcd::Then::stay});
    Mirrored mirrored(loop, options_for({store.url()}));
    CHECK(loop.until([&] { return mirrored.notes.replaced == 2 && mirrored.mirror.following(); }));
}

TEST_CASE("mirror: a watch that is refused for compaction leads to a full read", "[etcd][mirror]") {
    Loop loop;
    Store store;
    store.watch({{"{\"result\":{" + header_at(9) + ",\"created\":true}}\n{\"result\":{" + header_at(9) +
                  ",\"canceled\":true,\"compact_revision\":\"8\"}}\n"},
                 FakeEtcd::Then::stay});
    store.watch({{created_line(9)}, FakeEtcd::Then::stay});
    Mirrored mirrored(loop, options_for({store.url()}));
    CHECK(loop.until([&] { return mirrored.notes.replaced == 2 && mirrored.mirror.following(); }));
}

TEST_CASE("mirror: silence ends a watch; the next one is no news", "[etcd][mirror]") {
    Loop loop;
    Store store;
    store.watch({{created_line(5)}, FakeEtcd::Then::stay});
    store.watch({{created_line(6), put_line(two, "b", 6)}, FakeEtcd::Then::stay});
    Options options = options_for({store.url()});
    options.watch_timeout = milliseconds(100);
    Mirrored mirrored(loop, options);
    CHECK(loop.until([&] { return mirrored.notes.value(two) == "b"; }));
    CHECK(mirrored.notes.replaced == 1);
    CHECK(mirrored.notes.news == std::vector<std::string>{"synchronised"});
}

TEST_CASE("mirror: progress moves the revision on without a change", "[etcd][mirror]") {
    Loop loop;
    Store store;
    store.watch({{created_line(5), "{\"result\":{" + header_at(90) + "}}\n"}, FakeEtcd::Then::close});
    store.watch({{created_line(90)}, FakeEtcd::Then::stay});
    Mirrored mirrored(loop, options_for({store.url()}));
    CHECK(loop.until([&] { return store.asked("watch").size() == 2; }));
    CHECK(start_of(store.asked("watch").at(1)) == "91");
    CHECK(mirrored.notes.batches.empty());
}

TEST_CASE("mirror: a loss is told once with its reason, and its end", "[etcd][mirror]") {
    Loop loop;
    Store store;
    store.watch({{created_line(5)}, FakeEtcd::Then::stay});
    Gate gate(store.port());
    Mirrored mirrored(loop, options_for({"http://127.0.0.1:" + std::to_string(gate.port())}));
    REQUIRE(mirrored.synchronised());
    Fault cut;
    cut.close_after = 0;
    gate.from_target(cut);
    gate.reset_all();
    CHECK(loop.until([&] { return mirrored.mirror.failures() >= 4; }));
    CHECK_FALSE(mirrored.mirror.following());
    gate.from_target({});
    REQUIRE(mirrored.synchronised());
    REQUIRE(mirrored.notes.news.size() >= 3);
    CHECK_THAT(mirrored.notes.news.at(1), contains("lost: http://127.0.0.1:"));
    CHECK(mirrored.notes.news.back() == "synchronised");
    CHECK(mirrored.notes.replaced == 1);
}

TEST_CASE("mirror: what etcd refuses is told and asked again", "[etcd][mirror]") {
    Loop loop;
    FakeEtcd store;
    for (int i = 0; i < 3; ++i)
        store.answer("kv/range", R"({"message":"etcdserver: permission denied","code":7})", 403);
    store.answer("kv/range", page_text(5, {}));
    store.watch({{created_line(5)}, FakeEtcd::Then::stay});
    Mirrored mirrored(loop, options_for({store.url()}));
    REQUIRE(mirrored.synchronised());
    CHECK(mirrored.notes.news == std::vector<std::string>{"lost: etcdserver: permission denied", "synchronised"});
}

TEST_CASE("mirror: whoever waits for a revision gets it from a watch that stalled", "[etcd][mirror]") {
    Loop loop;
    Store store;
    store.watch({{created_line(5)}, FakeEtcd::Then::stay});
    store.watch({{created_line(6), put_line(two, "b", 6)}, FakeEtcd::Then::stay});
    Mirrored mirrored(loop, options_for({store.url()}));
    REQUIRE(mirrored.synchronised());
    CHECK(loop.run(mirrored.mirror.reach(6, milliseconds(2000) * patience)));
    CHECK(mirrored.notes.value(two) == "b");
    CHECK_FALSE(loop.run(mirrored.mirror.reach(7, milliseconds(50))));
    CHECK(mirrored.notes.news == std::vector<std::string>{"synchronised"});
}

TEST_CASE("mirror: stop ends it in every state", "[etcd][mirror]") {
    Loop loop;
    Store store;
    store.watch({{created_line(5)}, FakeEtcd::Then::stay});
    const bool up = GENERATE(true, false);
    if (!up) store.server().script(ScriptedUpstream::stalls());
    Mirrored mirrored(loop, options_for({store.url()}));
    CHECK(loop.until([&] { return mirrored.mirror.following() || (!up && store.server().request_count() > 0); }));
    mirrored.mirror.stop();
    CHECK(loop.until([&] { return mirrored.ended; }));
    CHECK_FALSE(mirrored.failed);
}
