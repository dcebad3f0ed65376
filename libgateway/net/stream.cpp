#include "libgateway/net/stream.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "libgateway/net/calls.hpp"
#include "libgateway/net/tls_layer.hpp"

namespace gateway::net {

Stream::Stream() noexcept = default;
Stream::~Stream() {
    close();
}

void Stream::secure(std::unique_ptr<TlsLayer> layer) noexcept {
    tls_ = std::move(layer);
}

void Stream::end_tls(bool politely) noexcept {
    if (politely) tls_->say_goodbye();
    tls_ = nullptr;
}

std::uint8_t Stream::tls_to_read() const noexcept {
    return tls_->to_read();
}
std::uint8_t Stream::tls_to_write() const noexcept {
    return tls_->to_write();
}

void Stream::abort() noexcept {
    if (!is_open()) return;
    if (tls_) end_tls(false);
    const linger now{1, 0};
    ::setsockopt(descriptor_.fd(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
}

IoResult Stream::read(std::span<char> into) noexcept {
    if (tls_) [[unlikely]]
        return tls_->read(into);
    if (!descriptor_.has(readable)) return {IoState::would_block, 0, 0};
    ssize_t got;
    do {
        got = calls::receive(descriptor_.fd(), into.data(), into.size());
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

namespace {

// Little in several pieces is cheaper copied than described.
constexpr std::size_t worth_copying = 2048;

ssize_t send_copy(int fd, const iovec* parts, int count) noexcept {
    char whole[worth_copying];
    std::size_t size = 0;
    for (int i = 0; i < count; ++i) {
        if (parts[i].iov_len == 0) continue;  // may have no address
        std::memcpy(whole + size, parts[i].iov_base, parts[i].iov_len);
        size += parts[i].iov_len;
    }
    return calls::send(fd, whole, size);
}

ssize_t send_parts(int fd, const iovec* parts, int count, std::size_t size) noexcept {
    if (count == 1) return calls::send(fd, parts->iov_base, parts->iov_len);
    if (size <= worth_copying) return send_copy(fd, parts, count);
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(parts);
    message.msg_iovlen = static_cast<std::size_t>(count);
    return calls::send_message(fd, message);
}

}  // namespace

IoResult Stream::write(const iovec* parts, int count) noexcept {
    if (tls_) [[unlikely]]
        return tls_->write(parts, count);
    if (!descriptor_.has(writable)) return {IoState::would_block, 0, 0};
    std::size_t wanted = 0;
    for (int i = 0; i < count; ++i) wanted += parts[i].iov_len;
    ssize_t sent;
    do {
        sent = send_parts(descriptor_.fd(), parts, count, wanted);
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
    if (tls_) tls_->say_goodbye();
    ::shutdown(descriptor_.fd(), SHUT_WR);
}

bool Stream::silent() noexcept {
    char byte;
    if (descriptor_.has(hangup) || (tls_ && tls_->has_pending())) return false;
    if (::recv(descriptor_.fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN) return false;
    descriptor_.clear(readable);
    return true;
}

error_code Stream::why(const IoResult& failed) const noexcept {
    if (tls_ && tls_->error()) return tls_->error();
    return {failed.error != 0 ? failed.error : ECONNRESET, boost::system::system_category()};
}

}  // namespace gateway::net
