// Clients that keep a gateway busy while a test does something to it, and tell afterwards what broke.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/raw_client.hpp"
#include "tests/support/scripted_upstream.hpp"

namespace gateway::test {

struct LoadResult {
    std::size_t answered = 0, broken = 0;
    std::string first;  // what broke first
};

// What all kinds of load have in common: threads that go on until `stop`, and a count of what broke.
class LoadThreads {
public:
    LoadThreads() = default;
    LoadThreads(const LoadThreads&) = delete;
    LoadThreads& operator=(const LoadThreads&) = delete;
    std::size_t answered() const noexcept { return answered_; }
    std::size_t broken() const noexcept { return broken_; }
    LoadResult stop();

protected:
    ~LoadThreads() { stop(); }
    bool going() const noexcept { return going_; }
    void count_answer() noexcept { ++answered_; }
    void count_broken(const std::string& why);

    std::vector<std::thread> threads_;

private:
    std::atomic<bool> going_{true};
    std::atomic<std::size_t> answered_{0}, broken_{0};
    std::mutex mutex_;
    std::string first_;
};

// Each client asks, reads the whole answer, asks again. Anything but a whole 200 counts as broken; an answer with
// "Connection: close" is an ordinary end of a connection.
class SteadyLoad : public LoadThreads {
public:
    enum class Manner : std::uint8_t { keep_alive_posts, short_gets };
    SteadyLoad(std::uint16_t port, Manner manner, int clients);
    ~SteadyLoad() { stop(); }

private:
    void post_on(std::uint16_t port);
    void get_from(std::uint16_t port);
};

// Tunnels through an upstream that echoes; every one is written to and heard in turn.
class Tunnels : public LoadThreads {
public:
    Tunnels(std::uint16_t port, int count, std::string_view target = "/ws");
    ~Tunnels() { stop(); }

private:
    void echo_all();
    std::vector<RawClient> tunnels_;
};

// Keep-alive connections that ask once when made and then only when told to.
class IdleClients {
public:
    IdleClients(std::uint16_t port, int count);
    // Every connection asks again; how many got a whole 200.
    std::size_t ask_again();

private:
    std::vector<RawClient> clients_;
};

// Answers of an upstream that serves both: tunnels where an upgrade is asked for, "ok" otherwise.
inline void answer_or_echo(Connection& to, const Message& request) {
    if (!request.field("Upgrade").empty()) return ScriptedUpstream::upgrades_and_echoes()(to, request);
    to.send(make_response(200, "ok"));
}

}  // namespace gateway::test
