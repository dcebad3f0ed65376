#include "libgateway/admin/status_api.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>

#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::admin;

namespace {

// The API on a port of its own, and what one connection gets for some bytes.
struct Served {
    Served() : api(loop, [this] { return not_ready; }) {
        UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        REQUIRE(::listen(listener.get(), 8) == 0);
        socklen_t size = sizeof here;
        REQUIRE(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&here), &size) == 0);
        api.listen(std::move(listener));
    }
    ~Served() {
        api.stop();
        loop.run_for(std::chrono::milliseconds(1));
    }
    std::string ask(std::string_view bytes) {
        const UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        REQUIRE(::connect(client.get(), reinterpret_cast<sockaddr*>(&here), sizeof here) == 0);
        REQUIRE(::send(client.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
        ::shutdown(client.get(), SHUT_WR);
        std::string answer;
        std::array<char, 4096> buffer;
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (std::chrono::steady_clock::now() < deadline) {
            loop.restart();
            loop.run_for(std::chrono::milliseconds(1));
            const ssize_t size = ::recv(client.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
            if (size == 0) return answer;
            if (size > 0) answer.append(buffer.data(), static_cast<std::size_t>(size));
            if (size < 0 && errno != EAGAIN) return answer;
        }
        return "no end";
    }
    boost::asio::io_context loop;
    std::string not_ready;
    StatusApi api;
    sockaddr_in here{};
};

}  // namespace

TEST_CASE("status reply: texts of the specification", "[admin][status_api]") {
    REQUIRE(status_reply("GET", "/status", "worker 1 lags").body == R"({"status":"ok"})");
    REQUIRE(status_reply("GET", "/status/ready", "").body == R"({"status":"ok"})");
    REQUIRE(status_reply("GET", "/status/ready?x=1", "").status == 200);
    const StatusReply reply = status_reply("GET", "/status/ready", "worker id: 1 has not received configuration");
    REQUIRE(reply.status == 503);
    REQUIRE(reply.body == R"({"status":"error","error":"worker id: 1 has not received configuration"})");
}

TEST_CASE("status reply: other paths and methods are turned away", "[admin][status_api]") {
    REQUIRE(status_reply("GET", "/", "").status == 404);
    REQUIRE(status_reply("GET", "/status/", "").status == 404);
    REQUIRE(status_reply("POST", "/status", "").status == 405);
}

TEST_CASE("status api: answers over a real connection, kept alive", "[admin][status_api]") {
    Served served;
    const std::string answer = served.ask(
        "GET /status HTTP/1.1\r\nHost: a\r\n\r\nHEAD /status/ready HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    REQUIRE(answer.find("HTTP/1.1 200 OK") == 0);
    REQUIRE(answer.find(R"({"status":"ok"}HTTP/1.1 200 OK)") != std::string::npos);
    REQUIRE(answer.substr(answer.size() - 4) == "\r\n\r\n");
}

TEST_CASE("status api: not ready is 503 with the reason", "[admin][status_api]") {
    Served served;
    served.not_ready = "worker 1 lags";
    const std::string answer = served.ask("GET /status/ready HTTP/1.0\r\n\r\n");
    REQUIRE(answer.find(" 503 ") != std::string::npos);
    REQUIRE(answer.find("worker 1 lags") != std::string::npos);
}

TEST_CASE("status api: garbage and oversized heads end the connection without an answer of 200",
          "[admin][status_api]") {
    Served served;
    const std::string bytes =
        GENERATE(as<std::string>{}, "garbage\r\n\r\n", "GET /status HTTP/1.1\r\nx: " + std::string(20'000, 'a'),
                 "GET /status HTTP/1.1\r\nContent-Length: 100000\r\n\r\n", "");
    REQUIRE(served.ask(bytes).find(" 200 ") == std::string::npos);
    REQUIRE(served.ask("GET /status HTTP/1.0\r\n\r\n").find(" 200 ") != std::string::npos);
}
