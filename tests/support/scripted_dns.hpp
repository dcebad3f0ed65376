// A name server on a free UDP port that knows one address for every name and is silent until it is told to speak.
#pragma once

#include <netinet/in.h>

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "libgateway/base/unique_fd.hpp"

namespace gateway::test {

// Answers A with 127.0.0.1 and every other type with nothing. One thread, ended by the destructor.
class ScriptedDns {
public:
    ScriptedDns();
    ScriptedDns(const ScriptedDns&) = delete;
    ScriptedDns& operator=(const ScriptedDns&) = delete;
    ~ScriptedDns();

    std::string server() const { return "127.0.0.1:" + std::to_string(port_); }
    // Questions so far, those asked again included.
    std::size_t questions() const noexcept { return questions_; }
    // Answers everything asked so far, and from now on at once.
    void speak();

private:
    using Question = std::pair<std::string, sockaddr_in>;
    void listen();
    void answer(const Question& question) const;

    std::uint16_t port_ = 0;
    UniqueFd socket_;
    std::mutex mutex_;
    std::vector<Question> open_;
    bool speaks_ = false;
    std::atomic<std::size_t> questions_{0};
    std::atomic<bool> stopping_{false};
    std::thread thread_;
};

}  // namespace gateway::test
