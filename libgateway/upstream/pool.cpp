#include "libgateway/upstream/pool.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/system/errc.hpp>
#include <cerrno>

namespace gateway::upstream {

namespace {

Error connect_error(int number) {
    return Error{error_code(number, boost::system::system_category()), Side::upstream, true};
}

}  // namespace

// Whatever an idle connection says, it is of no more use: an answer that nobody asked for, or its end.
Connection::Connection(Pool& pool, net::Reactor&)
    : pool_(pool),
      waiter_(
          [](net::Waiter& waiter) {
              Connection& self = static_cast<IdleWaiter&>(waiter).connection;
              Pool::unshelve(self);
              self.pool_.discard(&self);
          },
          *this),
      deadline_(
          [](net::DeadlineNode& node) {
              Connection& self = static_cast<IdleDeadline&>(node).connection;
              Pool::unshelve(self);
              self.pool_.discard(&self);
          },
          *this) {}

Pool::~Pool() {
    for (Connection* connection : spare_) delete connection;
}

Connection* Pool::make(Endpoint& endpoint) {
    Connection* connection;
    if (spare_.empty()) {
        connection = new Connection(*this, reactor_);
    } else {
        connection = spare_.back();
        spare_.pop_back();
    }
    connection->endpoint_ = Ref<Endpoint>(&endpoint);
    connection->requests_ = 0;
    connection->reused_ = false;
    ++open_;
    return connection;
}

void Pool::discard(Connection* connection) noexcept {
    connection->stream_.close();
    connection->deadline_.disarm();
    connection->endpoint_ = nullptr;
    --open_;
    if (spare_.size() < 1024) {
        spare_.push_back(connection);
    } else {
        delete connection;
    }
}

// An idle connection holds its endpoint: one that no upstream names any more goes with its last idle connection.
void Pool::unshelve(Connection& connection) noexcept {
    PoolShelf& shelf = connection.endpoint_->shelf();
    (connection.newer_ ? connection.newer_->older_ : shelf.newest) = connection.older_;
    (connection.older_ ? connection.older_->newer_ : shelf.oldest) = connection.newer_;
    connection.newer_ = connection.older_ = nullptr;
    connection.stream_.descriptor().watch(nullptr, 0);
    connection.deadline_.disarm();
    --shelf.size;
}

void Pool::shelve(Connection& connection, const PoolLimits& limits) noexcept {
    PoolShelf& shelf = connection.endpoint_->shelf();
    if (shelf.size >= limits.size && shelf.oldest) {
        Connection* dropped = shelf.oldest;
        unshelve(*dropped);
        discard(dropped);
    }
    connection.older_ = shelf.newest;
    (shelf.newest ? shelf.newest->newer_ : shelf.oldest) = &connection;
    shelf.newest = &connection;
    ++shelf.size;
    connection.stream_.descriptor().watch(&connection.waiter_, net::readable | net::hangup);
    if (limits.idle_timeout.count() > 0) reactor_.arm(connection.deadline_, limits.idle_timeout);
}

void Pool::close_idle(Endpoint& endpoint) noexcept {
    const Ref<Endpoint> kept(&endpoint);
    while (Connection* connection = endpoint.shelf().newest) {
        unshelve(*connection);
        discard(connection);
    }
}

Lease Pool::take_idle(Endpoint& endpoint, bool look) noexcept {
    PoolShelf& shelf = endpoint.shelf();
    while (Connection* connection = shelf.newest) {
        unshelve(*connection);
        net::Descriptor& descriptor = connection->stream_.descriptor();
        if (!descriptor.has(net::readable | net::hangup) && (!look || connection->stream_.silent())) {
            connection->reused_ = true;
            return Lease(connection);
        }
        discard(connection);
    }
    return {};
}

Task<Result<Lease>> Pool::connect(Endpoint& endpoint, const net::SocketAddress& address, Milliseconds limit,
                                  net::Sleeper& sleeper, net::Descriptor* asker) {
    UniqueFd fd(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) co_return connect_error(errno);
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(fd.get(), address.get(), address.size) != 0 && errno != EINPROGRESS) co_return connect_error(errno);
    const std::int64_t until = reactor_.now_ms() + limit.count();
    Lease lease(make(endpoint));
    net::Stream& stream = lease.stream();
    if (!stream.open(reactor_, std::move(fd), 0)) co_return connect_error(errno);
    const net::Woke woke =
        co_await sleeper.wait(stream.descriptor(), net::writable | net::hangup, asker, net::hangup, limit);
    if (woke == net::Woke::expired) co_return connect_error(ETIMEDOUT);
    if (woke == net::Woke::cancelled || (asker && asker->has(net::hangup))) co_return connect_error(ECANCELED);
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(stream.descriptor().fd(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) co_return connect_error(error);
    stream.descriptor().clear(net::readable);
    lease.connection_->address_text_ = address.text();
    if (endpoint.tls) {
        const Milliseconds left(std::max<std::int64_t>(until - reactor_.now_ms(), 1));
        const error_code failed = co_await net::start_tls(stream, endpoint.tls, left, sleeper, asker);
        if (failed) co_return Error{failed, Side::upstream, true};
    }
    co_return std::move(lease);
}

void Lease::reset() noexcept {
    if (!connection_) return;
    Connection* connection = std::exchange(connection_, nullptr);
    connection->pool_.discard(connection);
}

void Lease::give_back(const PoolLimits& limits) && noexcept {
    Connection* connection = std::exchange(connection_, nullptr);
    net::Descriptor& descriptor = connection->stream_.descriptor();
    // The flag may be left over from a read that took exactly what was there.
    const bool clean = !descriptor.has(net::hangup) && (!descriptor.has(net::readable) || connection->stream_.silent());
    if (!clean || ++connection->requests_ >= limits.requests) {
        connection->pool_.discard(connection);
        return;
    }
    connection->pool_.shelve(*connection, limits);
}

}  // namespace gateway::upstream
