// Two connected sockets: one as the stream under test, one in the hands of the test.
#pragma once

#include <sys/socket.h>

#include <string>
#include <string_view>

#include "libgateway/net/stream.hpp"
#include "tests/support/catch.hpp"

namespace gateway::test {

class SocketPair {
public:
    SocketPair() {
        int fds[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
        other_.reset(fds[1]);
        REQUIRE(stream.open(reactor, UniqueFd(fds[0]), net::writable));
    }
    // What the other side says, visible to the stream.
    void say(std::string_view bytes) {
        REQUIRE(::send(other_.get(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
        stream.descriptor().raise(net::readable);
    }
    // What the stream has sent so far.
    std::string heard() {
        std::string all;
        char block[4096];
        for (ssize_t n; (n = ::recv(other_.get(), block, sizeof block, 0)) > 0;)
            all.append(block, static_cast<std::size_t>(n));
        return all;
    }
    void hang_up() {
        other_.reset();
        stream.descriptor().raise(net::readable | net::hangup);
    }

    net::Reactor reactor;
    net::Stream stream;

private:
    UniqueFd other_;
};

}  // namespace gateway::test
