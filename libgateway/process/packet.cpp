#include "libgateway/process/packet.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstring>

namespace gateway::process {

namespace {

struct alignas(cmsghdr) ControlBytes {
    std::array<char, CMSG_SPACE(sizeof(int) * max_packet_fds)> bytes{};
};

void attach_fds(msghdr& message, ControlBytes& control, std::span<const int> fds) noexcept {
    if (fds.empty()) return;
    message.msg_control = control.bytes.data();
    message.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(part), fds.data(), fds.size_bytes());
}

void collect_fds(msghdr& message, ReceivedBytes& received) noexcept {
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
        const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count && received.fd_count < max_packet_fds; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof fd);
            received.fds[received.fd_count++].reset(fd);
        }
    }
}

PacketStatus status_of(int error) noexcept {
    if (error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS) return PacketStatus::again;
    if (error == EPIPE || error == ECONNRESET || error == ENOTCONN || error == ECONNREFUSED)
        return PacketStatus::closed;
    return PacketStatus::broken;
}

}  // namespace

PacketStatus send_bytes(int socket, std::span<const std::byte> head, std::span<const std::byte> body,
                        std::span<const int> fds) noexcept {
    if (fds.size() > max_packet_fds) return PacketStatus::broken;
    std::array<iovec, 2> parts{iovec{const_cast<std::byte*>(head.data()), head.size()},
                               iovec{const_cast<std::byte*>(body.data()), body.size()}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = body.empty() ? 1 : 2;
    ControlBytes control;
    attach_fds(message, control, fds);
    ssize_t sent = 0;
    do {
        sent = ::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? status_of(errno) : PacketStatus::done;
}

PacketStatus receive_bytes(int socket, std::span<std::byte> buffer, ReceivedBytes& received) noexcept {
    received = {};
    iovec part{buffer.data(), buffer.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    ControlBytes control;
    message.msg_control = control.bytes.data();
    message.msg_controllen = control.bytes.size();
    ssize_t size = 0;
    do {
        size = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (size < 0 && errno == EINTR);
    if (size < 0) return status_of(errno);
    collect_fds(message, received);
    if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
        received = {};
        return PacketStatus::broken;
    }
    if (size == 0) return PacketStatus::closed;
    received.size = static_cast<std::size_t>(size);
    return PacketStatus::done;
}

}  // namespace gateway::process
