// A Redis cluster: which node has a slot, learnt from the nodes and from their redirections. Private to the room.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "libgateway/redis/server.hpp"

namespace gateway::redis {

// "MOVED 3999 127.0.0.1:6381" or "ASK …", taken apart.
struct Redirection {
    enum class Kind : std::uint8_t { none, moved, ask };
    Kind kind = Kind::none;
    std::uint16_t slot = 0;
    std::string node;  // "host:port"; without host: the one that answered
};
Redirection redirection_of(std::string_view error);

class Cluster final : public Database {
public:
    Cluster(net::Reactor& reactor, net::Resolver& resolver, std::vector<std::string> nodes, Target common);

    Task<Answer> eval(const Script& script, std::string_view key, std::span<const std::string_view> arguments) override;
    Task<Answer> command(std::span<const std::string_view> words, std::size_t key_at = 1) override;
    std::size_t open_connections() const noexcept;

private:
    static constexpr std::size_t slots = 16384;

    Server& node(const std::string& name, const std::string& asked_host);
    // Asks the owner of the slot, and follows its redirections.
    Task<Answer> route(std::uint16_t slot, const std::string& bytes, Until until);
    // Reads the map of slots from any node that answers.
    Task<std::string> learn(Until until);
    void read_map(const Reply& map, const std::string& asked_host);

    net::Reactor& reactor_;
    net::Resolver& resolver_;
    std::vector<std::string> seeds_;
    Target common_;
    std::map<std::string, std::unique_ptr<Server>, std::less<>> nodes_;
    std::array<Server*, slots> owners_{};
    bool stale_ = true;
};

}  // namespace gateway::redis
