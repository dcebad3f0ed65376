#include "libgateway/process/control_etcd.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/etcd/etcd_rig.hpp"
#include "tests/unit/etcd/fake_etcd.hpp"

using namespace gateway::process;
using namespace gateway::test;
using gateway::config::Kind;
namespace config = gateway::config;
namespace store = gateway::store;

namespace {

config::EtcdSettings settings_for(const FakeEtcd& etcd) {
    config::EtcdSettings settings;
    settings.host.list = {etcd.url()};
    settings.timeout.value = milliseconds(5000) * patience;
    return settings;
}

// A source beside a store that nothing follows.
struct Rig {
    Loop loop;
    FakeEtcd etcd;
    EtcdSource source{loop, settings_for(etcd), [](std::vector<Incoming>, bool) -> asio::awaitable<void> { co_return; },
                      [] {}};
};

Incoming put_of(const std::string& id, std::uint64_t revision) {
    return {{Kind::route, id, "{}", std::nullopt, 0, 0}, 1, revision};
}
Incoming removal_of(const std::string& id, std::uint64_t revision) {
    return {{Kind::route, id, std::nullopt, std::nullopt, 0, 0}, 0, revision};
}
Catalogue::Shelved shelved(const std::string& id, std::uint64_t revision) {
    return {std::make_shared<const store::Stored>(store::Stored{Kind::route, id, "{}", 1, revision, 0}), 1, nullptr};
}
std::vector<std::string> ids_of(const std::vector<Incoming>& objects) {
    std::vector<std::string> ids;
    for (const Incoming& one : objects) ids.push_back((one.edit.json ? "+" : "-") + one.edit.id);
    return ids;
}

// One step that makes route 1 of what was at revision 4, or removes it.
Draft draft_that(bool removes, std::optional<std::uint64_t> expected) {
    Draft draft;
    Draft::Step step{{Kind::route, "1"}, shelved("1", 4), {}, expected, nullptr};
    if (!removes) {
        step.fresh = std::make_shared<store::Stored>(store::Stored{Kind::route, "1", "{\"uri\":\"/a\"}", 0, 0, 0});
        step.after = {step.fresh, 1, nullptr};
    }
    draft.steps.push_back(step);
    return draft;
}

}  // namespace

TEST_CASE("etcd source: what is known already is no news", "[process][control_etcd]") {
    Rig rig;
    const Catalogue::Shelf shelf{{{Kind::route, "1"}, shelved("1", 5)}, {{Kind::route, "2"}, shelved("2", 5)}};
    CHECK(rig.source.news({put_of("1", 5), put_of("2", 4)}, false, shelf).empty());
    CHECK(rig.source.news({removal_of("1", 4), removal_of("9", 7)}, false, shelf).empty());
    CHECK(ids_of(rig.source.news({put_of("1", 6), removal_of("2", 6), put_of("3", 6)}, false, shelf)) ==
          std::vector<std::string>{"+1", "-2", "+3"});
}

TEST_CASE("etcd source: after a full read what is not named is gone", "[process][control_etcd]") {
    Rig rig;
    const Catalogue::Shelf shelf{{{Kind::route, "1"}, shelved("1", 5)}, {{Kind::route, "2"}, shelved("2", 5)}};
    CHECK(ids_of(rig.source.news({put_of("1", 5)}, true, shelf)) == std::vector<std::string>{"-2"});
}

TEST_CASE("etcd source: objects of the last good revision are compared with all that etcd has",
          "[process][control_etcd]") {
    Rig rig;
    const Catalogue::Shelf shelf{{{Kind::route, "1"}, {nullptr, 1, nullptr}}};
    CHECK(ids_of(rig.source.news({put_of("1", 5)}, true, shelf)) == std::vector<std::string>{"+1"});
}

TEST_CASE("etcd source: credentials go before their consumer", "[process][control_etcd]") {
    Rig rig;
    const Catalogue::Shelf shelf{{{Kind::consumer, "jack"}, shelved("jack", 5)},
                                 {{Kind::consumer, "jack/credentials/a"}, shelved("jack/credentials/a", 5)}};
    std::vector<Incoming> both{removal_of("jack", 6), removal_of("jack/credentials/a", 6)};
    for (Incoming& one : both) one.edit.kind = Kind::consumer;
    CHECK(ids_of(rig.source.news(both, false, shelf)) == std::vector<std::string>{"-jack/credentials/a", "-jack"});
}

TEST_CASE("etcd source: a refused object is tried again with the next change", "[process][control_etcd]") {
    Rig rig;
    rig.source.refused(put_of("1", 5), "no such group");
    CHECK(rig.source.news({}, false, {}).empty());
    CHECK(ids_of(rig.source.news({put_of("2", 6)}, false, {})) == std::vector<std::string>{"+2", "+1"});
    rig.source.accepted({Kind::route, "1"});
    CHECK(ids_of(rig.source.news({put_of("3", 7)}, false, {})) == std::vector<std::string>{"+3"});
}

TEST_CASE("etcd source: a draft that is written gets etcd's revision", "[process][control_etcd]") {
    Rig rig;
    rig.etcd.answer("kv/txn", R"({"header":{"revision":"9"},"succeeded":true})");
    Draft draft = draft_that(false, 4);
    CHECK(rig.loop.run(rig.source.commit(draft)).empty());
    CHECK(draft.status == store::WriteStatus::ok);
    CHECK(draft.steps[0].fresh->modified == 9);
    CHECK(draft.steps[0].fresh->created == 1);
    CHECK_THAT(rig.etcd.asked("kv/txn").at(0), contains(R"("mod_revision":"4")"));
    CHECK_THAT(rig.etcd.asked("kv/txn").at(0), contains(base64("/apisix/routes/1")));
}

TEST_CASE("etcd source: a lost race is a conflict, a lost store is unavailable", "[process][control_etcd]") {
    Rig rig;
    Draft draft = draft_that(false, 4);
    SECTION("race") {
        rig.etcd.answer("kv/txn", R"({"header":{"revision":"9"}})");
        CHECK(rig.loop.run(rig.source.commit(draft)) == "value changed before overwritten: route [1] is gone");
        CHECK(draft.status == store::WriteStatus::conflict);
    }
    SECTION("race, and it is there") {
        rig.etcd.answer("kv/txn", R"({"header":{"revision":"9"},"responses":[{"response_range":{"kvs":[{"key":")" +
                                      base64("/apisix/routes/1") +
                                      R"(","create_revision":"1","mod_revision":"8","value":"eA=="}]}}]})");
        CHECK(rig.loop.run(rig.source.commit(draft)) ==
              "value changed before overwritten: route [1] has revision 8, expected 4");
    }
    SECTION("no answer") {
        rig.etcd.server().script(ScriptedUpstream::closes());
        CHECK_THAT(rig.loop.run(rig.source.commit(draft)), contains("whether it was carried out is not known"));
        CHECK(draft.status == store::WriteStatus::unavailable);
    }
    SECTION("not carried out") {
        rig.etcd.answer("kv/txn", R"({"message":"etcdserver: too many operations in txn request","code":3})", 400);
        const std::string why = rig.loop.run(rig.source.commit(draft));
        CHECK_THAT(why, contains("etcd does not take 1 writes as one (its --max-txn-ops is 128 by default)"));
        CHECK_THAT(why, contains("nothing was written"));
        CHECK(draft.status == store::WriteStatus::refused);
    }
    SECTION("too large") {
        rig.etcd.answer("kv/txn", R"({"message":"etcdserver: request is too large","code":3})", 400);
        CHECK_THAT(rig.loop.run(rig.source.commit(draft)), contains("--max-request-bytes"));
        CHECK(draft.status == store::WriteStatus::refused);
    }
    SECTION("refused for another reason") {
        rig.etcd.answer("kv/txn", R"({"message":"etcdserver: key is not provided","code":3})", 400);
        CHECK(rig.loop.run(rig.source.commit(draft)) == "etcd: etcdserver: key is not provided");
        CHECK(draft.status == store::WriteStatus::unavailable);
    }
}

TEST_CASE("etcd source: what was deleted here does not come back by an older event", "[process][control_etcd]") {
    Rig rig;
    rig.etcd.answer("kv/txn", R"({"header":{"revision":"9"},"succeeded":true})");
    Draft draft = draft_that(true, std::nullopt);
    REQUIRE(rig.loop.run(rig.source.commit(draft)).empty());
    CHECK(rig.source.news({put_of("1", 8)}, false, {}).empty());
    CHECK(ids_of(rig.source.news({put_of("1", 10)}, false, {})) == std::vector<std::string>{"+1"});
}

TEST_CASE("etcd source: what is changed keeps its lease, what is written anew does not", "[process][control_etcd]") {
    Rig rig;
    rig.etcd.answer("kv/txn", R"({"header":{"revision":"9"},"succeeded":true})");
    Draft changed = draft_that(false, 4), anew = draft_that(false, std::nullopt);
    changed.steps[0].keeps_end = true;
    CHECK(rig.loop.run(rig.source.commit(changed)).empty());
    CHECK(rig.loop.run(rig.source.commit(anew)).empty());
    CHECK_THAT(rig.etcd.asked("kv/txn").at(0), contains(R"("ignore_lease":true)"));
    CHECK_THAT(rig.etcd.asked("kv/txn").at(1), !contains("ignore_lease"));
}

TEST_CASE("etcd source: an object with an end gets a lease", "[process][control_etcd]") {
    Rig rig;
    rig.etcd.answer("lease/grant", R"({"ID":"77","TTL":"60"})");
    rig.etcd.answer("kv/txn", R"({"header":{"revision":"9"},"succeeded":true})");
    Draft draft = draft_that(false, std::nullopt);
    draft.steps[0].fresh->expires_ms = 1;
    CHECK(rig.loop.run(rig.source.commit(draft)).empty());
    CHECK_THAT(rig.etcd.asked("kv/txn").at(0), contains(R"("lease":"77")"));
    CHECK(draft.steps[0].fresh->expires_ms == 0);
}
