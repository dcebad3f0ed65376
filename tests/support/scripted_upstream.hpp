// An upstream server on a free port that answers as a test has written down, request by request or byte by byte.
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/support/message.hpp"

namespace gateway::test {

// Threads: one accepts, one serves each connection; all are ended by the destructor, which wakes every wait.
class ScriptedUpstream {
public:
    // Called once per request; writes the answer. Return keeps the connection; close() or reset() it to end it.
    using Answer = std::function<void(Connection&, const Message&)>;
    // Called once per connection before anything was read; the connection ends when it returns.
    using Talk = std::function<void(Connection&)>;

    ScriptedUpstream() : ScriptedUpstream(answers(200, "ok")) {}
    explicit ScriptedUpstream(Answer answer);
    struct Raw {};
    ScriptedUpstream(Raw, Talk talk);
    ScriptedUpstream(const ScriptedUpstream&) = delete;
    ScriptedUpstream& operator=(const ScriptedUpstream&) = delete;
    ~ScriptedUpstream();

    std::uint16_t port() const noexcept { return port_; }
    std::string node() const { return "127.0.0.1:" + std::to_string(port_); }
    // From the next request on. The text in `answers` may also be raw bytes through `sends`.
    void script(Answer answer);
    // Whole requests received so far, in order of arrival; not recorded in raw mode.
    std::vector<Message> requests() const;
    std::size_t request_count() const;
    std::size_t accepted() const noexcept { return accepted_; }
    std::size_t open() const noexcept { return open_; }

    static Answer answers(int status, std::string body, std::string lines = {});
    static Answer sends(std::string bytes);  // exactly these bytes, connection kept
    static Answer sends_and_closes(std::string bytes);
    static Answer stalls();  // reads the request, answers nothing until the other side goes
    static Answer closes();
    static Answer resets();
    static Answer upgrades_and_echoes();  // 101, then every byte comes back

private:
    struct Guest {
        Connection connection;
        std::thread thread;
        std::atomic<bool> done{false};
    };
    void accept_all();
    void serve(Connection& connection);
    void reap_done();
    Answer current() const;

    std::uint16_t port_ = 0;  // before the listener, which fills it
    UniqueFd listener_;
    mutable std::mutex mutex_;
    Answer answer_;
    Talk talk_;
    std::vector<Message> requests_;
    std::list<Guest> guests_;
    std::atomic<std::size_t> accepted_{0}, open_{0};
    std::atomic<bool> stopping_{false};
    std::thread acceptor_;
};

}  // namespace gateway::test
