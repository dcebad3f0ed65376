// gateway-bench-changer --socket PATH --port N [--per-second 50] [--seconds 60]: puts one route again and again through
// the control socket and asks for it until the new answer comes; prints one line of JSON.
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <vector>

#include "bench/load/sockets.hpp"
#include "libgateway/base/clock.hpp"

namespace {

using namespace gateway;
using namespace gateway::bench;

constexpr std::int64_t give_up_ns = 5'000'000'000;

UniqueFd control_socket(const std::string& path) {
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) die("the socket's path is too long");
    std::memcpy(address.sun_path, path.c_str(), path.size());
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        die("no gateway at " + path);
    return fd;
}

void send_whole(int fd, const std::string& text) {
    if (::send(fd, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) die("cannot send");
}

std::string read_line(int fd) {
    std::string text;
    char block[4096];
    while (text.empty() || text.back() != '\n') {
        const auto n = ::recv(fd, block, sizeof block, 0);
        if (n <= 0) die("the control socket was closed");
        text.append(block, static_cast<std::size_t>(n));
    }
    return text;
}

void put(int fd, std::uint64_t number) {
    const std::string content =
        R"({\"uri\":\"/change\",\"plugins\":{\"mocking\":{\"content_type\":\"text/plain\",\"response_example\":\"v)" +
        std::to_string(number) + R"(\"}}})";
    send_whole(fd, R"({"command":"put","arguments":{"kind":"route","id":"change","content":")" + content + "\"}}\n");
    const std::string answer = read_line(fd);
    if (answer.find("\"status\":\"ok\"") == std::string::npos && answer.find("\"not_ready\"") == std::string::npos)
        die("put: " + answer);
}

// One request on a kept connection.
std::string ask(int fd) {
    send_whole(fd, "GET /change HTTP/1.1\r\nHost: localhost\r\n\r\n");
    std::string text;
    char block[4096];
    for (;;) {
        const auto n = ::recv(fd, block, sizeof block, 0);
        if (n <= 0) die("the gateway closed the connection");
        text.append(block, static_cast<std::size_t>(n));
        const auto end = text.find("\r\n\r\n");
        if (end == std::string::npos) continue;
        if (text.size() >= end + 4 + content_length(std::string_view(text).substr(0, end + 2)))
            return text.substr(end + 4);
    }
}

void sleep_until(std::int64_t when_ns) {
    const timespec when{when_ns / 1'000'000'000, when_ns % 1'000'000'000};
    ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, nullptr);
}

UniqueFd client_of(std::uint16_t port) {
    UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    no_delay(fd.get());
    const sockaddr_in address = loopback(port);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) die("cannot connect");
    return fd;
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    const Options options(argc, argv, 1);
    const UniqueFd control = control_socket(options.text("socket", ""));
    const UniqueFd client = client_of(static_cast<std::uint16_t>(options.number("port", 0)));
    const auto pause_ns =
        static_cast<std::int64_t>(1'000'000'000 / std::max<std::uint64_t>(1, options.number("per-second", 50)));
    const std::uint64_t times = options.number("seconds", 60) * options.number("per-second", 50);
    std::vector<std::int64_t> seen;
    const std::int64_t start = monotonic_ns();
    for (std::uint64_t number = 1; number <= times; ++number) {
        const std::int64_t sent = monotonic_ns();
        put(control.get(), number);
        const std::string expected = "v" + std::to_string(number);
        while (ask(client.get()).substr(0, expected.size()) != expected && monotonic_ns() - sent < give_up_ns)
            sleep_until(monotonic_ns() + 200'000);
        seen.push_back(monotonic_ns() - sent);
        sleep_until(start + static_cast<std::int64_t>(number) * pause_ns);
    }
    const double seconds = static_cast<double>(monotonic_ns() - start) / 1e9;
    std::sort(seen.begin(), seen.end());
    const auto at = [&seen](double part) {
        return static_cast<double>(seen[static_cast<std::size_t>(part * static_cast<double>(seen.size() - 1))]) / 1e6;
    };
    std::printf("{\"made\":%zu,\"seconds\":%.3f,\"median_ms\":%.3f,\"p99_ms\":%.3f,\"most_ms\":%.3f}\n", seen.size(),
                seconds, at(0.5), at(0.99), at(1));
}
