// Connections to endpoints: idle ones are kept per endpoint and lent out, the newest first. One pool per worker.
#pragma once

#include <cstdint>
#include <memory>

#include "libgateway/base/error.hpp"
#include "libgateway/base/task.hpp"
#include "libgateway/net/stream.hpp"
#include "libgateway/net/wait.hpp"
#include "libgateway/upstream/endpoint.hpp"
#include "libgateway/upstream/upstream.hpp"

namespace gateway::upstream {

class Pool;

// One connection; either lent (Lease) or idle on its endpoint's shelf, where any byte, end or deadline closes it.
class Connection {
public:
    Connection(Pool& pool, net::Reactor& reactor);
    net::Stream& stream() noexcept { return stream_; }
    const std::string& address_text() const noexcept { return address_text_; }

private:
    friend class Pool;
    friend class Lease;
    friend struct PoolShelf;
    struct IdleWaiter : net::Waiter {
        IdleWaiter(Wake wake, Connection& owner) noexcept : Waiter(wake), connection(owner) {}
        Connection& connection;
    };
    struct IdleDeadline : net::DeadlineNode {
        IdleDeadline(Fired fired, Connection& owner) noexcept : DeadlineNode(fired), connection(owner) {}
        Connection& connection;
    };
    Pool& pool_;
    net::Stream stream_;
    Ref<Endpoint> endpoint_;
    std::string address_text_;
    std::uint32_t requests_ = 0;
    bool reused_ = false;
    Connection *newer_ = nullptr, *older_ = nullptr;  // neighbours on the shelf
    IdleWaiter waiter_;
    IdleDeadline deadline_;
};

// Idle connections of one endpoint in one worker, newest first.
struct PoolShelf {
    Connection *newest = nullptr, *oldest = nullptr;
    std::uint32_t size = 0;
};

// A borrowed connection, spoiled until proven clean: closed when destroyed, unless give_back() was called.
class Lease {
public:
    Lease() noexcept = default;
    explicit Lease(Connection* connection) noexcept : connection_(connection) {}
    Lease(Lease&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
    Lease& operator=(Lease&& other) noexcept {
        std::swap(connection_, other.connection_);
        return *this;
    }
    ~Lease() { reset(); }
    explicit operator bool() const noexcept { return connection_ != nullptr; }
    net::Stream& stream() const noexcept { return connection_->stream_; }
    const std::string& address_text() const noexcept { return connection_->address_text_; }
    bool reused() const noexcept { return connection_->reused_; }
    void reset() noexcept;
    // Back to the shelf, after a complete exchange; closes it after all if bytes or an end wait on it, or its limits
    // are reached.
    void give_back(const PoolLimits& limits) && noexcept;

private:
    friend class Pool;
    Connection* connection_ = nullptr;
};

class Pool {
public:
    explicit Pool(net::Reactor& reactor) noexcept : reactor_(reactor) {}
    ~Pool();
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    // Closes every idle connection of an endpoint.
    void close_idle(Endpoint& endpoint) noexcept;
    // The newest idle connection that shows no sign of an end; empty if there is none. `look`: also asks the socket
    // itself, for requests that must not be sent twice.
    Lease take_idle(Endpoint& endpoint, bool look) noexcept;
    // A fresh connection, under TLS where the endpoint says so; `limit` is for all of it. Error codes: timed_out,
    // operation_canceled, else the connect's errno or one of net::tls_category(). All but a cancellation
    // are retryable. `asker`: whoever the connection is for, null if nobody can leave; when it hangs up, the attempt is
    // given up at once.
    Task<Result<Lease>> connect(Endpoint& endpoint, const net::SocketAddress& address, Milliseconds limit,
                                net::Sleeper& sleeper, net::Descriptor* asker);
    std::uint32_t open_connections() const noexcept { return open_; }

private:
    friend class Lease;
    friend class Connection;
    friend struct PoolShelf;
    Connection* make(Endpoint& endpoint);
    void discard(Connection* connection) noexcept;
    static void unshelve(Connection& connection) noexcept;
    void shelve(Connection& connection, const PoolLimits& limits) noexcept;

    net::Reactor& reactor_;
    std::vector<Connection*> spare_;  // closed objects, for reuse
    std::uint32_t open_ = 0;
};

}  // namespace gateway::upstream
