#include "libgateway/process/control_server.hpp"

#include <sys/socket.h>

#include <array>
#include <boost/asio/detached.hpp>
#include <chrono>

#include "libgateway/process/control_async.hpp"
#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::process;

namespace {

// A server whose commands answer their own name, `slow` only when it is released, `throws` with an exception.
struct Served {
    Served() : server(loop, [this](control::Request request) { return answer(std::move(request)); }), release(loop) {
        release.expires_at(asio::steady_timer::time_point::max());
    }
    ~Served() {
        release.cancel();
        loop.restart();
        loop.run_for(std::chrono::milliseconds(1));
    }
    asio::awaitable<control::Answer> answer(control::Request request) {
        if (request.command == "throws") throw std::runtime_error("out of order");
        if (request.command == "slow") co_await release.async_wait(quietly);
        control::Answer answer;
        answer.result = json::write(json::Value(request.command));
        co_return answer;
    }
    UniqueFd connect() {
        std::array<int, 2> pair{};
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) == 0);
        server.add(UniqueFd(pair[1]));
        return UniqueFd(pair[0]);
    }
    void send(const UniqueFd& client, std::string_view bytes) {
        REQUIRE(::send(client.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) ==
                static_cast<ssize_t>(bytes.size()));
    }
    // What arrives until `lines` line ends or the end; "…" at the end if the connection was closed.
    std::string receive(const UniqueFd& client, int lines) {
        std::string text;
        std::array<char, 4096> buffer;
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (lines > 0 && std::chrono::steady_clock::now() < deadline) {
            loop.restart();
            loop.run_for(std::chrono::milliseconds(1));
            const ssize_t size = ::recv(client.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
            if (size == 0) return text + "…";
            for (ssize_t i = 0; i < size; ++i) lines -= buffer[static_cast<std::size_t>(i)] == '\n' ? 1 : 0;
            if (size > 0) text.append(buffer.data(), static_cast<std::size_t>(size));
        }
        return text;
    }
    asio::io_context loop;
    ControlServer server;
    asio::steady_timer release;
};

constexpr std::string_view status_request = "{\"command\":\"status\"}\n";
constexpr std::string_view status_answer = "{\"status\":\"ok\",\"errors\":[],\"result\":\"status\"}\n";

}  // namespace

TEST_CASE("control server: answers request after request on one connection", "[process][control_server]") {
    Served served;
    const UniqueFd client = served.connect();
    served.send(client, status_request);
    REQUIRE(served.receive(client, 1) == status_answer);
    served.send(client, std::string(status_request) + std::string(status_request));
    REQUIRE(served.receive(client, 2) == std::string(status_answer) + std::string(status_answer));
}

TEST_CASE("control server: a request may come byte by byte", "[process][control_server]") {
    Served served;
    const UniqueFd client = served.connect();
    for (const char& byte : status_request) {
        served.send(client, {&byte, 1});
        served.loop.restart();
        served.loop.poll();
    }
    REQUIRE(served.receive(client, 1) == status_answer);
}

TEST_CASE("control server: garbage is answered and the connection lives on", "[process][control_server]") {
    Served served;
    const UniqueFd client = served.connect();
    served.send(client, std::string("\xff\x00garbage\n", 10));
    REQUIRE(served.receive(client, 1).find("{\"status\":\"usage\",\"errors\":[\"no request: ") == 0);
    served.send(client, status_request);
    REQUIRE(served.receive(client, 1) == status_answer);
}

TEST_CASE("control server: a command that throws is a refusal", "[process][control_server]") {
    Served served;
    const UniqueFd client = served.connect();
    served.send(client, "{\"command\":\"throws\"}\n");
    REQUIRE(served.receive(client, 1) == "{\"status\":\"refused\",\"errors\":[\"out of order\"],\"result\":null}\n");
}

TEST_CASE("control server: a slow command holds up nobody else", "[process][control_server]") {
    Served served;
    const UniqueFd slow = served.connect(), quick = served.connect();
    served.send(slow, "{\"command\":\"slow\"}\n");
    served.send(quick, status_request);
    REQUIRE(served.receive(quick, 1) == status_answer);
    served.release.cancel();
    REQUIRE(served.receive(slow, 1).find("\"slow\"") != std::string::npos);
}

TEST_CASE("control server: who leaves in the middle harms nobody", "[process][control_server]") {
    Served served;
    UniqueFd rude = served.connect();
    const std::string_view part = GENERATE("", "{\"comm", "{\"command\":\"slow\"}\n", "{\"command\":\"status\"}\n");
    served.send(rude, part.empty() ? "x" : part);
    rude.reset();
    const UniqueFd client = served.connect();
    served.send(client, status_request);
    REQUIRE(served.receive(client, 1) == status_answer);
}

TEST_CASE("control server: an endless line is refused and the connection closed", "[process][control_server]") {
    Served served;
    const UniqueFd client = served.connect();
    const std::string chunk(60'000, 'x');
    std::size_t sent = 0;
    while (sent <= control::most_request_bytes) {
        const ssize_t size = ::send(client.get(), chunk.data(), chunk.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (size > 0) sent += static_cast<std::size_t>(size);
        served.loop.restart();
        served.loop.poll();
    }
    const std::string answer = served.receive(client, 2);
    REQUIRE(answer.find("longer than 96 MiB") != std::string::npos);
    REQUIRE(answer.find("…") != std::string::npos);
}
