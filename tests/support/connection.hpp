// A blocking TCP connection with limits on every wait: the common ground of raw client, scripted upstream and gate.
#pragma once

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "libgateway/base/unique_fd.hpp"

namespace gateway::test {

using std::chrono::milliseconds;

// What a wait on a connection failed with; the text carries what had arrived until then.
struct ConnectionError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

enum class End : std::uint8_t { open, eof, reset };  // how the other side has ended the connection so far

// One thread at a time. Every method that waits throws ConnectionError when the limit passes.
class Connection {
public:
    Connection() noexcept = default;
    explicit Connection(UniqueFd socket) noexcept : socket_(std::move(socket)) {}

    void set_limit(milliseconds limit) noexcept { limit_ = limit; }
    int descriptor() const noexcept { return socket_.get(); }

    // Sends all; throws if the other side has gone.
    void send(std::string_view bytes);
    // Sends as much as the other side takes within `limit` and tells how much that was; never throws.
    std::size_t try_send(std::string_view bytes, milliseconds limit);

    // Bytes read and not yet consumed.
    const std::string& pending() const noexcept { return buffer_; }
    // Waits for more bytes; false at the end of the stream (end() tells which).
    bool fill();
    // Consumes and returns everything up to and including `pattern`.
    std::string read_until(std::string_view pattern);
    std::string read_exactly(std::size_t size);
    // Everything until the other side ends; a reset ends it as well.
    std::string read_to_end();
    // Whether any byte (or the end) arrives within `limit`.
    bool readable(milliseconds limit);
    // Waits until the other side closes or resets; bytes that come first are kept. False if the limit passed.
    bool wait_for_end(milliseconds limit = milliseconds(5000));
    End end() const noexcept { return end_; }
    std::string take(std::size_t size);

    void half_close() noexcept;  // FIN: we send no more
    void reset() noexcept;       // RST, and the socket is gone
    void close() noexcept { socket_.reset(); }
    UniqueFd release() && noexcept { return std::move(socket_); }

private:
    [[noreturn]] void fail(std::string_view what) const;

    UniqueFd socket_;
    std::string buffer_;
    milliseconds limit_{5000};
    End end_ = End::open;
};

// Connects to `address` (IPv4 or IPv6); a small receive buffer makes a slow reader visible to the sender early. Throws
// ConnectionError.
Connection connect_to(std::uint16_t port, const char* address = "127.0.0.1", int receive_buffer = 0);

// A listening socket on a free port of 127.0.0.1.
UniqueFd listen_on_free_port(std::uint16_t& port);

}  // namespace gateway::test
