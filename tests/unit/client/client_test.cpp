#include "libgateway/client/client.hpp"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/scripted_upstream.hpp"
#include "tests/support/tls_front.hpp"

using namespace gateway;
using namespace gateway::test;
using client::Answer;
using client::Failure;

namespace {

// The client's part of a worker, for one run of its loop.
struct World {
    net::Reactor reactor;
    net::Resolver resolver{reactor, {}};
    net::BufferPool buffers;
    upstream::EndpointTable endpoints;
    upstream::Pool pool{reactor};
    client::Client client{reactor, resolver, buffers, endpoints, pool};
    client::Limits limits;

    // The same question so many times, one after the other.
    std::vector<Answer> ask(const std::string& url, const client::Request& request = {}, std::size_t times = 1) {
        const auto parsed = client::parse_url(url);
        REQUIRE(parsed);
        return ask(std::vector<client::Url>(times, *parsed), request);
    }
    // One after the other.
    std::vector<Answer> ask(const std::vector<client::Url>& urls, const client::Request& request) {
        std::vector<Answer> answers(urls.size());
        spawn(run(urls, request, answers));
        reactor.run([](std::int64_t) {});
        return answers;
    }
    ~World() {
        std::vector<Ref<upstream::Endpoint>> kept;
        for (const auto& [key, endpoint] : endpoints.all()) kept.emplace_back(endpoint);
        for (const auto& endpoint : kept) pool.close_idle(*endpoint);
    }

private:
    Task<void> run(const std::vector<client::Url>& urls, const client::Request& request, std::vector<Answer>& answers) {
        co_await reactor.yield();
        for (std::size_t i = 0; i < urls.size(); ++i) {
            Task<void> asking = client.send(urls[i], request, limits, answers[i]);
            co_await asking;
        }
        reactor.stop();
    }
};

std::string url_of(const ScriptedUpstream& server, const std::string& target = "/auth?x=1") {
    return "http://" + server.node() + target;
}

Failure failure_of(ScriptedUpstream::Answer answer, const client::Request& request = {}) {
    ScriptedUpstream server(std::move(answer));
    World world;
    world.limits.read = Milliseconds(100);
    world.limits.body = 4;
    const auto answers = world.ask(url_of(server), request);
    CHECK((answers[0].head != nullptr) == (answers[0].failure == Failure::none));
    return answers[0].failure;
}

// Answers the first request of its first connection, and ends that connection at the second.
ScriptedUpstream::Answer leaves_after_one() {
    auto seen = std::make_shared<std::atomic<int>>(0);
    return [seen](Connection& connection, const Message& message) {
        if (++*seen == 2) return ScriptedUpstream::closes()(connection, message);
        ScriptedUpstream::answers(200, "ok")(connection, message);
    };
}

}  // namespace

TEST_CASE("client: a question and its answer", "[client][client]") {
    ScriptedUpstream server(ScriptedUpstream::answers(403, "no", "X-A: 1\r\n"));
    World world;
    http::Fields fields;
    fields.add("X-B", "2");
    fields.add("Connection", "x");
    fields.add("Transfer-Encoding", "chunked");
    const auto answers =
        world.ask(url_of(server), {http::Verb::post, "POST", {}, {}, {fields.begin(), fields.end()}, "body"});
    const Answer& answer = answers[0];
    REQUIRE(answer.failure == Failure::none);
    CHECK(answer.head->status == 403);
    CHECK(answer.head->fields.get("X-A") == "1");
    CHECK(answer.body == "no");
    const Message seen = server.requests().at(0);
    CHECK(seen.start_line == "POST /auth?x=1 HTTP/1.1");
    CHECK(seen.field("host") == server.node());
    CHECK(seen.field("x-b") == "2");
    CHECK(seen.field("content-length") == "4");
    CHECK(seen.field("transfer-encoding") == "");
    CHECK(seen.body == "body");
}

TEST_CASE("client: host and target of the request stand before those of the address", "[client][client]") {
    ScriptedUpstream server;
    World world;
    world.ask(url_of(server), {http::Verb::get, "GET", "/b", "other.test", {}, {}});
    CHECK(server.requests().at(0).start_line == "GET /b HTTP/1.1");
    CHECK(server.requests().at(0).field("host") == "other.test");
    CHECK(server.requests().at(0).field("content-length") == "");
}

TEST_CASE("client: connections are used again", "[client][client]") {
    ScriptedUpstream server(ScriptedUpstream::answers(200, "ok"));
    World world;
    for (const Answer& answer : world.ask(url_of(server), {}, 3)) CHECK(answer.body == "ok");
    CHECK(server.accepted() == 1);
}

TEST_CASE("client: but not where that is not wanted", "[client][client]") {
    ScriptedUpstream server(ScriptedUpstream::answers(200, "ok"));
    World world;
    world.limits.keep_alive = false;
    for (const Answer& answer : world.ask(url_of(server), {}, 2)) CHECK(answer.body == "ok");
    CHECK(server.accepted() == 2);
    CHECK(server.requests().at(1).field("connection") == "close");
}

TEST_CASE("client: a waiting connection that proves dead is replaced, once and if the method allows", "[client]") {
    ScriptedUpstream server(leaves_after_one());
    World world;
    SECTION("GET") {
        for (const Answer& answer : world.ask(url_of(server), {}, 2)) CHECK(answer.body == "ok");
        CHECK(server.accepted() == 2);
        CHECK(server.request_count() == 3);
    }
    SECTION("POST") {
        const auto answers = world.ask(url_of(server), {http::Verb::post, "POST", {}, {}, {}, "x"}, 2);
        CHECK(answers[0].failure == Failure::none);
        CHECK(answers[1].failure == Failure::closed);
        CHECK(server.request_count() == 2);
    }
}

TEST_CASE("client: bodies of every framing are whole", "[client][client]") {
    const std::string text =
        GENERATE("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
                 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
                 "HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\nhello");
    ScriptedUpstream server(ScriptedUpstream::sends_and_closes(text));
    World world;
    const auto answers = world.ask(url_of(server));
    CHECK(answers[0].failure == Failure::none);
    CHECK(answers[0].body == "hello");
}

TEST_CASE("client: a large body is whole, or read and forgotten", "[client][client]") {
    const std::string large(300'000, 'x');
    ScriptedUpstream server(ScriptedUpstream::answers(200, large));
    World world;
    world.limits.keep_body = GENERATE(true, false);
    const auto answers = world.ask(url_of(server), {}, 2);
    CHECK(answers[1].failure == Failure::none);
    CHECK(answers[1].body == (world.limits.keep_body ? large : ""));
    CHECK(server.accepted() == 1);
}

TEST_CASE("client: what goes wrong has a name and an end", "[client][client]") {
    CHECK(failure_of(ScriptedUpstream::stalls()) == Failure::read_timeout);
    CHECK(failure_of(ScriptedUpstream::closes()) == Failure::closed);
    CHECK(failure_of(ScriptedUpstream::resets()) == Failure::closed);
    CHECK(failure_of(ScriptedUpstream::sends("rubbish\r\n\r\n")) == Failure::invalid);
    CHECK(failure_of(ScriptedUpstream::sends("HTTP/1.1 101 X\r\n\r\n")) == Failure::invalid);
    CHECK(failure_of(ScriptedUpstream::sends(std::string(70000, 'x'))) == Failure::invalid);
    CHECK(failure_of(ScriptedUpstream::sends("HTTP/1.1 200 OK\r\nA: " + std::string(70000, 'x'))) == Failure::invalid);
    CHECK(failure_of(ScriptedUpstream::answers(200, "12345")) == Failure::too_large);
    CHECK(failure_of(ScriptedUpstream::answers(200, "1234")) == Failure::none);
    CHECK(failure_of(ScriptedUpstream::sends_and_closes("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n12")) ==
          Failure::closed);
    CHECK(failure_of(ScriptedUpstream::sends(
              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n\r\n")) == Failure::too_large);
    CHECK(failure_of(ScriptedUpstream::sends("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n")) ==
          Failure::invalid);
}

TEST_CASE("client: a server that is not there", "[client][client]") {
    std::uint16_t port = 0;
    { const UniqueFd gone = listen_on_free_port(port); }
    CHECK(World().ask("http://127.0.0.1:" + std::to_string(port))[0].failure == Failure::connect_refused);
    CHECK(World().ask("https://127.0.0.1:" + std::to_string(port))[0].failure == Failure::connect_refused);
}

TEST_CASE("client: https over connections that are used again, and sessions that are resumed", "[client][tls]") {
    TestAuthority authority;
    net::trust_authorities(authority.file());
    const std::string large(300'000, 'x');
    ScriptedUpstream server(ScriptedUpstream::answers(200, large));
    TlsFront front(authority.issue("IP:127.0.0.1"), server.port());
    World world;
    SECTION("kept") {
        for (const Answer& answer : world.ask("https://" + front.node(), {}, 3)) CHECK((answer.body == large));
        CHECK(front.handshakes() == 1);
    }
    SECTION("one for each") {
        world.limits.keep_alive = false;
        const std::string body(100'000, 'y');
        const client::Request post{http::Verb::post, "POST", {}, {}, {}, body};
        const client::Url url = *client::parse_url("https://" + front.node());
        const Ref<upstream::Endpoint> held = world.endpoints.get("client+tls", url.host, url.port);
        for (const Answer& answer : world.ask(std::vector(3, url), post)) CHECK((answer.body == large));
        CHECK((server.requests().at(2).body == body));
        CHECK(front.handshakes() == 3);
        CHECK(front.resumed() == 2);
    }
}

TEST_CASE("client: a wrong certificate is told by its reason, and no unchecked connection gets around it",
          "[client][tls]") {
    TestAuthority authority;
    net::trust_authorities(authority.file());
    ScriptedUpstream server;
    TlsFront front(authority.issue("DNS:other.test"), server.port());
    client::Url checked = *client::parse_url("https://" + front.node()), unchecked = checked;
    unchecked.check_certificate = false;
    World world;
    const auto answers = world.ask(std::vector{unchecked, checked, unchecked}, {});
    CHECK(answers[0].body == "ok");
    CHECK(answers[1].failure == Failure::tls_failed);
    CHECK(client::describe(answers[1]) == "TLS handshake failed: certificate verify failed: IP address mismatch");
    CHECK(answers[2].body == "ok");
    CHECK(server.accepted() == 1);
}

TEST_CASE("client: a handshake that stalls ends with the limit for connecting, a plain server with an error",
          "[client][tls]") {
    ScriptedUpstream stalls(ScriptedUpstream::Raw(),
                            [](Connection& guest) { guest.wait_for_end(milliseconds(60'000)); });
    ScriptedUpstream plain(ScriptedUpstream::Raw(), [](Connection& guest) {
        guest.send("HTTP/1.1 400 Bad Request\r\n\r\n");
        guest.fill();
    });
    World world;
    world.limits.connect = Milliseconds(100);
    const auto answers = world.ask(
        std::vector{*client::parse_url("https://" + stalls.node()), *client::parse_url("https://" + plain.node())}, {});
    CHECK(answers[0].failure == Failure::connect_timeout);
    CHECK(client::describe(answers[1]) == "TLS handshake failed: wrong version number");
}

TEST_CASE("client: a body that ends with the connection is whole only with a goodbye", "[client][tls]") {
    TestAuthority authority;
    net::trust_authorities(authority.file());
    const bool clean = GENERATE(true, false);
    ScriptedUpstream server([clean](Connection& guest, const Message&) {
        guest.send("HTTP/1.1 200 OK\r\n\r\nhello");
        std::this_thread::yield();
        clean ? guest.close() : guest.reset();
    });
    TlsFront front(authority.issue("IP:127.0.0.1"), server.port());
    CHECK(World().ask("https://" + front.node())[0].failure == (clean ? Failure::none : Failure::closed));
}

TEST_CASE("client: an answer that trickles ends with the limit of the whole", "[client][client]") {
    std::atomic<bool> ended{false};
    ScriptedUpstream server([&ended](Connection& connection, const Message&) {
        connection.send("HTTP/1.1 200 OK\r\n\r\n");
        while (!ended && connection.try_send("x", milliseconds(50)) == 1) std::this_thread::yield();
    });
    World world;
    world.limits.read = Milliseconds(10'000);
    world.limits.whole = Milliseconds(200);
    world.limits.keep_body = false;
    CHECK(world.ask(url_of(server))[0].failure == Failure::read_timeout);
    ended = true;
}

TEST_CASE("client: what could break the request apart is not sent", "[client][client]") {
    ScriptedUpstream server;
    http::Fields fields;
    fields.add("X", "a\r\nY: b");
    const client::Request field{http::Verb::get, "GET", {}, {}, {fields.begin(), fields.end()}, {}};
    const client::Request target{http::Verb::get, "GET", "/a b", {}, {}, {}};
    const client::Request host{http::Verb::get, "GET", {}, "a\nb", {}, {}};
    for (const client::Request* request : {&field, &target, &host}) {
        CHECK(World().ask(url_of(server), *request)[0].failure == Failure::invalid_characters);
    }
    CHECK(server.accepted() == 0);
}

TEST_CASE("client: what is only told goes on by itself, and ends with the client", "[client][client]") {
    ScriptedUpstream slow(ScriptedUpstream::stalls());
    ScriptedUpstream server([&slow](Connection& connection, const Message& message) {
        if (!eventually([&] { return slow.request_count() == 1; })) return connection.close();
        ScriptedUpstream::answers(200, "ok")(connection, message);
    });
    World world;
    std::string body = "body";
    CHECK(world.client.tell(*client::parse_url(url_of(slow)), {http::Verb::post, "POST", {}, {}, {}, body}, {}));
    body = "gone";
    CHECK(world.client.telling() == 1);
    CHECK(world.ask(url_of(server))[0].body == "ok");
    CHECK(world.client.telling() == 1);
    CHECK(slow.requests().at(0).body == "body");
}

TEST_CASE("client: no more is told at a time than there is room for", "[client][client]") {
    ScriptedUpstream slow(ScriptedUpstream::stalls());
    World world;
    world.client.most_telling = 2;
    const auto url = *client::parse_url(url_of(slow));
    CHECK(world.client.tell(url, {}, {}));
    CHECK(world.client.tell(url, {}, {}));
    CHECK_FALSE(world.client.tell(url, {}, {}));
}

TEST_CASE("client: addresses of services", "[client][url]") {
    const auto url = client::parse_url("http://Auth.Test:8080/a?b#c");
    REQUIRE(url);
    CHECK(url->host == "Auth.Test");
    CHECK(url->port == 8080);
    CHECK(url->authority == "Auth.Test:8080");
    CHECK(url->target == "/a?b");
    CHECK(client::parse_url("https://[::1]")->host == "::1");
    CHECK(client::parse_url("https://[::1]")->port == 443);
    CHECK(client::parse_url("http://a?x")->target == "/?x");
    const std::string bad = GENERATE("a", "ftp://a", "http://", "http://u@a", "http://a:0", "http://a:x", "http://[::1",
                                     "http://[::1]x", "http://a b");
    CHECK_FALSE(client::parse_url(bad));
}
