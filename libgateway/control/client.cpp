#include "libgateway/control/client.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "libgateway/base/lines.hpp"
#include "libgateway/base/unique_fd.hpp"

namespace gateway::control {

namespace {

using SteadyClock = std::chrono::steady_clock;

class Connection {
public:
    Connection(const std::string& path, SteadyClock::time_point deadline) : path_(path), deadline_(deadline) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        if (path.size() >= sizeof address.sun_path) throw std::runtime_error(path + ": path of a socket is too long");
        std::memcpy(address.sun_path, path.data(), path.size());
        socket_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        while (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
            // A unix socket whose queue is full says EAGAIN and does not become writable: wait a moment, try again.
            if (errno != EAGAIN && errno != EINTR) fail();
            if (SteadyClock::now() >= deadline_) throw std::runtime_error(path_ + ": no answer in time");
            ::poll(nullptr, 0, 10);
        }
    }
    void send(std::string_view bytes) {
        while (!bytes.empty()) {
            wait(POLLOUT);
            const ssize_t count = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (count < 0 && errno != EAGAIN && errno != EINTR) fail();
            if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
        }
    }
    std::string receive_line() {
        Lines lines(most_answer_bytes);
        std::array<char, 65536> buffer;
        for (;;) {
            if (auto line = lines.next()) return std::string(*line);
            if (lines.overlong()) throw std::runtime_error(path_ + ": the answer is too long");
            wait(POLLIN);
            const ssize_t count = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
            if (count == 0) throw std::runtime_error(path_ + ": the gateway closed the connection without an answer");
            if (count < 0 && errno != EAGAIN && errno != EINTR) fail();
            if (count > 0) lines.feed({buffer.data(), static_cast<std::size_t>(count)});
        }
    }

private:
    [[noreturn]] void fail() { throw std::system_error(errno, std::generic_category(), path_); }
    void wait(short events) {
        pollfd one{socket_.get(), events, 0};
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - SteadyClock::now());
        const int ready = left.count() > 0 ? ::poll(&one, 1, static_cast<int>(left.count()) + 1) : 0;
        if (ready == 0) throw std::runtime_error(path_ + ": no answer in time");
        if (ready < 0 && errno != EINTR) fail();
    }
    std::string path_;
    SteadyClock::time_point deadline_;
    UniqueFd socket_;
};

}  // namespace

Answer ask(const std::string& socket_path, const Request& request, std::chrono::milliseconds limit) try {
    Connection connection(socket_path, SteadyClock::now() + limit);
    connection.send(write(request));
    std::string why;
    auto answer = parse_answer(connection.receive_line(), why);
    return answer ? std::move(*answer) : refuse(Status::unreachable, socket_path + ": " + why);
} catch (const std::exception& error) {
    return refuse(Status::unreachable, error.what());
}

}  // namespace gateway::control
