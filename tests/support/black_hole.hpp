// An address that takes connections and never answers: for time limits of connecting, and for leaving meanwhile.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/support/connection.hpp"
#include "tests/support/eventually.hpp"

namespace gateway::test {

// A listener whose queue is full: whoever connects waits for an answer that does not come.
class BlackHole {
public:
    BlackHole() : listener_(listen_on_free_port(port_)) {
        if (::listen(listener_.get(), 0) != 0) throw ConnectionError("cannot listen without a queue");
        sockaddr_in address{};
        socklen_t size = sizeof address;
        ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
        for (UniqueFd& one : guests_) {
            one.reset(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
            static_cast<void>(::connect(one.get(), reinterpret_cast<const sockaddr*>(&address), size));
        }
        if (!eventually([this] { return connecting() > 0; })) throw ConnectionError("the queue takes all comers");
        own_ = connecting();
    }
    std::string node() const { return "127.0.0.1:" + std::to_string(port_); }
    // Sockets of others that are on their way here.
    std::size_t visitors() const { return connecting() - own_; }

private:
    // Lines of /proc/net/tcp: number, local and remote address in hex, state; SYN_SENT is 02.
    std::size_t connecting() const {
        std::ifstream table("/proc/net/tcp");
        std::size_t count = 0;
        for (std::string line; std::getline(table, line);) {
            std::istringstream words(line);
            std::string number, local, remote, state;
            words >> number >> local >> remote >> state;
            if (state == "02" && remote.size() == 13 && std::stoul(remote.substr(9), nullptr, 16) == port_) ++count;
        }
        return count;
    }
    std::uint16_t port_ = 0;
    UniqueFd listener_;
    std::array<UniqueFd, 8> guests_;
    std::size_t own_ = 0;
};

}  // namespace gateway::test
