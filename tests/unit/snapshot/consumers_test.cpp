// Consumers, credentials, groups and metadata in a worker: looked up, merged, changed one at a time.
#include <cstdlib>

#include "libgateway/plugin/auth.hpp"
#include "tests/support/alloc_count.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/log_lines.hpp"
#include "tests/unit/snapshot/document.hpp"
#include "tests/unit/snapshot/test_plugins.hpp"

using namespace gateway;
using gateway::test::Kind;
using gateway::test::LogLines;
using gateway::test::Worker;

namespace {

std::string key(const std::string& text) {
    return R"("mark-auth":{"key":")" + text + "\"}";
}
std::string mark(const std::string& text) {
    return R"("mark-a":{"text":")" + text + "\"}";
}
std::string consumer(const std::string& plugins, const std::string& more = "") {
    return "{" + more + R"("plugins":{)" + plugins + "}}";
}

// "jack", "jack/c1", or "nobody".
std::string who(const Worker& worker, std::string_view given) {
    const Login login = worker.snapshot->find_login(test::mark_auth_slot(), given);
    if (!login || !login.credential->settings()) return "nobody";
    const std::string id(login.credential->id());
    return login.consumer->username + (id.empty() ? "" : "/" + id);
}

Merged merged(const Worker& worker, std::string_view path, std::string_view username) {
    return worker.snapshot->merge(worker.compiled(path)->chain, *worker.snapshot->find_consumer(username));
}
std::string chain(const Worker& worker, std::string_view path, std::string_view username) {
    return test::plugins_of(*merged(worker, path, username).chain);
}

// A route with authentication and mark-a, one with authentication only.
void put_routes(Worker& worker) {
    worker.document.put(Kind::route, "1", R"({"uri":"/a","plugins":{"mark-auth":{},)" + mark("route") + "}}");
    worker.document.put(Kind::route, "2", R"({"uri":"/b","plugins":{"mark-auth":{}}})");
    worker.document.put(Kind::route, "3", R"({"uri":"/c","plugins":{)" + mark("route") + "}}");
}

}  // namespace

TEST_CASE("consumers: keys of consumers and of credentials lead to the consumer", "[snapshot][consumers]") {
    Worker worker;
    worker.document.put(Kind::consumer, "jack/credentials/c1", consumer(key("second")));
    worker.document.put(Kind::consumer, "jack", consumer(key("first")));
    worker.reload();
    CHECK(who(worker, "first") == "jack");
    CHECK(who(worker, "second") == "jack/c1");
    CHECK(who(worker, "other") == "nobody");
    CHECK(who(worker, "") == "nobody");
    worker.document.remove(Kind::consumer, "jack");
    worker.update();
    CHECK(who(worker, "first") == "nobody");
    CHECK(who(worker, "second") == "nobody");
    worker.document.put(Kind::consumer, "jack", consumer(key("third")));
    worker.update();
    CHECK(who(worker, "second") == "jack/c1");
    CHECK(who(worker, "third") == "jack");
    worker.reload();
    CHECK(who(worker, "third") == "jack");
}

TEST_CASE("consumers: of one key in two objects the last loaded counts, and the other when it is gone",
          "[snapshot][consumers]") {
    Worker worker;
    worker.document.put(Kind::consumer, "a", consumer(key("k")));
    worker.document.put(Kind::consumer, "b", consumer(key("k")));
    worker.document.put(Kind::consumer, "c", consumer(key("k")));
    worker.reload();
    CHECK(who(worker, "k") == "c");
    worker.document.remove(Kind::consumer, "b");
    worker.update();
    CHECK(who(worker, "k") == "c");
    worker.document.remove(Kind::consumer, "c");
    worker.update();
    CHECK(who(worker, "k") == "a");
    worker.document.remove(Kind::consumer, "a");
    worker.update();
    CHECK(who(worker, "k") == "nobody");
    CHECK_FALSE(worker.snapshot->has_logins(test::mark_auth_slot()));
}

TEST_CASE("consumers: an old snapshot keeps its consumers while a new one changes them", "[snapshot][consumers]") {
    Worker worker;
    worker.document.put(Kind::consumer, "jack", consumer(key("old")));
    worker.reload();
    const SnapshotPtr before = worker.snapshot;
    worker.document.put(Kind::consumer, "jack", consumer(key("new")));
    worker.update();
    CHECK(before->find_login(test::mark_auth_slot(), "old"));
    CHECK_FALSE(before->find_login(test::mark_auth_slot(), "new"));
    CHECK(who(worker, "old") == "nobody");
    CHECK(who(worker, "new") == "jack");
}

TEST_CASE("consumers: a secret that does not resolve leaves the consumer out", "[snapshot][consumers]") {
    ::setenv("GATEWAY_TEST_KEY", "from-env", 1);
    ::setenv("GATEWAY_TEST_JSON", R"({"sub":"inner"})", 1);
    const LogLines lines;
    Worker worker;
    worker.document.put(Kind::consumer, "jack", consumer(key("$env://GATEWAY_TEST_KEY")));
    worker.document.put(Kind::consumer, "json", consumer(key("$ENV://GATEWAY_TEST_JSON/sub")));
    worker.document.put(Kind::consumer, "lost", consumer(key("$env://GATEWAY_TEST_UNSET")));
    worker.document.put(Kind::consumer, "vault", consumer(key("$secret://vault/1/a/b")));
    worker.document.put(Kind::consumer, "inner",
                        consumer(R"("mark-auth":{"key":"k","secret":"$env://GATEWAY_TEST_UNSET"})"));
    worker.document.put(Kind::consumer, "off", consumer(R"("mark-auth":{"key":"off","_meta":{"disable":true}})"));
    worker.reload();
    CHECK(who(worker, "from-env") == "jack");
    CHECK(who(worker, "inner") == "json");
    CHECK(who(worker, "$env://GATEWAY_TEST_UNSET") == "nobody");
    CHECK(who(worker, "$secret://vault/1/a/b") == "nobody");
    CHECK(who(worker, "k") == "nobody");
    CHECK(who(worker, "off") == "nobody");
    std::size_t reported = 0;
    for (const std::string& line : lines.all()) reported += line.find("is left out") != std::string::npos;
    CHECK(reported == 3);
}

TEST_CASE("consumers: the consumer beats its group, the group beats the route", "[snapshot][consumers]") {
    Worker worker;
    put_routes(worker);
    worker.document.put(Kind::consumer_group, "g", consumer(mark("group") + R"(,"mark-b":{"text":"group"})"));
    worker.document.put(Kind::consumer, "jack", consumer(key("1") + "," + mark("jack"), R"("group_id":"g",)"));
    worker.document.put(Kind::consumer, "rose", consumer(key("2"), R"("group_id":"g",)"));
    worker.document.put(Kind::consumer, "bare", consumer(key("3")));
    worker.document.put(Kind::consumer, "none",
                        consumer(R"("mark-a":{"_meta":{"disable":true},"text":"x"})", R"("group_id":"g",)"));
    worker.reload();
    CHECK(chain(worker, "/a", "jack") == "mark-auth= mark-a=jack mark-b=group");
    CHECK(chain(worker, "/b", "jack") == "mark-auth= mark-a=jack mark-b=group");
    CHECK(chain(worker, "/a", "rose") == "mark-auth= mark-a=group mark-b=group");
    CHECK(chain(worker, "/a", "bare") == "mark-auth= mark-a=route");
    CHECK(chain(worker, "/a", "none") == "mark-auth= mark-b=group");
    CHECK(merged(worker, "/a", "bare").chain == worker.compiled("/a")->chain);
}

TEST_CASE("consumers: a group that does not exist is told", "[snapshot][consumers]") {
    const LogLines lines;
    Worker worker;
    put_routes(worker);
    worker.document.put(Kind::consumer, "jack", consumer(key("1"), R"("group_id":"gone",)"));
    worker.reload();
    CHECK(merged(worker, "/a", "jack").outcome == Merged::Outcome::no_group);
    worker.document.put(Kind::consumer_group, "gone", consumer(mark("group")));
    worker.update();
    CHECK(chain(worker, "/a", "jack") == "mark-auth= mark-a=group");
}

TEST_CASE("consumers: a merged list is made once and kept until what it is made of changes", "[snapshot][consumers]") {
    Worker worker;
    put_routes(worker);
    worker.document.put(Kind::consumer, "jack", consumer(key("1") + "," + mark("jack")));
    worker.document.put(Kind::consumer, "rose", consumer(key("2") + "," + mark("rose")));
    worker.reload();
    const auto jack = merged(worker, "/a", "jack").chain, rose = merged(worker, "/a", "rose").chain;
    CHECK(merged(worker, "/a", "jack").chain == jack);
    CHECK(merged(worker, "/b", "jack").chain != jack);
    CHECK(merged(worker, "/b", "jack").chain->instances()[1] == jack->instances()[1]);
    {
        const auto chain = worker.compiled("/a")->chain;
        const auto consumer = worker.snapshot->find_consumer("jack");
        const test::AllocCount count;
        CHECK(worker.snapshot->merge(chain, *consumer).chain == jack);
        CHECK(count.count() == 0);
    }
    worker.document.put(Kind::consumer, "jack", consumer(key("1") + "," + mark("other")));
    worker.update();
    CHECK(chain(worker, "/a", "jack") == "mark-auth= mark-a=other");
    CHECK(merged(worker, "/a", "rose").chain == rose);
}

TEST_CASE("consumers: the first override of a plugin recuts routes with authentication only", "[snapshot][consumers]") {
    Worker worker;
    put_routes(worker);
    worker.document.put(Kind::consumer, "jack", consumer(key("1")));
    worker.reload();
    const auto with = worker.compiled("/a"), without = worker.compiled("/c");
    worker.document.put(Kind::consumer, "rose", consumer(mark("rose")));
    worker.update();
    CHECK(worker.compiled("/a") != with);
    CHECK(worker.compiled("/c") == without);
    const auto recut = worker.compiled("/a");
    worker.document.put(Kind::consumer, "jack", consumer(mark("jack")));
    worker.update();
    CHECK(worker.compiled("/a") == recut);
    worker.document.remove(Kind::consumer, "rose");
    worker.update();
    CHECK(worker.compiled("/a") == recut);
    worker.document.remove(Kind::consumer, "jack");
    worker.update();
    CHECK(worker.compiled("/a") != recut);
}

TEST_CASE("consumers: plugins outside the list are not merged in", "[snapshot][consumers]") {
    Worker worker;
    put_routes(worker);
    worker.document.put(Kind::consumer, "jack", consumer(mark("jack") + R"(,"mark-b":{"text":"jack"})"));
    worker.document.put(Kind::plugins, "list", R"(["mark-auth","mark-b"])");
    worker.reload();
    CHECK(chain(worker, "/a", "jack") == "mark-auth= mark-b=jack");
    worker.document.remove(Kind::plugins, "list");
    worker.update();
    CHECK(chain(worker, "/a", "jack") == "mark-auth= mark-a=jack mark-b=jack");
}

TEST_CASE("consumers: an override that cannot be built is a veto of its change, later an answer of its own",
          "[snapshot][consumers]") {
    const LogLines lines;
    Worker worker;
    put_routes(worker);
    worker.document.put(Kind::consumer, "jack", consumer(key("1") + "," + mark("bad")));
    worker.reload();
    CHECK(merged(worker, "/a", "jack").outcome == Merged::Outcome::broken);
    worker.document.put(Kind::consumer, "rose", consumer(mark("bad")));
    CHECK_THROWS(worker.update());
}

TEST_CASE("consumers: a change of one among many touches few objects", "[snapshot][consumers]") {
    Worker worker;
    put_routes(worker);
    for (int i = 0; i < 20000; ++i) {
        const std::string name = "user" + std::to_string(i);
        worker.document.put(Kind::consumer, name, consumer(key("key-of-" + name) + "," + mark(name)));
    }
    worker.reload();
    worker.document.put(Kind::consumer, "user777", consumer(key("changed")));
    const std::vector<char> delta = worker.document.delta();
    const test::AllocCount count;
    worker.apply(delta);
    CHECK(count.count() < 400);
    CHECK(who(worker, "changed") == "user777");
    CHECK(who(worker, "key-of-user777") == "nobody");
    CHECK(who(worker, "key-of-user19999") == "user19999");
}

TEST_CASE("consumers: logging in costs no allocation once warm", "[snapshot][consumers]") {
    Worker worker;
    worker.document.put(Kind::consumer, "jack", consumer(key("first")));
    worker.document.put(Kind::consumer, "jack/credentials/c1", consumer(key("second")));
    worker.reload();
    CHECK(who(worker, "first") == "jack");
    CHECK(who(worker, "second") == "jack/c1");
    const test::AllocCount count;
    for (const std::string_view given : {"first", "second", "wrong"}) {
        const Login login = worker.snapshot->find_login(test::mark_auth_slot(), given);
        if (login) (void)login.credential->settings();
    }
    CHECK(count.count() == 0);
}

TEST_CASE("metadata: plugins are built with it, and built again when it changes", "[snapshot][consumers]") {
    Worker worker;
    worker.document.put(Kind::route, "1", R"({"uri":"/a","plugins":{"mark-meta":{}}})");
    worker.document.put(Kind::route, "2", R"({"uri":"/b","plugins":{"mark-meta":{"text":"own"}}})");
    worker.reload();
    CHECK(test::plugins_of(*worker.compiled("/a")->chain) == "mark-meta=default");
    worker.document.put(Kind::plugin_metadata, "mark-meta", R"({"text":"of all"})");
    worker.update();
    CHECK(test::plugins_of(*worker.compiled("/a")->chain) == "mark-meta=of all");
    CHECK(test::plugins_of(*worker.compiled("/b")->chain) == "mark-meta=own");
    worker.document.remove(Kind::plugin_metadata, "mark-meta");
    worker.update();
    CHECK(test::plugins_of(*worker.compiled("/a")->chain) == "mark-meta=default");
}

TEST_CASE("snapshot: objects that no traffic reads are part of the document, and of nothing else",
          "[snapshot][apply]") {
    Worker worker;
    worker.document.put(Kind::route, "1", R"({"uri":"/a","plugins":{}})");
    worker.document.put(Kind::proto, "1", R"({"content":"x"})");
    worker.document.put(Kind::secret, "vault/1", R"({"uri":"u"})");
    worker.reload();
    CHECK(worker.snapshot->digest() == worker.document.digest());
    worker.document.put(Kind::proto, "1", R"({"content":"y"})");
    worker.document.put(Kind::stream_route, "1", "{}");
    worker.document.put(Kind::standalone, "configuration", "{}");
    worker.update();
    CHECK(worker.snapshot->digest() == worker.document.digest());
    worker.document.remove(Kind::proto, "1");
    worker.document.remove(Kind::proto, "never");
    worker.update();
    CHECK(worker.snapshot->digest() == worker.document.digest());
    worker.document.remove(Kind::secret, "vault/1");
    worker.reload();
    CHECK(worker.snapshot->digest() == worker.document.digest());
    CHECK(worker.snapshot->route_count() == 1);
}
