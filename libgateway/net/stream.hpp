// A byte stream over one socket, plain or under TLS; callers cannot tell which.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "libgateway/base/error.hpp"
#include "libgateway/net/io.hpp"
#include "libgateway/net/reactor.hpp"

namespace gateway::net {

class TlsLayer;

class Stream {
public:
    Stream() noexcept;
    ~Stream();
    Descriptor& descriptor() noexcept { return descriptor_; }
    const Descriptor& descriptor() const noexcept { return descriptor_; }
    bool open(Reactor& reactor, UniqueFd fd, std::uint8_t flags = writable) {
        return descriptor_.open(reactor, std::move(fd), flags);
    }
    void close() noexcept {
        if (tls_) [[unlikely]]
            end_tls(true);
        descriptor_.close();
    }
    // Closes so that the other side gets a reset instead of a clean end: for answers that were cut off.
    void abort() noexcept;
    bool is_open() const noexcept { return descriptor_.is_open(); }

    // All bytes from now on go through `layer`, which was made for this stream's descriptor; until it is closed. The
    // handshake is the caller's business (tls_client.hpp).
    void secure(std::unique_ptr<TlsLayer> layer) noexcept;
    TlsLayer* tls() const noexcept { return tls_.get(); }

    // One recv, none if the flags say that nothing is there. `closed`: the other side has ended its half.
    IoResult read(std::span<char> into) noexcept;
    // One send of as much as fits; `bytes` may be less than asked for. What would block comes again before other bytes,
    // and not less of it.
    IoResult write(const iovec* parts, int count) noexcept;
    // Ends our half.
    void shutdown_write() noexcept;

    // After would_block: the flags to wait for before reading or writing can get on. Under TLS one may need the other.
    std::uint8_t to_read() const noexcept { return tls_ ? tls_to_read() : std::uint8_t{readable}; }
    std::uint8_t to_write() const noexcept { return tls_ ? tls_to_write() : std::uint8_t{writable}; }
    // Whether the other side has said nothing that was not read yet: no byte, no end. Asks the socket itself.
    bool silent() noexcept;
    // Why a read or write failed, with what TLS says of it.
    error_code why(const IoResult& failed) const noexcept;

private:
    void end_tls(bool politely) noexcept;
    std::uint8_t tls_to_read() const noexcept;
    std::uint8_t tls_to_write() const noexcept;

    Descriptor descriptor_;
    std::unique_ptr<TlsLayer> tls_;
};

}  // namespace gateway::net
