// A master with stand-ins for control and worker (fake_gateway) in a folder of its own, and questions to it.
#pragma once

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "libgateway/base/unique_fd.hpp"
#include "tests/support/connection.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace gateway::test {

// What control says about itself and the workers.
struct MachineState {
    std::map<std::string, std::string> lines;  // by first word
    struct Worker {
        pid_t pid = 0;
        std::string state;
    };
    std::map<int, Worker> workers;  // by slot

    std::string operator[](const std::string& key) const {
        const auto found = lines.find(key);
        return found == lines.end() ? std::string() : found->second;
    }
    int number(const std::string& key) const { return std::atoi((*this)[key].c_str()); }
    int port(int listener) const {
        std::istringstream text((*this)["ports"]);
        int port = 0;
        for (int i = 0; i <= listener; ++i) text >> port;
        return port;
    }
    std::size_t count(std::string_view state) const {
        return static_cast<std::size_t>(std::count_if(workers.begin(), workers.end(),
                                                      [&](const auto& entry) { return entry.second.state == state; }));
    }
};

class FakeMachine {
public:
    explicit FakeMachine(std::string lines = "workers 2\nlisten a 127.0.0.1 0\n") {
        std::filesystem::copy_file(std::string(GATEWAY_BIN_DIR) + "/fake_gateway", folder_ / "gw");
        configure(lines);
    }
    ~FakeMachine() { resume_stopped(); }

    // `data_dir` and `socket` are added.
    void configure(const std::string& lines) {
        folder_.write("file", lines + "data_dir " + (folder_ / "data").string() + "\nsocket " + socket_path() + "\n");
    }
    void start(const std::vector<std::string>& environment = {}, std::vector<std::string> prefix = {}) {
        prefix.push_back((folder_ / "gw").string());
        prefix.push_back((folder_ / "file").string());
        master_ = Process(std::move(prefix), folder_ / "output", environment);
    }
    bool start_ready(std::size_t workers = 2, const std::vector<std::string>& environment = {}) {
        start(environment);
        return eventually([&] { return ready(workers); });
    }
    bool ready(std::size_t workers) {
        const MachineState now = state();
        return now.count("ready") == workers && now.workers.size() == workers;
    }

    // Empty if control does not answer.
    std::string ask_control(const std::string& command = "status\n") const {
        const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        const std::string path = socket_path();
        std::memcpy(address.sun_path, path.data(), path.size());
        const timeval limit{1, 0};
        ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return {};
        if (::send(fd.get(), command.data(), command.size(), MSG_NOSIGNAL) < 0) return {};
        std::string text;
        char block[8192];
        for (ssize_t size = 0; (size = ::recv(fd.get(), block, sizeof block, 0)) > 0;) {
            text.append(block, static_cast<std::size_t>(size));
        }
        return text;
    }
    MachineState state() const {
        MachineState state;
        std::istringstream text(ask_control());
        for (std::string line; std::getline(text, line);) {
            const std::size_t cut = line.find(' ');
            const std::string key = line.substr(0, cut);
            const std::string rest = cut == std::string::npos ? "" : line.substr(cut + 1);
            if (key == "event") {
                state.lines["event " + rest.substr(0, rest.find(' '))] = rest.substr(rest.find(' ') + 1);
            } else {
                state.lines[key] = rest;
            }
            if (key == "workers") read_workers(state, rest);
        }
        return state;
    }

    // What a worker answers to one connection; empty if none did within the limit.
    static std::string ask(int port, const std::string& command = "who\n",
                           milliseconds limit = milliseconds(1000)) try {
        Connection connection = connect_to(static_cast<std::uint16_t>(port));
        connection.set_limit(limit);
        connection.send(command);
        return connection.read_to_end();
    } catch (const ConnectionError&) {
        return {};
    }
    static pid_t answering(int port, milliseconds limit = milliseconds(1000)) {
        std::istringstream text(ask(port, "who\n", limit));
        int index = -1;
        pid_t pid = 0;
        text >> index >> pid;
        return pid;
    }
    // Pids that answered `tries` connections; 0 among them if one was not answered.
    static std::set<pid_t> answering_all(int port, int tries) {
        std::set<pid_t> pids;
        for (int i = 0; i < tries; ++i) pids.insert(answering(port));
        return pids;
    }

    void pause(pid_t pid) {
        stopped_.push_back(pid);
        freeze(pid);
    }
    void resume_stopped() {
        for (const pid_t pid : stopped_) ::kill(pid, SIGCONT);
        stopped_.clear();
    }

    std::string socket_path() const { return (folder_ / "gw.sock").string(); }
    Process& master() noexcept { return master_; }
    TempDir& folder() noexcept { return folder_; }
    std::string log() const { return master_.output(); }
    bool logged(std::string_view text) const { return log().find(text) != std::string::npos; }

private:
    static void read_workers(MachineState& state, const std::string& rest) {
        std::istringstream text(rest);
        for (std::string word; text >> word;) {
            const std::size_t first = word.find(':'), second = word.find(':', first + 1);
            MachineState::Worker& worker = state.workers[std::stoi(word)];
            worker.pid = std::stoi(word.substr(first + 1));
            worker.state = word.substr(second + 1);
        }
    }

    TempDir folder_;
    std::vector<pid_t> stopped_;
    Process master_;
};

}  // namespace gateway::test
