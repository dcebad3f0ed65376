// A Redis server that sentinels name: found, used until it is another one, found again. Private to the room.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "libgateway/redis/server.hpp"

namespace gateway::redis {

// Sentinels are asked when no server is known and after the known one failed or turned out to be a replica, but not
// more than ten times a second while one is known. They are told nothing but the name of the group.
class Sentinels final : public Database {
public:
    Sentinels(net::Reactor& reactor, net::Resolver& resolver, const SentinelGroup& group);

    Task<Answer> eval(const Script& script, std::string_view key, std::span<const std::string_view> arguments) override;
    Task<Answer> command(std::span<const std::string_view> words, std::size_t key_at = 1) override;
    std::size_t open_connections() const noexcept;

private:
    // By the server that is known; once more if that fails and the sentinels name another one.
    Task<Answer> ask(const std::string& bytes, Until until);
    Until begin() const noexcept { return Until(reactor_, common_.connect_timeout + common_.timeout); }
    bool may_look() const noexcept;
    // Why no server is known, or nothing.
    Task<std::string> find(Until until);
    void use(std::string host, std::uint16_t port);

    net::Reactor& reactor_;
    net::Resolver& resolver_;
    const std::string master_name_;
    const Role role_;
    const Target common_;
    std::vector<std::unique_ptr<Server>> sentinels_;
    std::size_t preferred_ = 0;        // the one that answered last
    std::shared_ptr<Server> current_;  // held by whoever asks it, too
    bool stale_ = true;
    std::int64_t found_ms_ = 0;
};

// The address in a sentinel's answer; an empty host: there is none. Of replicas the first that is up and follows its
// master, another one than `avoid` if there is.
struct Address {
    std::string host;
    std::uint16_t port = 0;
    friend bool operator==(const Address&, const Address&) = default;
};
Address master_in(const Reply& reply);
Address replica_in(const Reply& reply, const Address& avoid);

}  // namespace gateway::redis
