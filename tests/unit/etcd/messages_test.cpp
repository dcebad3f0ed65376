#include "libgateway/etcd/messages.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/etcd/fake_etcd.hpp"

using namespace gateway::etcd;
using gateway::test::base64;
namespace json = gateway::json;

namespace {

template <class Read>
Cause cause_of(Read&& read) {
    try {
        read();
    } catch (const Failure& failure) {
        return failure.cause;
    }
    FAIL("it was accepted");
    return {};
}

}  // namespace

TEST_CASE("etcd messages: the end of a prefix is the first key behind it", "[etcd][messages]") {
    CHECK(end_of("/apisix/") == "/apisix0");
    CHECK(end_of("a\xff") == "b");
    CHECK(end_of("\xff\xff") == std::string(1, '\0'));
}

TEST_CASE("etcd messages: requests are written as the JSON gateway reads them", "[etcd][messages]") {
    CHECK(json::write(range_request("/a/", "/a0", 9007199254740993, 10)) ==
          R"({"key":"L2Ev","range_end":"L2Ew","revision":"9007199254740993","limit":"10"})");
    CHECK(json::write(range_request("/a/1", "", 0, 0)) == R"({"key":"L2EvMQ=="})");
    CHECK(json::write(watch_request("/a/", 6)) ==
          R"({"create_request":{"key":"L2Ev","range_end":"L2Ew","start_revision":"6","progress_notify":true,)"
          R"("fragment":true}})");
    CHECK(json::write(lease_request(60)) == R"({"TTL":"60","ID":"0"})");
    const std::vector<Write> writes{{"k", "v", 5, 0}, {"l", std::nullopt, std::nullopt, 0}, {"m", "w", 0, 77}};
    CHECK(json::write(commit_request(writes)) ==
          R"({"compare":[{"key":"aw==","target":"MOD","result":"EQUAL","mod_revision":"5"},)"
          R"({"key":"bQ==","target":"MOD","result":"EQUAL","mod_revision":"0"}],)"
          R"("success":[{"request_put":{"key":"aw==","value":"dg=="}},{"request_delete_range":{"key":"bA=="}},)"
          R"({"request_put":{"key":"bQ==","value":"dw==","lease":"77"}}],)"
          R"("failure":[{"request_range":{"key":"aw=="}},{"request_range":{"key":"bQ=="}}]})");
}

TEST_CASE("etcd messages: a write keeps the lease of what it replaces if it has none of its own", "[etcd][messages]") {
    const auto put_of = [](const Write& write) {
        return json::write(commit_request({&write, 1}).find("success")->items().at(0));
    };
    CHECK(put_of({"k", "v", 5, 0, true}) == R"({"request_put":{"key":"aw==","value":"dg==","ignore_lease":true}})");
    CHECK(put_of({"k", "v", 5, 7, true}) == R"({"request_put":{"key":"aw==","value":"dg==","lease":"7"}})");
}

TEST_CASE("etcd messages: a page has its entries with exact revisions", "[etcd][messages]") {
    const Page page = read_page(read_answer(
        R"({"header":{"cluster_id":"15875391935852295136","member_id":"7383792418829112008","revision":"9007199254740993",)"
        R"("raft_term":"2"},"kvs":[{"key":"L2FwaXNpeC9yb3V0ZXMv","create_revision":"3","mod_revision":"9007199254740993",)"
        R"("version":"1","value":"aW5pdF9kaXI="}],"more":true,"count":"2"})"));
    CHECK(page.header == Header{"15875391935852295136", 9007199254740993});
    CHECK(page.entries == std::vector<Entry>{{"/apisix/routes/", "init_dir", 3, 9007199254740993}});
    CHECK(page.more);
    CHECK(read_page(read_answer(R"({"header":{"revision":"1"}})")).entries.empty());
}

TEST_CASE("etcd messages: a commit tells what stood in its way", "[etcd][messages]") {
    const Committed done = read_commit(read_answer(
        R"({"header":{"revision":"5"},"succeeded":true,"responses":[{"response_put":{"header":{"revision":"5"}}}]})"));
    CHECK(done.done);
    CHECK(done.revision == 5);
    const Committed refused = read_commit(read_answer(
        R"({"header":{"revision":"5"},"responses":[{"response_range":{"kvs":[{"key":"aw==","create_revision":"5",)"
        R"("mod_revision":"5","value":"eA=="}]}},{"response_range":{}}]})"));
    CHECK_FALSE(refused.done);
    CHECK(refused.found == std::vector<Entry>{{"k", "x", 5, 5}});
}

TEST_CASE("etcd messages: a watch tells puts, deletes, fragments and its end", "[etcd][messages]") {
    const WatchMessage message = read_watch_message(
        R"({"result":{"header":{"cluster_id":"1","revision":"5"},"fragment":true,"events":[)"
        R"({"kv":{"key":"aw==","create_revision":"2","mod_revision":"2","version":"1","value":"eA=="}},)"
        R"({"type":"DELETE","kv":{"key":"aw==","mod_revision":"4"}}]}})");
    CHECK(message.fragment);
    CHECK(message.events == std::vector<Event>{{false, {"k", "x", 2, 2}}, {true, {"k", "", 0, 4}}});
    const WatchMessage end =
        read_watch_message(R"({"result":{"header":{"revision":"5"},"canceled":true,"compact_revision":"4"}})");
    CHECK(end.canceled);
    CHECK(end.compact_revision == 4);
}

TEST_CASE("etcd messages: errors of a stream keep their cause", "[etcd][messages]") {
    const auto row = GENERATE(table<std::string, Cause>(
        {{R"({"error":{"grpc_code":14,"http_code":503,"message":"etcdserver: no leader"}})", Cause::unavailable},
         {R"({"error":{"code":16,"message":"etcdserver: invalid auth token","details":[]}})", Cause::login},
         {R"({"error":{"grpc_code":7,"message":"etcdserver: permission denied"}})", Cause::denied},
         {R"({"error":"text"})", Cause::garbled}}));
    CHECK(cause_of([&] { (void)read_watch_message(std::get<0>(row)); }) == std::get<1>(row));
}

TEST_CASE("etcd messages: what is not etcd's is refused", "[etcd][messages]") {
    const auto line = GENERATE(
        "", "x", "[]", "1", "{}", R"({"result":1})", R"({"result":{"header":1}})", R"({"result":{"created":"yes"}})",
        R"({"result":{"header":{"revision":"-1"}}})", R"({"result":{"header":{"revision":"99999999999999999999"}}})",
        R"({"result":{"header":{"revision":{}}}})", R"({"result":{"events":{}}})", R"({"result":{"events":[1]}})",
        R"({"result":{"events":[{}]}})", R"({"result":{"events":[{"kv":{"key":"!","mod_revision":"1"}}]}})",
        R"({"result":{"events":[{"kv":{"key":"","mod_revision":"1"}}]}})",
        R"({"result":{"events":[{"kv":{"key":"aw=="}}]}})",
        R"({"result":{"events":[{"kv":{"key":"aw==","create_revision":"3","mod_revision":"2"}}]}})",
        R"({"result":{"events":[{"type":"MOVE","kv":{"key":"aw==","mod_revision":"2"}}]}})",
        R"({"result":{"canceled":true})");
    CAPTURE(line);
    CHECK(cause_of([&] { (void)read_watch_message(line); }) == Cause::garbled);
}

TEST_CASE("etcd messages: answers that cannot be are refused", "[etcd][messages]") {
    CHECK(cause_of([] { (void)read_page(read_answer("{}")); }) == Cause::garbled);
    CHECK(cause_of([] { (void)read_page(read_answer(R"({"header":{"revision":"1"},"more":true})")); }) ==
          Cause::garbled);
    CHECK(cause_of([] { (void)read_lease(read_answer("{}")); }) == Cause::garbled);
    CHECK(cause_of([] { (void)read_login(read_answer(R"({"token":"a\r\nX: y"})")); }) == Cause::garbled);
    CHECK(cause_of([] { (void)read_commit(read_answer(R"({"succeeded":true})")); }) == Cause::garbled);
}

TEST_CASE("etcd failures: codes and texts of etcd are sorted by what helps", "[etcd][failure]") {
    const auto [status, body, cause] = GENERATE(table<unsigned, std::string, Cause>(
        {{400, R"({"error":"e","message":"etcdserver: user name is empty","code":3})", Cause::login},
         {401, R"({"error":"e","message":"etcdserver: invalid auth token","code":16})", Cause::login},
         {400, R"({"message":"etcdserver: authentication failed, invalid user ID or password","code":3})",
          Cause::denied},
         {403, R"({"error":"etcdserver: permission denied","code":7})", Cause::denied},
         {400, R"({"message":"etcdserver: mvcc: required revision has been compacted","code":11})", Cause::compacted},
         {503, R"({"message":"etcdserver: no leader","code":14})", Cause::unavailable},
         {400, R"({"message":"etcdserver: too many operations in txn request","code":3})", Cause::refused},
         {502, "<html>", Cause::unavailable},
         {404, "404 page not found", Cause::garbled},
         {403, "", Cause::denied}}));
    CHECK(failure_of(status, body).cause == cause);
}
