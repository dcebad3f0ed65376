// gateway-loadgen MODE --port N …: load that wrk cannot make; prints one line of JSON per run.
//   requests   closed loop, or open with --rate R   [--method POST --body N] [--path /r/%d --host h%d --header "k: v%d"
//              --spread N] [--short] [--browser] [--window MILLISECONDS] [--connections C] [--count N | --seconds S];
//              without either until standard input ends
//   idle       C connections ask once and stay; each line on standard input makes them ask again; ends with the input
//   websockets C tunnels, each echoing a message every 100 ms, until standard input ends
//   transfer   one body of --bytes N, --direction down or up
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>

#include "bench/load/requests.hpp"
#include "libgateway/base/clock.hpp"

namespace {

using namespace gateway;
using namespace gateway::bench;

Plan plan_of(const Options& options) {
    Plan plan;
    plan.port = static_cast<std::uint16_t>(options.number("port", 0));
    plan.method = options.text("method", "GET");
    plan.path = options.text("path", "/");
    plan.host = options.text("host", "localhost");
    plan.header = options.text("header", "");
    plan.spread = options.number("spread", 1);
    plan.body = options.number("body", 0);
    plan.connections = options.number("connections", 32);
    plan.count = options.number("count", 0);
    plan.seconds = static_cast<double>(options.number("milliseconds", options.number("seconds", 0) * 1000)) / 1000;
    plan.rate = static_cast<double>(options.number("rate", 0));
    plan.window_ms = options.number("window", 0);
    plan.short_lived = options.number("short", 0) != 0;
    plan.browser = options.number("browser", 0) != 0;
    return plan;
}

void print(const std::string& line) {
    std::puts(line.c_str());
    std::fflush(stdout);
}

void hold_idle(Plan plan) {
    plan.once_each = true;
    Requests requests(plan);
    char line[256];
    do {
        Tally tally = requests.run();
        const std::string text = tally.json();
        print(text.substr(0, text.size() - 1) + ",\"open\":" + std::to_string(requests.open()) + "}");
    } while (std::fgets(line, sizeof line, stdin) != nullptr);
}

// One tunnel: the handshake, then the same bytes to and fro.
struct Tunnel {
    UniqueFd socket;
    std::string input;
    bool open = false, waiting = false;
};

const std::string message =
    "\x81\x85\x01\x02\x03\x04"
    "igojm";

bool send_all(int socket, std::string_view bytes) {
    return ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

// Blocking until the handshake is done, so that the run starts with all tunnels up.
bool shake_hands(Tunnel& tunnel, const Options& options) {
    tunnel.socket = start_connect(static_cast<std::uint16_t>(options.number("port", 0)));
    pollfd entry{tunnel.socket.get(), POLLOUT, 0};
    ::poll(&entry, 1, 5000);
    send_all(tunnel.socket.get(),
             "GET " + options.text("path", "/") +
                 " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    entry.events = POLLIN;
    while (tunnel.input.find("\r\n\r\n") == std::string::npos) {
        char block[4096];
        if (::poll(&entry, 1, 5000) <= 0) return false;
        const auto n = ::recv(tunnel.socket.get(), block, sizeof block, 0);
        if (n <= 0) return false;
        tunnel.input.append(block, static_cast<std::size_t>(n));
    }
    tunnel.open = tunnel.input.starts_with("HTTP/1.1 101");
    tunnel.input.clear();
    return tunnel.open;
}

// Reads what has come; false if the tunnel has ended or echoed something else.
bool hear(Tunnel& tunnel) {
    char block[4096];
    const auto n = ::recv(tunnel.socket.get(), block, sizeof block, 0);
    if (n < 0 && errno == EAGAIN) return true;
    if (n <= 0) return false;
    tunnel.input.append(block, static_cast<std::size_t>(n));
    if (tunnel.input == message) {
        tunnel.input.clear();
        tunnel.waiting = false;
        return true;
    }
    return message.starts_with(tunnel.input);
}

void run_tunnels(const Options& options) {
    std::vector<Tunnel> tunnels(options.number("connections", 200));
    std::uint64_t broken = 0, echoed = 0;
    for (auto& tunnel : tunnels) broken += shake_hands(tunnel, options) ? 0 : 1;
    print("{\"open\":" + std::to_string(tunnels.size() - broken) + "}");
    pollfd input{0, POLLIN, 0};
    while (::poll(&input, 1, 100) == 0) {
        for (auto& tunnel : tunnels) {
            if (!tunnel.open) continue;
            const bool was_waiting = tunnel.waiting;
            tunnel.open = hear(tunnel) && (tunnel.waiting || send_all(tunnel.socket.get(), message));
            if (!tunnel.open) ++broken;
            if (!tunnel.open) continue;
            echoed += was_waiting && !tunnel.waiting ? 1 : 0;
            tunnel.waiting = true;
        }
    }
    print("{\"broken\":" + std::to_string(broken) + ",\"echoed\":" + std::to_string(echoed) + "}");
}

std::uint64_t download(int socket, std::vector<char>& block) {
    std::string head;
    std::uint64_t got = 0, size = 0;
    while (size == 0 || got < size) {
        const auto n = ::recv(socket, block.data(), block.size(), 0);
        if (n <= 0) break;
        if (size > 0) {
            got += static_cast<std::uint64_t>(n);
            continue;
        }
        head.append(block.data(), static_cast<std::size_t>(n));
        const auto end = head.find("\r\n\r\n");
        if (end == std::string::npos) continue;
        size = content_length(std::string_view(head).substr(0, end + 2));
        got = head.size() - end - 4;
    }
    return got;
}

void transfer(const Options& options) {
    const std::uint64_t bytes = options.number("bytes", 1 << 30);
    const bool up = options.text("direction", "down") == "up";
    UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = loopback(static_cast<std::uint16_t>(options.number("port", 0)));
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        die("cannot connect");
    std::vector<char> block(256 * 1024, 'u');
    const std::string length = std::to_string(bytes);
    const auto start = monotonic_ns();
    send_all(socket.get(), up ? "POST /up HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + length + "\r\n\r\n"
                              : "GET /big/" + length + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    std::uint64_t moved = 0;
    while (up && moved < bytes) {
        const auto n =
            ::send(socket.get(), block.data(), std::min<std::uint64_t>(block.size(), bytes - moved), MSG_NOSIGNAL);
        if (n <= 0) break;
        moved += static_cast<std::uint64_t>(n);
    }
    const std::uint64_t answer = download(socket.get(), block);
    if (!up) moved = answer;
    char text[128];
    std::snprintf(text, sizeof text, "{\"bytes\":%lu,\"whole\":%s,\"seconds\":%.3f}", moved,
                  moved == bytes && answer > 0 ? "true" : "false", static_cast<double>(monotonic_ns() - start) / 1e9);
    print(text);
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    const std::string mode = argc > 1 ? argv[1] : "";
    const Options options(argc, argv, 2);
    if (mode == "requests") {
        print(Requests(plan_of(options)).run().json());
    } else if (mode == "idle") {
        hold_idle(plan_of(options));
    } else if (mode == "websockets") {
        run_tunnels(options);
    } else if (mode == "transfer") {
        transfer(options);
    } else {
        die("usage: gateway-loadgen requests|idle|websockets|transfer --port N …");
    }
}
