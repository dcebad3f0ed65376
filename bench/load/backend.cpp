// gateway-bench-backend --port N: the cheapest honest upstream. 1 KiB for every request, /big/<bytes> for downloads,
// bodies are read and dropped, an upgrade turns the connection into an echo.
#include <errno.h>
#include <sys/uio.h>

#include <algorithm>
#include <csignal>
#include <memory>
#include <vector>

#include "bench/load/sockets.hpp"

namespace {

using namespace gateway;
using namespace gateway::bench;

struct Guest {
    UniqueFd socket;
    std::string input;
    std::uint64_t body_left = 0;    // of a request, still to be dropped
    std::string pending;            // of an answer, not yet taken by the kernel
    std::uint64_t filler_left = 0;  // of a download, still to be sent
    bool echo = false;
};

class Backend {
public:
    explicit Backend(std::uint16_t port) : listener_(listen_on(port)), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
        epoll_event event{EPOLLIN, {.fd = listener_.get()}};
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, listener_.get(), &event);
        answer_ = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1024\r\n\r\n";
        answer_.append(1024, 'x');
        filler_.assign(256 * 1024, 'x');
    }
    [[noreturn]] void run() {
        epoll_event events[256];
        for (;;) {
            const int count = ::epoll_wait(epoll_.get(), events, 256, -1);
            for (int i = 0; i < count; ++i) {
                const int fd = events[i].data.fd;
                if (fd == listener_.get()) {
                    accept_guests();
                } else if (!(events[i].events & EPOLLOUT ? flush(*guests_[index(fd)]) : read(*guests_[index(fd)]))) {
                    guests_[index(fd)].reset();
                }
            }
        }
    }

private:
    static std::size_t index(int fd) { return static_cast<std::size_t>(fd); }

    void accept_guests() {
        for (;;) {
            UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
            if (!socket) return;
            no_delay(socket.get());
            const int fd = socket.get();
            epoll_event event{EPOLLIN, {.fd = fd}};
            ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
            if (guests_.size() <= index(fd)) guests_.resize(index(fd) + 1);
            guests_[index(fd)] = std::make_unique<Guest>();
            guests_[index(fd)]->socket = std::move(socket);
        }
    }

    bool read(Guest& guest) {
        const auto n = ::recv(guest.socket.get(), block_, sizeof block_, 0);
        if (n <= 0) return n < 0 && errno == EAGAIN;
        std::string_view bytes(block_, static_cast<std::size_t>(n));
        if (guest.echo) return write(guest, bytes);
        const auto dropped = std::min<std::uint64_t>(guest.body_left, bytes.size());
        guest.body_left -= dropped;
        bytes.remove_prefix(dropped);
        if (dropped > 0 && guest.body_left == 0 && !write(guest, answer_)) return false;
        guest.input.append(bytes);
        return serve(guest);
    }

    bool serve(Guest& guest) {
        for (;;) {
            const std::string_view all = guest.input;
            const auto end = all.find("\r\n\r\n");
            if (end == std::string_view::npos) return true;
            const auto head = all.substr(0, end + 4);
            if (head.starts_with("GET")) {
                if (!serve_get(guest, head)) return false;
                guest.input.erase(0, head.size());
                continue;
            }
            const std::uint64_t length = content_length(head);
            const auto here = std::min<std::uint64_t>(length, all.size() - head.size());
            guest.body_left = length - here;
            guest.input.erase(0, head.size() + here);
            if (guest.body_left > 0) return true;
            if (!write(guest, answer_)) return false;
        }
    }

    bool serve_get(Guest& guest, std::string_view head) {
        constexpr std::string_view big = "GET /big/";
        if (head.starts_with(big)) {
            const auto number = head.substr(big.size(), head.find(' ', 5) - big.size());
            guest.filler_left = parse_decimal<std::uint64_t>(number).value_or(0);
            return write(guest, "HTTP/1.1 200 OK\r\nContent-Length: " + std::string(number) + "\r\n\r\n") &&
                   (guest.filler_left == 0 || flush(guest));
        }
        if (has_line(head, "upgrade: websocket")) {
            guest.echo = true;
            return write(guest,
                         "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
        }
        return write(guest, answer_);
    }

    bool write(Guest& guest, std::string_view bytes) {
        if (guest.pending.empty()) {
            const auto n = ::send(guest.socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (n < 0 && errno != EAGAIN) return false;
            if (n > 0) bytes.remove_prefix(static_cast<std::size_t>(n));
        }
        if (bytes.empty()) return true;
        guest.pending.append(bytes);
        return watch(guest, EPOLLOUT);
    }

    bool flush(Guest& guest) {
        while (!guest.pending.empty() || guest.filler_left > 0) {
            iovec parts[2] = {{guest.pending.data(), guest.pending.size()},
                              {filler_.data(), std::min<std::size_t>(guest.filler_left, filler_.size())}};
            msghdr message{};
            message.msg_iov = parts;
            message.msg_iovlen = 2;
            const auto n = ::sendmsg(guest.socket.get(), &message, MSG_NOSIGNAL);
            if (n < 0) return errno == EAGAIN && watch(guest, EPOLLOUT);
            const auto from_pending = std::min<std::size_t>(static_cast<std::size_t>(n), parts[0].iov_len);
            guest.pending.erase(0, from_pending);
            guest.filler_left -= static_cast<std::uint64_t>(n) - from_pending;
        }
        return watch(guest, EPOLLIN);
    }

    bool watch(Guest& guest, std::uint32_t what) {
        epoll_event event{what, {.fd = guest.socket.get()}};
        return ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, guest.socket.get(), &event) == 0;
    }

    UniqueFd listener_, epoll_;
    std::vector<std::unique_ptr<Guest>> guests_;
    std::string answer_, filler_;
    char block_[256 * 1024];
};

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    const Options options(argc, argv, 1);
    Backend(static_cast<std::uint16_t>(options.number("port", 0))).run();
}
