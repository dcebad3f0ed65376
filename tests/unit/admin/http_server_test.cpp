#include "libgateway/admin/http_server.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>

#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::admin;

namespace {

boost::asio::awaitable<Reply> echo(Request request) {
    co_return text_reply(200, request.method + " " + request.target + " " + request.body + " from " + request.peer);
}

HttpServer::Answers answers() {
    return {echo, [](std::uint64_t size) { return text_reply(400, "too large: " + std::to_string(size)); },
            [] { return text_reply(400, "malformed"); }};
}

// A server on a port of its own; the test turns its loop.
struct Served {
    explicit Served(HttpServer::Limits limits = {}) : server(loop, answers(), limits) {
        UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        here.sin_family = AF_INET;
        here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(::bind(listener.get(), reinterpret_cast<sockaddr*>(&here), sizeof here) == 0);
        REQUIRE(::listen(listener.get(), 8) == 0);
        socklen_t size = sizeof here;
        REQUIRE(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&here), &size) == 0);
        server.listen(std::move(listener));
    }
    ~Served() {
        server.stop();
        loop.restart();
        loop.run_for(std::chrono::milliseconds(5));
    }
    UniqueFd connect() const {
        UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        REQUIRE(::connect(client.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0);
        return client;
    }
    static void send(const UniqueFd& client, std::string_view bytes) {
        REQUIRE(::send(client.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
    }
    // Turns the loop until the client has read `part`, or the connection ends, or ten seconds are over.
    std::string read_until(const UniqueFd& client, std::string_view part) {
        std::string answer;
        std::array<char, 4096> buffer;
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (std::chrono::steady_clock::now() < deadline && answer.find(part) == std::string::npos) {
            loop.restart();
            loop.run_for(std::chrono::milliseconds(1));
            const ssize_t size = ::recv(client.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
            if (size > 0) answer.append(buffer.data(), static_cast<std::size_t>(size));
            if (size == 0) break;
        }
        return answer;
    }
    std::string ask(std::string_view bytes) {
        const UniqueFd client = connect();
        send(client, bytes);
        ::shutdown(client.get(), SHUT_WR);
        return read_until(client, "\x01");
    }
    boost::asio::io_context loop;
    HttpServer server;
    sockaddr_in here{};
};

}  // namespace

TEST_CASE("http server: requests of one connection are answered one after the other", "[admin][http_server]") {
    Served served;
    const std::string answer = served.ask(
        "PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nxyzHEAD /b HTTP/1.1\r\nHost: a\r\n\r\n"
        "GET /c HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /d HTTP/1.1\r\n\r\n");
    REQUIRE_THAT(answer, test::contains("PUT /a xyz from 127.0.0.1HTTP/1.1 200 OK"));
    REQUIRE_THAT(answer, !test::contains("HEAD /b"));
    REQUIRE_THAT(answer, test::contains("GET /c "));
    REQUIRE_THAT(answer, !test::contains("GET /d"));
    REQUIRE_THAT(answer, test::contains("Connection: close"));
}

TEST_CASE("http server: a body in chunks is read whole", "[admin][http_server]") {
    Served served;
    const std::string answer =
        served.ask("POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n");
    REQUIRE_THAT(answer, test::contains("POST /a abcde from"));
}

TEST_CASE("http server: a body over the limit is answered with its size, and the connection ends",
          "[admin][http_server]") {
    HttpServer::Limits limits;
    limits.body = 4;
    Served served(limits);
    SECTION("by its length") {
        const std::string answer = served.ask("PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde");
        REQUIRE_THAT(answer, test::contains("too large: 5"));
        REQUIRE_THAT(answer, test::contains("Connection: close"));
    }
    SECTION("in chunks") {
        const std::string answer =
            served.ask("PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n");
        REQUIRE_THAT(answer, test::contains("too large: 5"));
    }
    SECTION("exactly at the limit it is read") {
        REQUIRE_THAT(served.ask("PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabcd"),
                     test::contains("PUT /a abcd"));
    }
}

TEST_CASE("http server: what is no HTTP is answered and the connection ends", "[admin][http_server]") {
    Served served;
    const auto bytes = GENERATE(as<std::string>(), "nonsense\r\n\r\n", "GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
                                "GET / HTTP/9.9\r\n\r\n");
    REQUIRE_THAT(served.ask(bytes), test::contains("malformed"));
}

TEST_CASE("http server: a head over its limit is refused", "[admin][http_server]") {
    Served served;
    REQUIRE_THAT(served.ask("GET / HTTP/1.1\r\nX: " + std::string(20000, 'x') + "\r\n\r\n"),
                 test::contains("malformed"));
}

TEST_CASE("http server: who asks to go on is told to", "[admin][http_server]") {
    Served served;
    const UniqueFd client = served.connect();
    Served::send(client, "PUT /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    REQUIRE_THAT(served.read_until(client, "\r\n\r\n"), test::contains("HTTP/1.1 100 Continue"));
    Served::send(client, "ok");
    REQUIRE_THAT(served.read_until(client, "from"), test::contains("PUT /a ok"));
}

TEST_CASE("http server: further connections wait until there is room", "[admin][http_server]") {
    HttpServer::Limits limits;
    limits.connections = 1;
    Served served(limits);
    UniqueFd first = served.connect();
    Served::send(first, "GET /first HTTP/1.1\r\nHost: a\r\n\r\n");
    REQUIRE_THAT(served.read_until(first, "from"), test::contains("/first"));
    const UniqueFd second = served.connect();
    Served::send(second, "GET /second HTTP/1.1\r\nHost: a\r\n\r\n");
    served.loop.restart();
    served.loop.run_for(std::chrono::milliseconds(20));
    REQUIRE(served.server.open() == 1);
    first.reset();
    REQUIRE_THAT(served.read_until(second, "from"), test::contains("/second"));
}

TEST_CASE("http server: a client that says nothing is let go", "[admin][http_server]") {
    HttpServer::Limits limits;
    limits.idle = std::chrono::milliseconds(20);
    Served served(limits);
    const UniqueFd client = served.connect();
    REQUIRE(served.read_until(client, "\x01").empty());
    // The client sees the end a moment before the server has let go of everything.
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (served.server.open() != 0 && std::chrono::steady_clock::now() < deadline) {
        served.loop.restart();
        served.loop.run_for(std::chrono::milliseconds(1));
    }
    REQUIRE(served.server.open() == 0);
}
