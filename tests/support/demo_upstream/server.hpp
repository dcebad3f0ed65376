// The event loop of the demo upstream: one thread, level-triggered epoll, timers for late answers and streams.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "libgateway/base/unique_fd.hpp"
#include "tests/support/demo_upstream/answers.hpp"

namespace gateway::demo {

struct Settings {
    std::uint16_t port = 0;
    std::string address = "127.0.0.1";
    std::string name{};
    std::int64_t tick_ms = 100;
};

class Server {
public:
    // Binds at once; throws std::runtime_error saying what failed.
    explicit Server(Settings settings);
    std::uint16_t port() const noexcept { return port_; }
    [[noreturn]] void run();

private:
    struct Client {
        UniqueFd socket;
        std::uint64_t id = 0;
        std::string input, output;
        std::size_t sent = 0;      // of output
        std::uint64_t filler = 0;  // still to send after output
        int ticks = 0, ticked = 0;
        bool busy = false;  // an answer waits for its time
        bool websocket = false, closing = false, writing = false, continued = false;
        Request request;
    };

    void accept_clients();
    void on_event(Client& client, unsigned events);
    bool read_some(Client& client);
    void serve(Client& client);
    void start_answer(Client& client, Answer answer);
    void flush(Client& client);
    void drop(Client& client);
    void watch_writes(Client& client, bool on);
    void at(std::int64_t delay_ms, std::uint64_t client, Answer answer);
    int run_timers();
    void tick(Client& client);

    Settings settings_;
    UniqueFd listener_, epoll_;
    std::uint16_t port_ = 0;
    std::uint64_t next_id_ = 1;
    std::unordered_map<std::uint64_t, std::unique_ptr<Client>> clients_;
    struct Timer {
        std::uint64_t client;
        Answer answer;  // with ticks > 0 and no head: the next event of a stream
    };
    std::multimap<std::int64_t, Timer> timers_;
    std::string filler_;
};

}  // namespace gateway::demo
