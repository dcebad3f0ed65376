// One Redis server: its idle connections, and one command over one of them. Private to the room.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "libgateway/net/stream.hpp"
#include "libgateway/net/tls_client.hpp"
#include "libgateway/net/wait.hpp"
#include "libgateway/redis/client.hpp"

namespace gateway::redis {

// A time by which all must be done.
class Until {
public:
    Until(net::Reactor& reactor, Milliseconds limit) noexcept
        : reactor_(reactor), end_(reactor.now_ms() + limit.count()) {}
    // The same, or in `limit` from now, whichever is sooner.
    Until at_most(Milliseconds limit) const noexcept { return Until(reactor_, std::min(limit, left())); }
    // At least 1 ms while time is left, 0 when it is up.
    Milliseconds left() const noexcept { return Milliseconds(std::max<std::int64_t>(end_ - reactor_.now_ms(), 0)); }

private:
    net::Reactor& reactor_;
    std::int64_t end_;
};

class Server final : public Database {
public:
    Server(net::Reactor& reactor, net::Resolver& resolver, Target target);
    ~Server() override;

    Task<Answer> eval(const Script& script, std::string_view key, std::span<const std::string_view> arguments) override;
    Task<Answer> command(std::span<const std::string_view> words, std::size_t key_at = 1) override;

    // Sends `bytes`, which hold `count` commands, and gives the last reply. A connection that was idle and turns out to
    // be dead before it said anything is replaced once.
    Task<Answer> ask(const std::string& bytes, std::size_t count, Until until);
    const Target& target() const noexcept { return target_; }
    std::size_t open_connections() const noexcept { return open_; }
    net::Reactor& reactor() const noexcept { return reactor_; }

private:
    struct Connection;
    using ConnectionPtr = std::unique_ptr<Connection>;

    ConnectionPtr take_idle();
    void give_back(ConnectionPtr connection);
    void drop_expired() noexcept;
    Task<std::string> open_socket(Connection& connection, Until until, net::Sleeper& sleeper);
    Task<std::string> connect(Connection& connection, Until until, net::Sleeper& sleeper);
    Task<std::string> send(Connection& connection, const std::string& bytes, Until until, net::Sleeper& sleeper);
    Task<std::string> receive(Connection& connection, Reply& reply, Until until, net::Sleeper& sleeper);
    Task<Answer> converse(Connection& connection, const std::string& bytes, std::size_t count, Until until);
    std::string greeting(std::size_t& count) const;

    net::Reactor& reactor_;
    net::Resolver& resolver_;
    Target target_;
    Ref<net::TlsPeer> peer_;           // null: plain
    std::vector<ConnectionPtr> idle_;  // the newest last
    std::size_t open_ = 0;
};

// EVALSHA or EVAL with one key.
void append_eval(std::string& to, const Script& script, bool by_digest, std::string_view key,
                 std::span<const std::string_view> arguments);
bool is_unknown_script(const Answer& answer) noexcept;

}  // namespace gateway::redis
