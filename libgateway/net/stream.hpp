// A byte stream over one socket. Plain today; TLS takes the same shape (SSL_* on the same descriptor).
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "libgateway/net/reactor.hpp"

namespace gateway::net {

enum class IoState : std::uint8_t { done, would_block, closed, failed };

struct IoResult {
    IoState state = IoState::done;
    std::size_t bytes = 0;
    int error = 0;  // errno, when failed
};

class Stream {
public:
    Descriptor& descriptor() noexcept { return descriptor_; }
    const Descriptor& descriptor() const noexcept { return descriptor_; }
    bool open(Reactor& reactor, UniqueFd fd, std::uint8_t flags = writable) {
        return descriptor_.open(reactor, std::move(fd), flags);
    }
    void close() noexcept { descriptor_.close(); }
    // Closes so that the other side gets a reset instead of a clean end: for answers that were cut off.
    void abort() noexcept;
    bool is_open() const noexcept { return descriptor_.is_open(); }

    // One recv, none if the flags say that nothing is there. `closed`: the other side has ended its half.
    IoResult read(std::span<char> into) noexcept;
    // One send of as much as fits; `bytes` may be less than asked for.
    IoResult write(const iovec* parts, int count) noexcept;
    // Ends our half.
    void shutdown_write() noexcept;

private:
    Descriptor descriptor_;
};

}  // namespace gateway::net
