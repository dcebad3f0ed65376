// Redis servers as a worker sees them: connections that are kept, commands with a deadline, scripts, clusters.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libgateway/base/task.hpp"
#include "libgateway/net/reactor.hpp"
#include "libgateway/net/resolver.hpp"
#include "libgateway/redis/reply.hpp"

namespace gateway::redis {

// Who is spoken to, and how. Equal settings share connections.
struct Target {
    std::string host;  // name or address
    std::uint16_t port = 6379;
    std::string username, password;  // empty password: no AUTH
    std::uint32_t database = 0;
    Milliseconds timeout{1000};       // of one command, with everything that it needs
    Milliseconds connect_timeout{0};  // of finding and connecting, which then does not count into `timeout`; 0: it does
    Milliseconds keepalive{10000};    // of idle connections
    std::uint32_t keepalive_pool = 100;  // idle connections per worker
    bool tls = false;
    bool tls_check = false;  // the certificate, by the trusted authorities (net::trust_authorities), for `host`
    friend bool operator==(const Target&, const Target&) = default;
};

// What sentinels are asked for.
enum class Role : std::uint8_t { master, replica };

// A server that sentinels know by the name of its group, so that it may move.
struct SentinelGroup {
    std::vector<std::pair<std::string, std::uint16_t>> sentinels;  // host and port; at least one
    std::string master_name;
    Role role = Role::master;
    std::string username, password;  // of the sentinels; empty password: no AUTH
    Target common;                   // everything but host and port, with a connect_timeout
};

// The reply, or why there is none. An error that the server replied is a failure too.
struct Answer {
    Reply reply;
    std::string failure;  // empty: answered
    explicit operator bool() const noexcept { return failure.empty(); }
};

// A script, known to the server by its SHA-1. Lives as long as the program.
class Script {
public:
    explicit Script(std::string_view source);
    std::string_view source() const noexcept { return source_; }
    std::string_view digest() const noexcept { return digest_; }

private:
    std::string_view source_;
    std::string digest_;
};

// Asks one server, or the node of a cluster that has the key. Shared by all plugins with the same settings.
class Database {
public:
    virtual ~Database() = default;
    // The source is sent only to a server that does not know the digest. `key` and `arguments` must live until then.
    virtual Task<Answer> eval(const Script& script, std::string_view key,
                              std::span<const std::string_view> arguments) = 0;
    // `words[key_at]` is the key that decides about the node.
    virtual Task<Answer> command(std::span<const std::string_view> words, std::size_t key_at = 1) = 0;
};

// All servers of one worker; outlives every exchange. Hands out what lives as long as itself.
class Hub {
public:
    Hub(net::Reactor& reactor, net::Resolver& resolver);
    ~Hub();
    Hub(const Hub&) = delete;
    Hub& operator=(const Hub&) = delete;

    Database& server(const Target& target);
    // `common`: everything but host and port, which `nodes` ("host:port") have.
    Database& cluster(std::string_view name, const std::vector<std::string>& nodes, const Target& common);
    Database& sentinels(const SentinelGroup& group);
    std::size_t open_connections() const noexcept;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// Slot of a key in a cluster: CRC16 of it, or of the part in braces.
std::uint16_t slot_of(std::string_view key) noexcept;

}  // namespace gateway::redis
