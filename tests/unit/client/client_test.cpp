#include "libgateway/client/client.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/scripted_upstream.hpp"

using namespace gateway;
using namespace gateway::test;
using client::Answer;
using client::Failure;

namespace {

struct World {
    net::Reactor reactor;
    net::Resolver resolver{reactor, {}};
    net::BufferPool buffers;
    upstream::EndpointTable endpoints;
    upstream::Pool pool{reactor};
    client::Client client{reactor, resolver, buffers, endpoints, pool};
    client::Limits limits;

    Answer ask(const std::string& url, const client::Request& request = {}) {
        Answer answer;
        const auto parsed = client::parse_url(url);
        REQUIRE(parsed);
        spawn(run(*parsed, request, answer));
        reactor.run([](std::int64_t) {});
        return answer;
    }
    ~World() {
        for (const auto& [key, endpoint] : endpoints.all()) kept.emplace_back(endpoint);
        for (const auto& endpoint : kept) pool.close_idle(*endpoint);
    }

private:
    Task<void> run(const client::Url& url, const client::Request& request, Answer& answer) {
        co_await reactor.yield();
        co_await client.send(url, request, limits, answer);
        reactor.stop();
    }
    std::vector<Ref<upstream::Endpoint>> kept;
};

std::string url_of(const ScriptedUpstream& server, const std::string& target = "/auth?x=1") {
    return "http://" + server.node() + target;
}

}  // namespace

TEST_CASE("client: a question and its answer", "[client][client]") {
    ScriptedUpstream server(ScriptedUpstream::answers(403, "no", "X-A: 1\r\n"));
    World world;
    http::Fields fields;
    fields.add("X-B", "2");
    fields.add("Connection", "x");
    fields.add("Transfer-Encoding", "chunked");
    const Answer answer = world.ask(url_of(server), {http::Verb::post, "POST", {}, &fields, "body"});
    CHECK(answer.failure == Failure::none);
    CHECK(answer.head.status == 403);
    CHECK(answer.head.fields.get("X-A") == "1");
    CHECK(answer.body == "no");
    const Message seen = server.requests().at(0);
    CHECK(seen.start_line == "POST /auth?x=1 HTTP/1.1");
    CHECK(seen.field("host") == server.node());
    CHECK(seen.field("x-b") == "2");
    CHECK(seen.field("content-length") == "4");
    CHECK(seen.field("transfer-encoding") == "");
    CHECK(seen.body == "body");
}

TEST_CASE("client: bodies of every framing are whole", "[client][client]") {
    const std::string text =
        GENERATE("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
                 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
                 "HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\nhello");
    ScriptedUpstream server(ScriptedUpstream::sends_and_closes(text));
    World world;
    const Answer answer = world.ask(url_of(server));
    CHECK(answer.failure == Failure::none);
    CHECK(answer.body == "hello");
}

TEST_CASE("client: what goes wrong has a name and an end", "[client][client]") {
    const auto failure = [](ScriptedUpstream::Answer answer) {
        ScriptedUpstream server(std::move(answer));
        World world;
        world.limits.read = Milliseconds(100);
        world.limits.body = 4;
        return world.ask(url_of(server)).failure;
    };
    CHECK(failure(ScriptedUpstream::stalls()) == Failure::read_timeout);
    CHECK(failure(ScriptedUpstream::closes()) == Failure::closed);
    CHECK(failure(ScriptedUpstream::resets()) == Failure::closed);
    CHECK(failure(ScriptedUpstream::sends("rubbish\r\n\r\n")) == Failure::invalid);
    CHECK(failure(ScriptedUpstream::sends("HTTP/1.1 101 X\r\n\r\n")) == Failure::invalid);
    CHECK(failure(ScriptedUpstream::sends(std::string(70000, 'x'))) == Failure::invalid);
    CHECK(failure(ScriptedUpstream::answers(200, "12345")) == Failure::too_large);
    CHECK(failure(ScriptedUpstream::answers(200, "1234")) == Failure::none);
    CHECK(failure(ScriptedUpstream::sends_and_closes("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n12")) ==
          Failure::closed);
    CHECK(failure(ScriptedUpstream::sends(
              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n\r\n")) == Failure::too_large);
    std::uint16_t port = 0;
    listen_on_free_port(port);
    CHECK(World().ask("http://127.0.0.1:" + std::to_string(port)).failure == Failure::connect_refused);
    CHECK(World().ask("https://127.0.0.1").failure == Failure::tls_unsupported);
}

TEST_CASE("client: what could break the request apart is not sent", "[client][client]") {
    ScriptedUpstream server;
    http::Fields fields;
    fields.add("X", "a\r\nY: b");
    CHECK(World().ask(url_of(server), {http::Verb::get, "GET", {}, &fields, {}}).failure ==
          Failure::invalid_characters);
    CHECK(World().ask(url_of(server), {http::Verb::get, "GET", "/a b", nullptr, {}}).failure ==
          Failure::invalid_characters);
    CHECK(server.accepted() == 0);
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
