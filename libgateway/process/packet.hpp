// One message over a SOCK_SEQPACKET socket: a fixed head, a body, descriptors beside it; used by master, control and
// workers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>

#include "libgateway/base/unique_fd.hpp"
#include "libgateway/process/messages.hpp"

namespace gateway::process {

inline constexpr std::size_t max_packet_fds = 8;

enum class PacketStatus : std::uint8_t {
    done,
    again,   // sending: the other side does not read; receiving: nothing waits. Try when epoll says so
    closed,  // the other side is gone: give the socket up
    broken,  // not a packet of ours (size, head, descriptors) or too large: give the socket up. Descriptors were closed
};

// Both never block, retry after EINTR and never raise SIGPIPE. What is received is CLOEXEC.
PacketStatus send_bytes(int socket, std::span<const std::byte> head, std::span<const std::byte> body,
                        std::span<const int> fds) noexcept;
struct ReceivedBytes {
    std::size_t size = 0;  // in the buffer
    std::size_t fd_count = 0;
    std::array<UniqueFd, max_packet_fds> fds;
};
PacketStatus receive_bytes(int socket, std::span<std::byte> buffer, ReceivedBytes& received) noexcept;

// Bytes of a trivially copyable body, for send_packet. It has no padding: that would send bytes that nobody wrote.
template <class T>
std::span<const std::byte> bytes_of(const T& value) noexcept {
    static_assert(std::is_trivially_copyable_v<T> && std::has_unique_object_representations_v<T>);
    return std::as_bytes(std::span<const T, 1>(&value, 1));
}

// Sends head (MasterHead or ChannelHead) and body as one packet; sets head.size. The descriptors stay the caller's.
template <class Head>
PacketStatus send_packet(int socket, Head head, std::span<const std::byte> body = {},
                         std::span<const int> fds = {}) noexcept {
    static_assert(std::is_trivially_copyable_v<Head>);
    if (sizeof head + body.size() > max_packet) return PacketStatus::broken;
    head.size = static_cast<std::uint32_t>(body.size());
    return send_bytes(socket, bytes_of(head), body, fds);
}

// Receives packets with heads of one type. Holds one buffer of max_packet bytes for all of them; a packet's views and
// descriptors are good until the next call of receive.
template <class Head>
class PacketReader {
public:
    static_assert(std::is_trivially_copyable_v<Head>);

    PacketStatus receive(int socket) noexcept {
        received_ = {};
        const PacketStatus status = receive_bytes(socket, {buffer_.get(), max_packet}, received_);
        if (status != PacketStatus::done) return status;
        if (received_.size < sizeof(Head)) return refuse();
        copy_out(head_, 0);
        if (head_.size != received_.size - sizeof(Head)) return refuse();
        // A text without an end would be read beyond by nobody (view() is bounded), but it is no text of ours.
        if (head_.text.bytes.back() != '\0') return refuse();
        return status;
    }

    const Head& head() const noexcept { return head_; }
    std::span<const std::byte> body() const noexcept { return {buffer_.get() + sizeof(Head), head_.size}; }
    // False, and nothing copied, unless the body is exactly one T.
    template <class T>
    bool body_as(T& value) const noexcept {
        static_assert(std::is_trivially_copyable_v<T>);
        if (head_.size != sizeof(T)) return false;
        copy_out(value, sizeof(Head));
        return true;
    }
    std::size_t fd_count() const noexcept { return received_.fd_count; }
    // An empty one if fewer descriptors came, or it was taken before.
    UniqueFd take_fd(std::size_t position) noexcept {
        return position < received_.fd_count ? std::move(received_.fds[position]) : UniqueFd();
    }

private:
    PacketStatus refuse() noexcept {
        received_ = {};
        head_ = {};
        return PacketStatus::broken;
    }
    template <class T>
    void copy_out(T& value, std::size_t offset) const noexcept {
        const std::span<std::byte> target = std::as_writable_bytes(std::span<T, 1>(&value, 1));
        for (std::size_t i = 0; i < target.size(); ++i) target[i] = buffer_[offset + i];
    }

    std::unique_ptr<std::byte[]> buffer_{new std::byte[max_packet]};
    Head head_{};
    ReceivedBytes received_;
};

}  // namespace gateway::process
