#include "libgateway/net/stream.hpp"

#include <sys/socket.h>

#include <cerrno>

namespace gateway::net {

void Stream::abort() noexcept {
    if (!is_open()) return;
    const linger now{1, 0};
    ::setsockopt(descriptor_.fd(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
}

IoResult Stream::read(std::span<char> into) noexcept {
    if (!descriptor_.has(readable)) return {IoState::would_block, 0, 0};
    ssize_t got;
    do {
        got = ::recv(descriptor_.fd(), into.data(), into.size(), 0);
    } while (got < 0 && errno == EINTR);
    if (got > 0) {
        // A short read has emptied the socket (epoll(7)), unless an end is still to be read.
        if (static_cast<std::size_t>(got) < into.size() && !descriptor_.has(hangup)) descriptor_.clear(readable);
        return {IoState::done, static_cast<std::size_t>(got), 0};
    }
    if (got == 0) return {IoState::closed, 0, 0};
    if (errno == EAGAIN) {
        descriptor_.clear(readable);
        return {IoState::would_block, 0, 0};
    }
    return {IoState::failed, 0, errno};
}

IoResult Stream::write(const iovec* parts, int count) noexcept {
    if (!descriptor_.has(writable)) return {IoState::would_block, 0, 0};
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(parts);
    message.msg_iovlen = static_cast<std::size_t>(count);
    std::size_t wanted = 0;
    for (int i = 0; i < count; ++i) wanted += parts[i].iov_len;
    ssize_t sent;
    do {
        sent = count == 1 ? ::send(descriptor_.fd(), parts->iov_base, parts->iov_len, MSG_NOSIGNAL)
                          : ::sendmsg(descriptor_.fd(), &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent >= 0) {
        if (static_cast<std::size_t>(sent) < wanted) descriptor_.clear(writable);
        return {IoState::done, static_cast<std::size_t>(sent), 0};
    }
    if (errno == EAGAIN) {
        descriptor_.clear(writable);
        return {IoState::would_block, 0, 0};
    }
    return {IoState::failed, 0, errno};
}

void Stream::shutdown_write() noexcept {
    ::shutdown(descriptor_.fd(), SHUT_WR);
}

}  // namespace gateway::net
