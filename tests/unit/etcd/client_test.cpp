#include "libgateway/etcd/client.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/gate.hpp"
#include "tests/unit/etcd/etcd_rig.hpp"
#include "tests/unit/etcd/fake_etcd.hpp"

using namespace gateway::test;
using namespace gateway::etcd;

namespace {

const std::string committed = R"({"header":{"cluster_id":"7","revision":"5"},"succeeded":true})";

std::string dead_url() {
    std::uint16_t port = 0;
    listen_on_free_port(port);
    return "http://127.0.0.1:" + std::to_string(port);
}

Failure failure_of_read(Loop& loop, Client& client) {
    try {
        (void)loop.run(client.read("/apisix/routes/1", "", 0, 0));
    } catch (const Failure& failure) {
        return failure;
    }
    FAIL("it was answered");
    return {Cause::garbled, ""};
}
Failure failure_of_write(Loop& loop, Client& client) {
    try {
        (void)loop.run(client.commit({{"k", "v", std::nullopt, 0}}));
    } catch (const Failure& failure) {
        return failure;
    }
    FAIL("it was answered");
    return {Cause::garbled, ""};
}

std::string refusal(std::string_view text, int code) {
    return R"({"error":"e","message":")" + std::string(text) + R"(","code":)" + std::to_string(code) + "}";
}

}  // namespace

TEST_CASE("etcd client: a member that is down is left out, the next one answers", "[etcd][client]") {
    Loop loop;
    FakeEtcd second;
    second.answer("kv/range", page_text(3, {entry_text("/apisix/routes/1", "{}", 2)}));
    Client client(loop, options_for({dead_url(), second.url()}));
    CHECK(loop.run(client.read("/apisix/routes/1", "", 0, 0)).entries.size() == 1);
    CHECK(client.member() == second.url());
    CHECK(loop.run(client.read("/apisix/routes/1", "", 0, 0)).entries.size() == 1);
    CHECK(second.server().accepted() == 1);  // the connection is kept
}

TEST_CASE("etcd client: a member that failed is asked last until its time is over", "[etcd][client]") {
    Loop loop;
    FakeEtcd first, second;
    first.answer("kv/range", refusal("etcdserver: no leader", 14), 503);
    second.answer("kv/range", page_text(3, {}));
    Options options = options_for({first.url(), second.url()});
    Client client(loop, options);
    (void)loop.run(client.read("k", "", 0, 0));
    CHECK(first.asked("kv/range").size() == 1);
    second.answer("kv/range", refusal("etcdserver: no leader", 14), 503);
    (void)loop.run(client.read("k", "", 0, 0));
    CHECK(first.asked("kv/range").size() == 1);
    const Failure failure = failure_of_read(loop, client);  // now both, and both say no
    CHECK(failure.cause == Cause::unavailable);
    CHECK(first.asked("kv/range").size() == 2);
}

TEST_CASE("etcd client: a write that may have arrived is not sent twice", "[etcd][client]") {
    Loop loop;
    FakeEtcd first, second;
    first.server().script(ScriptedUpstream::closes());
    second.answer("kv/txn", committed);
    Client client(loop, options_for({first.url(), second.url()}));
    const Failure failure = failure_of_write(loop, client);
    CHECK(failure.cause == Cause::unavailable);
    CHECK(failure.sent);
    CHECK(second.asked("kv/txn").empty());
}

TEST_CASE("etcd client: a write that cannot have arrived goes to the next member", "[etcd][client]") {
    Loop loop;
    FakeEtcd second;
    second.answer("kv/txn", committed);
    Client client(loop, options_for({dead_url(), second.url()}));
    CHECK(loop.run(client.commit({{"k", "v", 3, 0}})).done);
}

TEST_CASE("etcd client: a kept connection that has ended meanwhile loses no write", "[etcd][client]") {
    Loop loop;
    FakeEtcd member;
    member.server().script([](gateway::test::Connection& connection, const Message&) {
        connection.send(make_response(200, committed));
        connection.close();
    });
    Client client(loop, options_for({member.url()}));
    for (int i = 0; i < 5; ++i) {
        CHECK(loop.run(client.commit({{"k", "v", std::nullopt, 0}})).done);
        CHECK(eventually([&] { return member.server().open() == 0; }));
    }
}

TEST_CASE("etcd client: members that say nothing cost their share of the time", "[etcd][client]") {
    Loop loop;
    FakeEtcd first, second;
    first.server().script(ScriptedUpstream::stalls());
    second.answer("kv/range", page_text(3, {}));
    Options options = options_for({first.url(), second.url()});
    options.timeout = milliseconds(1000) * patience;
    Client client(loop, options);
    CHECK(loop.run(client.read("k", "", 0, 0)).header.revision == 3);

    Options alone = options_for({first.url()});
    alone.timeout = milliseconds(100);
    Client slow(loop, alone);
    const Failure failure = failure_of_read(loop, slow);
    CHECK(failure.cause == Cause::unavailable);
    CHECK_THAT(failure.what(), contains("no answer in time"));
}

TEST_CASE("etcd client: answers that are no HTTP, no JSON or too large are refused", "[etcd][client]") {
    Loop loop;
    FakeEtcd member;
    Options options = options_for({member.url()});
    options.answer_limit = 1000;
    Client client(loop, options);
    SECTION("no HTTP") {
        member.server().script(ScriptedUpstream::sends_and_closes("SSH-2.0-x\r\n"));
        CHECK(failure_of_read(loop, client).cause == Cause::garbled);
    }
    SECTION("endless head") {
        member.server().script(ScriptedUpstream::sends_and_closes("HTTP/1.1 200 OK\r\nA: " + std::string(20000, 'a')));
        CHECK(failure_of_read(loop, client).cause == Cause::garbled);
    }
    SECTION("no JSON") {
        member.answer("kv/range", "<html>");
        CHECK(failure_of_read(loop, client).cause == Cause::garbled);
    }
    SECTION("too large") {
        member.answer("kv/range", std::string(1001, ' '));
        CHECK(failure_of_read(loop, client).cause == Cause::too_large);
    }
    SECTION("half an answer") {
        member.server().script(
            ScriptedUpstream::sends_and_closes("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"header\""));
        CHECK(failure_of_read(loop, client).cause == Cause::unavailable);
    }
}

TEST_CASE("etcd client: it logs in before the first call and again when the token is refused", "[etcd][client]") {
    Loop loop;
    FakeEtcd member;
    member.answer("auth/authenticate", R"({"token":"one"})");
    member.answer("auth/authenticate", R"({"token":"two"})");
    member.answer("kv/txn", committed);
    member.answer("kv/txn", refusal("etcdserver: invalid auth token", 16), 401);
    member.answer("kv/txn", committed);
    Options options = options_for({member.url()});
    options.user = "u";
    options.password = "p\"w";
    Client client(loop, options);
    CHECK(loop.run(client.commit({{"k", "v", std::nullopt, 0}})).done);
    CHECK(loop.run(client.commit({{"k", "v", std::nullopt, 0}})).done);
    CHECK(member.asked("auth/authenticate").front() == R"({"name":"u","password":"p\"w"})");
    std::vector<std::string> tokens;
    for (const Message& request : member.requests()) tokens.emplace_back(request.field("Authorization"));
    CHECK(tokens == std::vector<std::string>{"", "one", "one", "", "two"});
}

TEST_CASE("etcd client: a refused password is not tried again and again", "[etcd][client]") {
    Loop loop;
    FakeEtcd member;
    member.answer("auth/authenticate", refusal("etcdserver: authentication failed, invalid user ID or password", 3),
                  400);
    Options options = options_for({member.url(), member.url()});
    options.user = "u";
    Client client(loop, options);
    CHECK(failure_of_read(loop, client).cause == Cause::denied);
    CHECK(member.asked("auth/authenticate").size() == 1);
}

TEST_CASE("etcd client: without a user a store that wants one is an error", "[etcd][client]") {
    Loop loop;
    FakeEtcd member;
    member.answer("kv/range", refusal("etcdserver: user name is empty", 3), 400);
    Client client(loop, options_for({member.url()}));
    CHECK(failure_of_read(loop, client).cause == Cause::login);
}

TEST_CASE("etcd client: certificates that cannot be read are named", "[etcd][client]") {
    Loop loop;
    FakeEtcd member;
    Options options = options_for({"https://127.0.0.1:" + std::to_string(member.port())});
    options.tls.ca = "/no/such/ca.pem";
    Client client(loop, options);
    const Failure failure = failure_of_read(loop, client);
    CHECK(failure.cause == Cause::setup);
    CHECK_THAT(failure.what(), contains("deployment.etcd.tls.ca /no/such/ca.pem: No such file"));
}

TEST_CASE("etcd client: stop ends what is waited for", "[etcd][client]") {
    Loop loop;
    FakeEtcd member;
    member.server().script(ScriptedUpstream::stalls());
    Client client(loop, options_for({member.url()}));
    asio::co_spawn(
        loop.context(),
        [](FakeEtcd& server, Client& asked) -> asio::awaitable<void> {
            asio::steady_timer tick(co_await asio::this_coro::executor);
            while (server.server().request_count() == 0) {
                tick.expires_after(milliseconds(1));
                co_await tick.async_wait(asio::use_awaitable);
            }
            asked.stop();
        }(member, client),
        asio::detached);
    CHECK(failure_of_read(loop, client).cause == Cause::unavailable);
}
