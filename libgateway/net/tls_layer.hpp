// TLS over the descriptor of a stream: SSL_* driven by readiness, whichever side began.
#pragma once

#include <openssl/types.h>
#include <sys/uio.h>

#include <span>

#include "libgateway/base/error.hpp"
#include "libgateway/base/ref_counted.hpp"
#include "libgateway/net/io.hpp"
#include "libgateway/net/reactor.hpp"

namespace gateway::net {

class TlsPeer;

// Why the library failed just now, from its error queue and the connection; never success.
error_code last_tls_error(SSL* ssl) noexcept;

// One connection, owned by its stream. What the other side sends is neither trusted nor asserted on. The process must
// ignore SIGPIPE: the library writes with write().
class TlsLayer {
public:
    // Takes `ssl`, which knows its side and its names. `peer`: kept as long as the connection, which tells it of
    // sessions; null where we are the server.
    TlsLayer(SSL* ssl, Descriptor& descriptor, Ref<TlsPeer> peer) noexcept;
    TlsLayer(const TlsLayer&) = delete;
    TlsLayer& operator=(const TlsLayer&) = delete;
    ~TlsLayer();

    // One step of the handshake. would_block: wait for to_read(). failed: error().
    IoState shake() noexcept;
    // As Stream::read and Stream::write. `readable` stays up until the library has nothing left.
    IoResult read(std::span<char> into) noexcept;
    // One record at most. What was refused comes again first, and not less of it.
    IoResult write(const iovec* parts, int count) noexcept;
    // close_notify, if there is room for it; the answer is not awaited.
    void say_goodbye() noexcept;

    // Bytes lie in the library that the descriptor does not show.
    bool has_pending() const noexcept;
    // Flags to wait for before read (or the handshake) and write can get on.
    std::uint8_t to_read() const noexcept { return to_read_; }
    std::uint8_t to_write() const noexcept { return to_write_; }
    error_code error() const noexcept { return error_; }
    SSL* ssl() const noexcept { return ssl_; }

private:
    IoResult judge(int result, std::uint8_t& wanted) noexcept;

    SSL* const ssl_;
    Descriptor& descriptor_;
    Ref<TlsPeer> peer_;
    error_code error_;
    std::uint8_t to_read_ = readable, to_write_ = writable;
    bool shaken_ = false;
};

}  // namespace gateway::net
