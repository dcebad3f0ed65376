// An HTTP/1.1 client on one epoll descriptor: counts, times, and tells broken requests from ordinary ends.
#pragma once

#include <map>
#include <memory>
#include <queue>
#include <random>
#include <vector>

#include "bench/load/sockets.hpp"

namespace gateway::bench {

struct Plan {
    std::uint16_t port = 0;
    std::string method = "GET";
    std::string path = "/";          // "%d" stands for a number below `spread`
    std::string host = "localhost";  // likewise
    std::string header;              // "name: value", likewise; empty: none
    std::uint64_t spread = 1;
    std::size_t body = 0;
    std::size_t connections = 32;
    std::uint64_t count = 0;  // 0: until the time is over
    double seconds = 0;       // 0: until standard input ends
    // Requests a second over all connections, each due at its own moment and timed from it, so that a stall counts for
    // all that were due meanwhile; 0: closed loop, the next request follows the answer.
    double rate = 0;
    // Not 0: times are told for windows of so many milliseconds (by when a request was due) as well.
    std::uint64_t window_ms = 0;
    bool short_lived = false;  // a connection per request
    bool once_each = false;    // every connection asks once and stays open
    bool browser = false;      // six fields more, as a browser sends them
};

struct Tally {
    std::uint64_t requests = 0, good = 0, broken = 0, reopened = 0;  // good: answered with 200
    std::map<std::string, std::uint64_t> reasons{};
    std::vector<std::uint32_t> micros{};
    std::map<std::uint64_t, std::vector<std::uint32_t>> windows{};  // the same by window
    double seconds = 0;
    std::string json();
};
// The value below which that part of them lies; sorts them.
std::uint32_t percentile(std::vector<std::uint32_t>& values, double part);

class Requests {
public:
    explicit Requests(Plan plan);
    // Runs until the plan's end. May be called again: connections that are still open are used again.
    Tally run();
    std::size_t open() const;

private:
    struct Guest {
        UniqueFd socket;
        std::string input;
        std::string_view rest;     // of the request, not yet sent
        std::int64_t started = 0;  // when it was sent, or was due
        std::uint64_t turns = 0;
        bool waiting = false, connected = false;
    };

    void connect(std::size_t index);
    void ask(std::size_t index);
    void send_rest(std::size_t index);
    void on_event(std::size_t index, std::uint32_t events);
    bool whole(Guest& guest, bool& keep);
    void finish(std::size_t index, bool keep);
    void broke(std::size_t index, const std::string& why);
    void again(std::size_t index);
    void begin(std::size_t index);
    int wait(epoll_event* events, int most);
    void begin_due();
    bool over() const;
    std::string request_text(std::uint64_t number) const;

    Plan plan_;
    UniqueFd epoll_;
    std::vector<Guest> guests_;
    std::vector<std::string> texts_;
    std::mt19937_64 random_{7};
    Tally tally_;
    std::uint64_t asked_ = 0;
    std::size_t busy_ = 0, next_ = 0;
    using Due = std::pair<std::int64_t, std::size_t>;  // when, which guest
    std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
    std::int64_t start_ns_ = 0, end_ns_ = 0;
    bool input_ended_ = false;
};

}  // namespace gateway::bench
