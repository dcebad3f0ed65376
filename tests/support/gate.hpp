// A TCP relay on a free port that delays, slices, stalls or cuts the bytes between two sides, each direction by itself.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <thread>

#include "libgateway/base/unique_fd.hpp"

namespace gateway::test {

using std::chrono::milliseconds;

// What happens to the bytes of one direction of one connection. Counts are per connection.
struct Fault {
    std::size_t slice = 0;                     // at most so many bytes per write; 0: as they come
    milliseconds delay{0};                     // before each write
    std::optional<std::size_t> stall_after{};  // forward so many bytes, then nothing more, the connection stays
    std::optional<std::size_t> close_after{};  // forward so many bytes, then FIN to both sides
    std::optional<std::size_t> reset_after{};  // forward so many bytes, then RST to both sides
};

// A fault set holds for connections accepted afterwards. The destructor cuts everything.
class Gate {
public:
    explicit Gate(std::uint16_t target_port);
    Gate(const Gate&) = delete;
    Gate& operator=(const Gate&) = delete;
    ~Gate();

    std::uint16_t port() const noexcept { return port_; }
    void to_target(Fault fault);    // bytes from whoever connects to the gate, to the target
    void from_target(Fault fault);  // and back
    std::size_t accepted() const noexcept { return accepted_; }
    void reset_all();  // RST on every connection now open

private:
    struct Link {
        UniqueFd client, target;
        std::atomic<bool> cut{false};
        std::thread forth, back;
    };
    void accept_all();
    static void pump(Link& link, int from, int to, Fault fault);
    static void cut(Link& link, bool with_reset);

    std::uint16_t port_ = 0;  // before the listener, which fills it
    UniqueFd listener_;
    std::uint16_t target_port_;
    std::mutex mutex_;
    Fault forth_, back_;
    std::list<Link> links_;
    std::atomic<std::size_t> accepted_{0};
    std::atomic<bool> stopping_{false};
    std::thread acceptor_;
};

}  // namespace gateway::test
