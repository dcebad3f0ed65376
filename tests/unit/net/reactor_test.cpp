#include "libgateway/net/reactor.hpp"

#include <sys/socket.h>

#include <string>

#include "libgateway/base/task.hpp"
#include "libgateway/net/stream.hpp"
#include "libgateway/net/wait.hpp"
#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::net;

namespace {

struct Pair {
    UniqueFd left, right;
    Pair() {
        int fds[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
        left.reset(fds[0]);
        right.reset(fds[1]);
    }
};

Task<void> read_until_closed(Reactor& reactor, Stream& stream, std::string& got) {
    Sleeper sleeper(reactor);
    char block[8];
    for (;;) {
        const IoResult result = stream.read(block);
        if (result.state == IoState::done) {
            got.append(block, result.bytes);
            continue;
        }
        if (result.state != IoState::would_block) break;
        co_await sleeper.wait(stream.descriptor(), readable, Milliseconds(0));
    }
    reactor.stop();
}

Task<void> wait_in_vain(Reactor& reactor, Stream& stream, Woke& woke) {
    Sleeper sleeper(reactor);
    woke = co_await sleeper.wait(stream.descriptor(), readable, Milliseconds(50));
    reactor.stop();
}

Task<void> sleep_twice(Reactor& reactor, std::int64_t& waited) {
    const auto start = monotonic_ns();
    co_await reactor.sleep(Milliseconds(5));
    co_await reactor.yield();
    waited = monotonic_ns() - start;
    reactor.stop();
}

}  // namespace

TEST_CASE("reactor: bytes larger than the buffer and an end all arrive", "[net][reactor]") {
    Reactor reactor;
    Pair pair;
    Stream stream;
    REQUIRE(stream.open(reactor, std::move(pair.left)));
    REQUIRE(::send(pair.right.get(), "hello, reactor", 14, 0) == 14);
    pair.right.reset();
    std::string got;
    spawn(read_until_closed(reactor, stream, got));
    reactor.run([](std::int64_t) {});
    REQUIRE(got == "hello, reactor");
}

TEST_CASE("reactor: a wait ends at its deadline", "[net][reactor]") {
    Reactor reactor;
    Pair pair;
    Stream stream;
    REQUIRE(stream.open(reactor, std::move(pair.left)));
    Woke woke = Woke::ready;
    spawn(wait_in_vain(reactor, stream, woke));
    reactor.run([](std::int64_t) {});
    REQUIRE(woke == Woke::expired);
}

TEST_CASE("reactor: sleep lasts at least as long as asked", "[net][reactor]") {
    Reactor reactor;
    std::int64_t waited = 0;
    spawn(sleep_twice(reactor, waited));
    reactor.run([](std::int64_t) {});
    REQUIRE(waited >= 5'000'000);
}

TEST_CASE("wheel: a node armed later than it is linked fires once, at the later time", "[net][deadline]") {
    struct Counting : DeadlineNode {
        Counting() : DeadlineNode([](DeadlineNode& node) { ++static_cast<Counting&>(node).fired; }) {}
        int fired = 0;
    };
    DeadlineWheel wheel;
    wheel.advance(1'000'000);
    Counting node;
    wheel.arm(node, 1'000'000, Milliseconds(500));
    wheel.arm(node, 1'000'000, Milliseconds(200'000));  // beyond the wheel's span
    for (std::int64_t now = 1'000'000; now < 1'200'000; now += 50) wheel.advance(now);
    REQUIRE(node.fired == 0);
    for (std::int64_t now = 1'200'000; now < 1'201'000; now += 50) wheel.advance(now);
    REQUIRE(node.fired == 1);
    wheel.arm(node, 1'201'000, Milliseconds(100));
    node.disarm();
    wheel.advance(1'300'000);
    REQUIRE(node.fired == 1);
}
