// What one wake-up of the data plane costs: the reactor as the loop itself, against the same epoll descriptor waited
// for by an Asio io_context. Prints nanoseconds per ping-pong; for instructions and system calls run it under callgrind
// or strace -c:
//   loop_bench own 100000      loop_bench nested 100000
#include <sys/epoll.h>
#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "libgateway/base/task.hpp"
#include "libgateway/net/stream.hpp"
#include "libgateway/net/wait.hpp"

using namespace gateway;

namespace {

void make_pair(UniqueFd& a, UniqueFd& b) {
    int fds[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) != 0) std::abort();
    a.reset(fds[0]);
    b.reset(fds[1]);
}

Task<void> play(net::Reactor& reactor, net::Stream& stream, long rounds, bool serves) {
    net::Sleeper sleeper(reactor);
    char byte = 0;
    const iovec part{&byte, 1};
    char block[16];
    if (serves) stream.write(&part, 1);
    for (long i = 0; i < rounds; ++i) {
        while (stream.read(block).state == net::IoState::would_block) {
            co_await sleeper.wait(stream.descriptor(), net::readable, Milliseconds(0));
        }
        stream.write(&part, 1);
    }
    reactor.stop();
}

double own(long rounds) {
    net::Reactor reactor;
    UniqueFd left, right;
    make_pair(left, right);
    net::Stream a, b;
    a.open(reactor, std::move(left));
    b.open(reactor, std::move(right));
    spawn(play(reactor, b, rounds, false));
    const auto start = monotonic_ns();
    spawn(play(reactor, a, rounds, true));
    reactor.run([](std::int64_t) {});
    return static_cast<double>(monotonic_ns() - start) / static_cast<double>(rounds);
}

// The same two ends, plain functions, in an epoll descriptor of its own that Asio waits for.
struct Nested {
    boost::asio::io_context context{1};
    UniqueFd inner{::epoll_create1(EPOLL_CLOEXEC)};
    boost::asio::posix::stream_descriptor outer{context, inner.get()};
    long left;

    void arm() {
        outer.async_wait(boost::asio::posix::descriptor_base::wait_read, [this](boost::system::error_code) {
            epoll_event events[64];
            const int count = ::epoll_wait(inner.get(), events, 64, 0);
            for (int i = 0; i < count; ++i) {
                char block[16];
                if (!(events[i].events & EPOLLIN) || ::recv(events[i].data.fd, block, sizeof block, 0) <= 0) continue;
                ::send(events[i].data.fd, block, 1, 0);
                --left;
            }
            if (left > 0) arm();
        });
    }
};

double nested(long rounds) {
    Nested loop;
    loop.left = 2 * rounds;
    UniqueFd a, b;
    make_pair(a, b);
    for (const int fd : {a.get(), b.get()}) {
        epoll_event event{};
        event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | static_cast<std::uint32_t>(EPOLLET);
        event.data.fd = fd;
        ::epoll_ctl(loop.inner.get(), EPOLL_CTL_ADD, fd, &event);
    }
    const auto start = monotonic_ns();
    ::send(a.get(), "x", 1, 0);
    loop.arm();
    loop.context.run();
    const double spent = static_cast<double>(monotonic_ns() - start) / static_cast<double>(rounds);
    static_cast<void>(loop.outer.release());
    return spent;
}

}  // namespace

int main(int argc, char* argv[]) {
    const char* which = argc > 1 ? argv[1] : "both";
    const long rounds = argc > 2 ? std::atol(argv[2]) : 100000;
    if (std::strcmp(which, "nested") != 0) std::printf("own loop           %8.0f ns per round trip\n", own(rounds));
    if (std::strcmp(which, "own") != 0) std::printf("inside io_context  %8.0f ns per round trip\n", nested(rounds));
}
