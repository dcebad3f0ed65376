#include "libgateway/store/store.hpp"

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>

#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

using namespace gateway::store;
using gateway::config::Kind;
using gateway::test::TempDir;

namespace {

Entry entry(std::string id, std::string json, std::uint64_t created, std::uint64_t modified, std::uint64_t order = 1) {
    return {std::make_shared<const Stored>(Stored{Kind::route, std::move(id), std::move(json), created, modified, 0}),
            order};
}
Side side(std::string json) {
    return {std::move(json), 1, 0};
}
// One revision that makes, replaces or (without text) removes a route.
Store::Write write(std::uint64_t number, const std::string& id, const std::optional<std::string>& before,
                   const std::optional<std::string>& after) {
    Store::Write made;
    made.revision = {number, 1000, {"ann", "127.0.0.1"}, "put", "", "digest" + std::to_string(number), 1};
    if (after) made.put.push_back(entry(id, *after, number, number));
    if (!after) made.erased.emplace_back(Kind::route, id);
    ObjectChange change{Layer::store, Kind::route, id, std::nullopt, std::nullopt};
    if (before) change.before = side(*before);
    if (after) change.after = side(*after);
    made.difference.push_back(change);
    return made;
}

struct Place {
    std::string path() const { return (folder / "store.db").string(); }
    Store open(Limits limits = {}) const { return Store(path(), limits); }
    TempDir folder;
};

void overwrite(const std::string& path, const std::string& old, const std::string& text) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    std::string all(std::istreambuf_iterator<char>(file), {});
    const std::size_t at = all.find(old);
    REQUIRE(at != std::string::npos);
    file.clear();
    file.seekp(static_cast<std::streamoff>(at));
    file << text;
}

}  // namespace

TEST_CASE("store: a new file is empty and private", "[store][store]") {
    const Place place;
    const auto contents = place.open().load();
    CHECK(contents.objects.empty());
    CHECK(contents.last == 0);
    CHECK_FALSE(contents.trial);
    struct stat about {};
    REQUIRE(::stat(place.path().c_str(), &about) == 0);
    CHECK((about.st_mode & 0777) == 0600);
}

TEST_CASE("store: what was committed is there when it is opened again", "[store][store]") {
    const Place place;
    {
        Store store = place.open();
        store.commit(write(3, "a", std::nullopt, "{\"uri\":\"/a\"}"));
        store.commit(write(4, "b", std::nullopt, "{}"));
        store.commit(write(7, "b", "{}", std::nullopt));
    }
    const auto contents = place.open().load();
    REQUIRE(contents.objects.size() == 1);
    const Stored& kept = *contents.objects[0].object;
    CHECK(kept.id == "a");
    CHECK(kept.json == "{\"uri\":\"/a\"}");
    CHECK(kept.created == 3);
    CHECK(contents.objects[0].order == 1);
    CHECK(contents.last == 7);
    CHECK(contents.last_digest == "digest7");
}

TEST_CASE("store: the history tells who changed what", "[store][store]") {
    const Place place;
    Store store = place.open();
    store.commit(write(1, "a", std::nullopt, "1"));
    store.commit(write(2, "a", "1", "2"));
    const auto rows = store.history(10);
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].number == 2);
    CHECK(rows[0].author.name == "ann");
    CHECK(rows[0].author.from == "127.0.0.1");
    CHECK(store.history(1).size() == 1);
    CHECK(store.revision(1)->digest == "digest1");
    CHECK_FALSE(store.revision(9));
    REQUIRE(store.difference(2).size() == 1);
    CHECK(store.difference(2)[0].before == side("1"));
}

TEST_CASE("store: the past of an object is the oldest word on it since then", "[store][store]") {
    const Place place;
    Store store = place.open();
    store.commit(write(1, "a", std::nullopt, "1"));
    store.commit(write(2, "a", "1", "2"));
    store.commit(write(3, "b", std::nullopt, "x"));
    store.commit(write(4, "a", "2", std::nullopt));
    const Past past = store.since(1);
    REQUIRE(past.size() == 2);
    CHECK(past.at({Layer::store, Kind::route, "a"}) == side("1"));
    CHECK_FALSE(past.at({Layer::store, Kind::route, "b"}));
    CHECK(store.since(4).empty());
}

TEST_CASE("store: the oldest revisions go, by number and by size", "[store][store]") {
    const Place place;
    SECTION("number") {
        Store store = place.open({3, 1 << 20});
        for (std::uint64_t i = 1; i <= 10; ++i) store.commit(write(i, "a", "x", "y"));
        CHECK(store.history(100).size() == 3);
        CHECK(store.oldest() == 8);
    }
    SECTION("size, but never the newest") {
        Store store = place.open({100, 1});
        for (std::uint64_t i = 1; i <= 5; ++i) store.commit(write(i, "a", "x", "y"));
        CHECK(store.history(100).size() == 1);
        CHECK(store.oldest() == 5);
    }
    SECTION("the sum is known again after a start") {
        { place.open().commit(write(1, "a", "x", std::string(10'000, 'y'))); }
        Store store = place.open({100, 90});
        store.commit(write(2, "a", "x", "y"));
        CHECK(store.oldest() == 2);
    }
}

TEST_CASE("store: a trial is kept until it ends", "[store][store]") {
    const Place place;
    {
        Store store = place.open();
        Store::Write tried = write(5, "a", std::nullopt, "1");
        tried.trial = Trial{0, 10, 20, true, "5xx>5%"};
        store.commit(tried);
    }
    Store store = place.open();
    const auto trial = store.load().trial;
    REQUIRE(trial);
    CHECK(trial->revision == 5);
    CHECK(trial->deadline_ms == 20);
    CHECK(trial->confirm);
    CHECK(trial->revert_if == "5xx>5%");
    SECTION("by itself") {
        store.end_trial();
    }
    SECTION("by a revision") {
        Store::Write ending = write(6, "a", "1", std::nullopt);
        ending.ends_trial = true;
        store.commit(ending);
    }
    CHECK_FALSE(store.load().trial);
}

TEST_CASE("store: a write that fails changed nothing, and the next one may succeed", "[store][store]") {
    const Place place;
    Store store = place.open();
    store.commit(write(1, "a", std::nullopt, "1"));
    // A full disk, for this process.
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    const rlimit full{64 << 10, before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &full) == 0);
    std::string failure;
    try {
        store.commit(write(2, "b", std::nullopt, std::string(1 << 20, 'x')));
    } catch (const Failure& error) {
        failure = error.what();
    }
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
    CHECK(failure.find(place.path()) == 0);
    CHECK(store.load().objects.size() == 1);
    CHECK(store.load().last == 1);
    store.commit(write(3, "b", std::nullopt, "2"));
    CHECK(store.load().objects.size() == 2);
    CHECK(place.open().load().last == 3);
}

TEST_CASE("store: files that are none are refused with their name", "[store][store]") {
    const Place place;
    std::string problem;
    const auto open = [&] {
        try {
            place.open().load();
        } catch (const Failure& error) {
            problem = error.what();
        }
    };
    SECTION("no database") {
        place.folder.write("store.db", std::string(8192, 'x'));
        open();
        CHECK(problem == place.path() + ": file is not a database");
    }
    SECTION("overwritten in the middle of an object") {
        { place.open().commit(write(1, "a", std::nullopt, "{\"uri\":\"/before\"}")); }
        overwrite(place.path(), "/before", "/behind");
        open();
        CHECK(problem == place.path() + ": damaged: an object is not what was written");
    }
    SECTION("of another format") {
        {
            Database database(place.path());
            database.execute("PRAGMA user_version = 99");
        }
        open();
        CHECK(problem == place.path() + ": written by another version of the gateway (format 99, expected 1)");
    }
    SECTION("no folder") {
        const TempDir other;
        REQUIRE_THROWS_AS(Store((other / "none" / "store.db").string(), {}), Failure);
    }
}

TEST_CASE("store: what another process has locked is told after a moment", "[store][store]") {
    const Place place;
    Store store = place.open();
    Database other(place.path());
    other.execute("BEGIN IMMEDIATE");
    std::string problem;
    try {
        store.commit(write(1, "a", std::nullopt, "1"));
    } catch (const Failure& error) {
        problem = error.what();
    }
    CHECK(problem == place.path() + ": database is locked");
    other.execute("ROLLBACK");
    store.commit(write(2, "a", std::nullopt, "1"));
    CHECK(store.load().last == 2);
}

TEST_CASE("store: what objects elsewhere differ by is found, ranks and revisions aside", "[store][store]") {
    const Place place;
    Store store = place.open();
    store.commit(write(3, "same", std::nullopt, "{}"));
    store.commit(write(4, "changed", std::nullopt, "{}"));
    store.commit(write(5, "gone", std::nullopt, "{}"));
    const std::vector<Entry> now{entry("same", "{}", 3, 90, 9), entry("changed", "{\"a\":1}", 4, 91),
                                 entry("fresh", "{}", 92, 92)};
    Store::Write found = store.changes_to(now);
    REQUIRE(found.difference.size() == 3);
    CHECK(found.put.size() == 2);
    CHECK(found.erased == std::vector<std::pair<Kind, std::string>>{{Kind::route, "gone"}});
    for (const ObjectChange& change : found.difference) {
        CHECK(change.before.has_value() == (change.id != "fresh"));
        CHECK(change.after.has_value() == (change.id != "gone"));
    }
    found.revision.number = 6;
    store.commit(found);
    CHECK(store.changes_to(now).difference.empty());
    CHECK(store.since(5).size() == 3);
    CHECK(store.load_history().last == 6);
    CHECK(store.load_history().objects.empty());
}
