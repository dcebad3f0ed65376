// Bodies larger than any buffer: digests equal, memory bounded, back-pressure both ways, flushed as they arrive.
// GATEWAY_LARGE_MIB in the environment makes the large ones larger.
#include <cstdlib>
#include <stdexcept>

#include "tests/integration/body_stream.hpp"
#include "tests/integration/http_story.hpp"
#include "tests/support/catch.hpp"

using namespace gateway::test;

namespace {

// Of 64 KiB: 200 MiB, or what GATEWAY_LARGE_MIB says.
const std::uint64_t blocks = [] {
    const char* mib = std::getenv("GATEWAY_LARGE_MIB");
    return 16 * (mib ? std::strtoull(mib, nullptr, 10) : 200);
}();
const std::uint64_t total = blocks * 65536;
#ifdef GATEWAY_SANITIZED
constexpr long most_growth_kib = 256 * 1024;  // the sanitizer keeps freed blocks
#else
constexpr long most_growth_kib = 16 * 1024;
#endif

void send_pattern(Connection& to, std::uint64_t count, bool chunked) {
    for (std::uint64_t n = 0; n < count; ++n) {
        if (chunked) to.send("10000\r\n");
        to.send(pattern_block(n));
        if (chunked) to.send("\r\n");
    }
    if (chunked) to.send("0\r\n\r\n");
}

// The number behind `key` in a file of /proc.
long number_in(const std::string& path, std::string_view key) {
    std::ifstream file(path);
    for (std::string word; file >> word;) {
        long number = 0;
        if (word == key && file >> number) return number;
    }
    throw std::runtime_error(path + " tells no " + std::string(key));
}

// What a large body costs a worker: memory by its peak, files by the bytes written to anything but sockets.
class Footprint {
public:
    explicit Footprint(pid_t worker) : proc_("/proc/" + std::to_string(worker)) {
        std::ofstream(proc_ + "/clear_refs") << "5";  // forgets the peak so far
    }
    void check() const {
        const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begun_;
        const long growth = number_in(proc_ + "/status", "VmHWM:") - resident_;
        WARN((total >> 20) << " MiB in " << spent.count() << " s, peak growth " << growth << " KiB");
        CHECK(growth < most_growth_kib);
        CHECK(number_in(proc_ + "/io", "wchar:") - written_ < 1 << 20);
    }

private:
    std::string proc_;
    long resident_ = number_in(proc_ + "/status", "VmRSS:"), written_ = number_in(proc_ + "/io", "wchar:");
    std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

// Answers every request with the pattern and reads every body away, telling its digest.
class StreamingUpstream {
public:
    ScriptedUpstream::Talk talk() {
        return [this](Connection& connection) {
            while (connection.fill()) {
                const std::string head = connection.read_until("\r\n\r\n");
                if (head.starts_with("GET")) {
                    connection.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(total) + "\r\n\r\n");
                    send_pattern(connection, blocks, false);
                } else {
                    received = drain(connection, total);
                    connection.send(make_response(200, "taken"));
                }
            }
        };
    }
    Digest received;
};

std::string node_of(const ScriptedUpstream& upstream) {
    return node_map(upstream.node());
}

}  // namespace

TEST_CASE("http streams: a large download arrives whole in bounded memory", "[e2e][http][large]") {
    StreamingUpstream script;
    ScriptedUpstream upstream(ScriptedUpstream::Raw{}, script.talk());
    GatewayProcess gateway(stage_options(node_of(upstream), {}));
    const pid_t worker = gateway.workers().at(0);
    const Footprint footprint(worker);
    RawClient client(gateway.port());
    client.send(make_request("GET", "/large"));
    CHECK(client.read_until("\r\n\r\n").find(std::to_string(total)) != std::string::npos);
    const Digest received = drain(client, total);
    CHECK(received == pattern_digest(blocks));
    footprint.check();
    CHECK(gateway.workers().at(0) == worker);
}

TEST_CASE("http streams: a large upload arrives whole in bounded memory", "[e2e][http][large]") {
    StreamingUpstream script;
    ScriptedUpstream upstream(ScriptedUpstream::Raw{}, script.talk());
    GatewayProcess gateway(stage_options(node_of(upstream), {}));
    const pid_t worker = gateway.workers().at(0);
    const Footprint footprint(worker);
    RawClient client(gateway.port());
    client.set_limit(60s);
    client.send("PUT /large HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(total) + "\r\n\r\n");
    send_pattern(client, blocks, false);
    CHECK(client.response().body == "taken");
    CHECK(script.received == pattern_digest(blocks));
    footprint.check();
}

TEST_CASE("http streams: a client that stops reading stops the upstream, and gets everything once it reads on",
          "[e2e][http]") {
    constexpr std::uint64_t count = 512;  // 32 MiB
    std::atomic<std::uint64_t> sent{0};
    ScriptedUpstream upstream(ScriptedUpstream::Raw{}, [&](Connection& to) {
        to.read_until("\r\n\r\n");
        to.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (std::uint64_t n = 0; n < count; ++n) {
            to.send("10000\r\n");
            to.send(pattern_block(n));
            to.send("\r\n");
            sent = n + 1;
        }
        to.send("0\r\n\r\n");
        to.wait_for_end(60s);
    });
    GatewayProcess gateway(stage_options(node_of(upstream), {.http = "send_timeout: 60s"}));
    RawClient client(gateway.port(), "127.0.0.1", 65536);
    client.send(make_request("GET", "/"));
    CHECK(client.read_until("\r\n\r\n").starts_with("HTTP/1.1 200"));
    std::uint64_t last = 0;
    int quiet = 0;
    CHECK(eventually([&] {
        quiet = sent == last ? quiet + 1 : 0;
        last = sent;
        return quiet > 100;
    }));
    CHECK(last < count / 2);
    Digest digest;
    for (std::uint64_t n = 0; n < count;) {
        const std::string size = client.read_until("\r\n");
        const auto bytes = std::stoull(size, nullptr, 16);
        digest.add(client.read_exactly(bytes));
        client.read_exactly(2);
        n = digest.size() / 65536;
    }
    CHECK(digest == pattern_digest(count));
}

TEST_CASE("http streams: an upstream that stops reading stops the client", "[e2e][http]") {
    std::atomic<bool> go{false};
    Digest received;
    constexpr std::uint64_t count = 512, size = count * 65536;
    ScriptedUpstream upstream(ScriptedUpstream::Raw{}, [&](Connection& from) {
        from.read_until("\r\n\r\n");
        CHECK(eventually([&] { return go.load(); }, 30s));
        received = drain(from, size);
        from.send(make_response(200, "taken"));
        from.wait_for_end(10s);
    });
    GatewayProcess gateway(stage_options(node_of(upstream), {}));
    RawClient client(gateway.port());
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n");
    std::string rest;
    std::uint64_t n = 0;
    for (; n < count; ++n) {
        const std::size_t taken = client.try_send(pattern_block(n), 300ms);
        if (taken == 65536) continue;
        rest = pattern_block(n).substr(taken);
        break;
    }
    CHECK(n < count);
    go = true;
    client.set_limit(30s);
    client.send(rest);
    for (++n; n < count; ++n) client.send(pattern_block(n));
    CHECK(client.response().body == "taken");
    CHECK(received == pattern_digest(count));
}

TEST_CASE("http streams: events are flushed as they arrive", "[e2e][http]") {
    const std::string type = GENERATE("Content-Type: text/event-stream\r\n", "Content-Type: application/grpc-web\r\n",
                                      "Content-Type: text/plain\r\nX-Accel-Buffering: no\r\n");
    for (const std::string framing : {"Transfer-Encoding: chunked\r\n", "X-Until: close\r\n"}) {
        std::atomic<int> allowed{0};
        ScriptedUpstream upstream(ScriptedUpstream::Raw{}, [&](Connection& to) {
            to.read_until("\r\n\r\n");
            to.send("HTTP/1.1 200 OK\r\n" + type + framing + "\r\n");
            for (int i = 1; i <= 3; ++i) {
                if (!eventually([&] { return allowed >= i; })) return;
                const std::string event = "data: " + std::to_string(i) + "\n\n";
                to.send(framing[0] == 'T' ? "9\r\n" + event + "\r\n" : event);
            }
            if (framing[0] == 'T') to.send("0\r\n\r\n");
        });
        GatewayProcess gateway(stage_options(node_of(upstream), {}));
        RawClient client(gateway.port());
        client.send(make_request("GET", "/events"));
        CHECK(client.read_until("\r\n\r\n").starts_with("HTTP/1.1 200"));
        for (int i = 1; i <= 3; ++i) {
            allowed = i;
            CHECK(client.read_until("data: " + std::to_string(i) + "\n\n\r\n").starts_with("9\r\n"));
        }
        CHECK(client.read_until("0\r\n\r\n") == "0\r\n\r\n");
    }
}

TEST_CASE("http streams: a large transfer does not keep the loop from other clients", "[e2e][http][large]") {
    StreamingUpstream script;
    ScriptedUpstream upstream(ScriptedUpstream::Raw{}, script.talk());
    GatewayProcess gateway([&] {
        GatewayOptions options = stage_options(node_of(upstream), {});
        options.routes += "  - id: 2\n    uri: /quick\n    plugins: {mocking: {response_example: quick}}\n";
        return options;
    }());
    RawClient large(gateway.port()), quick(gateway.port());
    CHECK(quick.get("/quick").body == "quick");
    large.send(make_request("GET", "/large"));
    CHECK(large.read_until("\r\n\r\n").starts_with("HTTP/1.1 200"));
    Digest received;
    for (int round = 0; round < 50; ++round) {
        received = drain(large, 65536 * 16);
        const auto asked = std::chrono::steady_clock::now();
        CHECK(quick.get("/quick").body == "quick");
        CHECK(std::chrono::steady_clock::now() - asked < 2s * patience);
    }
}
