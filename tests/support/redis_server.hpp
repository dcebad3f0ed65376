// A real Redis server on a free port, for end-to-end tests; can be stopped and started again in the same place.
#pragma once

#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/connection.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/test_authority.hpp"

namespace gateway::test {

class RedisServer {
public:
    // `settings`: further arguments of the program, e.g. {"--requirepass", "x"}.
    explicit RedisServer(std::vector<std::string> settings = {}) : settings_(std::move(settings)) { prepare(); }
    // The same, speaking TLS only.
    RedisServer(const TestAuthority& authority, const TestCertificate& certificate,
                std::vector<std::string> settings = {})
        : settings_(std::move(settings)), authority_(authority.file().string()) {
        for (const std::string& word :
             {std::string("--tls-cert-file"), certificate.certificate.string(), std::string("--tls-key-file"),
              certificate.key.string(), std::string("--tls-ca-cert-file"), authority_,
              std::string("--tls-auth-clients"), std::string("no"), std::string("--tls-cluster"), std::string("yes")})
            settings_.push_back(word);
        prepare();
    }
    std::uint16_t port() const noexcept { return port_; }
    std::string node() const { return "127.0.0.1:" + std::to_string(port_); }
    // Empty again: nothing is kept on disk.
    void start() {
        std::vector<std::string> args{(folder_ / "redis-server").string(),
                                      "--port",
                                      authority_.empty() ? std::to_string(port_) : "0",
                                      "--tls-port",
                                      authority_.empty() ? "0" : std::to_string(port_),
                                      "--bind",
                                      "127.0.0.1",
                                      "--save",
                                      "",
                                      "--dir",
                                      folder_.path().string()};
        args.insert(args.end(), settings_.begin(), settings_.end());
        process_ = Process(args, folder_ / "redis.log");
        const bool ended = eventually([this] { return answers() || !process_.running(); }) && !process_.running();
        if (ended || !answers()) throw std::runtime_error("redis-server does not start: " + process_.output());
    }
    void stop() { process_.kill(); }
    // Alive, but answering nothing.
    void freeze() { test::freeze(process_.pid()); }
    void thaw() { process_.signal(SIGCONT); }

    // What redis-cli prints, without the last line end.
    std::string ask(std::vector<std::string> words) const {
        std::vector<std::string> args{"redis-cli", "-p", std::to_string(port_)};
        if (!authority_.empty()) args.insert(args.end(), {"--tls", "--cacert", authority_});
        args.insert(args.end(), words.begin(), words.end());
        std::string out = run(args).out;
        while (!out.empty() && (out.back() == '\n' || out.back() == '\r')) out.pop_back();
        return out;
    }

private:
    // Accepting is not enough: it accepts before it looks for its other ports, and ends if one of them is taken.
    bool answers() const {
        const std::string answer = ask({"PING"});
        return answer.find("PONG") != std::string::npos || answer.find("NOAUTH") != std::string::npos;
    }
    static bool is_free(std::uint16_t port) {
        const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    }
    // A node of a cluster listens 10,000 above its port too. Both are chosen below those that outgoing connections
    // take: there connections that ended a moment ago, thousands after some tests, would be in the way of the second.
    void prepare() {
        constexpr std::uint16_t lowest = 11'000, highest = 22'000, apart = 10'000;
        std::random_device dice;
        std::uniform_int_distribution<unsigned> any(lowest, highest);
        do port_ = static_cast<std::uint16_t>(any(dice));
        while (!is_free(port_) || !is_free(static_cast<std::uint16_t>(port_ + apart)));
        // The package redis-tools has the server under another name, and unlike redis-server starts no service.
        std::filesystem::create_symlink("/usr/bin/redis-check-rdb", folder_ / "redis-server");
        start();
    }

    std::vector<std::string> settings_;
    std::string authority_;  // empty: plain
    TempDir folder_;
    std::uint16_t port_ = 0;
    Process process_;
};

// A cluster of two, and in which of them a key lies.
struct RedisPair {
    template <class... Settings>
    explicit RedisPair(const Settings&... settings) : one(settings..., in_cluster()), two(settings..., in_cluster()) {
        one.ask({"CLUSTER", "ADDSLOTSRANGE", "0", "8191"});
        two.ask({"CLUSTER", "ADDSLOTSRANGE", "8192", "16383"});
        one.ask({"CLUSTER", "MEET", "127.0.0.1", std::to_string(two.port())});
        const bool whole = eventually(
            [this] {
                const auto ok = [](RedisServer& node) {
                    return node.ask({"CLUSTER", "INFO"}).find("cluster_state:ok") != std::string::npos;
                };
                return ok(one) && ok(two);
            },
            std::chrono::seconds(20));
        if (!whole) throw std::runtime_error("redis-server: the cluster does not form");
    }
    RedisServer& owner_of(const std::string& key) {
        return std::stoi(one.ask({"CLUSTER", "KEYSLOT", key})) < 8192 ? one : two;
    }
    RedisServer& other_than(const RedisServer& node) noexcept { return &node == &one ? two : one; }

    RedisServer one, two;

private:
    static std::vector<std::string> in_cluster() { return {"--cluster-enabled", "yes"}; }
};

// A sentinel that watches a server as "m" and alone decides about its fail-over.
class RedisSentinel {
public:
    // `settings`: further lines of its file.
    explicit RedisSentinel(const RedisServer& master, const std::string& settings = {}) {
        listen_on_free_port(port_);
        std::filesystem::create_symlink("/usr/bin/redis-check-rdb", folder_ / "redis-sentinel");
        folder_.write("sentinel.conf", "port " + std::to_string(port_) + "\nbind 127.0.0.1\ndir " +
                                           folder_.path().string() + "\nsentinel monitor m 127.0.0.1 " +
                                           std::to_string(master.port()) +
                                           " 1\nsentinel down-after-milliseconds m 300\n"
                                           "sentinel failover-timeout m 3000\n" +
                                           settings);
        process_ = Process({(folder_ / "redis-sentinel").string(), (folder_ / "sentinel.conf").string()},
                           folder_ / "sentinel.log");
    }
    std::uint16_t port() const noexcept { return port_; }
    // An entry of `redis_sentinels`.
    std::string entry() const { return "{host: 127.0.0.1, port: " + std::to_string(port_) + "}"; }
    void stop() { process_.kill(); }
    // What redis-cli prints.
    std::string ask(std::vector<std::string> words) const {
        std::vector<std::string> args{"redis-cli", "-p", std::to_string(port_)};
        args.insert(args.end(), words.begin(), words.end());
        return run(args).out;
    }
    // The port of the master, as it says; 0: it says nothing.
    int master() const {
        const std::string text = ask({"SENTINEL", "GET-MASTER-ADDR-BY-NAME", "m"});
        const std::size_t line = text.find('\n');
        return text.rfind("127.0.0.1\n", 0) == 0 ? std::atoi(text.c_str() + line) : 0;
    }
    // It could make that server the master.
    bool knows_replica(const RedisServer& replica) const {
        const std::string text = ask({"SENTINEL", "REPLICAS", "m"});
        return text.find("\n" + std::to_string(replica.port()) + "\n") != std::string::npos &&
               text.find("master-link-status\nok\n") != std::string::npos;
    }

private:
    TempDir folder_;
    std::uint16_t port_ = 0;
    Process process_;
};

// A server, a replica of it and a sentinel that knows both.
struct RedisGroup {
    explicit RedisGroup(std::vector<std::string> settings = {})
        : master(settings), replica(as_replica(settings)), sentinel(master) {
        const auto limit = std::chrono::seconds(30);
        if (!eventually([this] { return sentinel.knows_replica(replica); }, limit))
            throw std::runtime_error("redis-sentinel: it does not find the replica: " +
                                     sentinel.ask({"SENTINEL", "REPLICAS", "m"}));
    }
    RedisServer master, replica;
    RedisSentinel sentinel;

private:
    std::vector<std::string> as_replica(std::vector<std::string> settings) const {
        settings.insert(settings.end(), {"--replicaof", "127.0.0.1 " + std::to_string(master.port())});
        return settings;
    }
};

}  // namespace gateway::test
