// Starts programs for end-to-end tests: output in a file, signals, waiting with a limit, nothing left behind.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace gateway::test {

using std::chrono::milliseconds;

// One child in its own process group; the destructor kills the whole group with SIGKILL and reaps the child.
class Process {
public:
    Process() noexcept = default;
    // `args[0]` is the program (a path, or a name found in PATH). stdout and stderr are appended to `output`;
    // `environment` holds "NAME=value" entries added to (or replacing those of) the test's own. Throws if it cannot
    // start.
    Process(std::vector<std::string> args, std::filesystem::path output,
            const std::vector<std::string>& environment = {});
    Process(Process&& other) noexcept;
    Process& operator=(Process&& other) noexcept;
    ~Process();

    pid_t pid() const noexcept { return pid_; }
    bool running();
    void signal(int number) const noexcept;
    // The exit status, 128 + n if signal n ended it; nothing if it still runs when the limit has passed.
    std::optional<int> wait(milliseconds limit = milliseconds(5000));
    void kill() noexcept;
    std::string output() const;

private:
    pid_t pid_ = -1;
    std::optional<int> status_;
    std::filesystem::path output_;
};

struct RunResult {
    int exit = -1;    // -1: it had to be killed at the limit
    std::string out;  // stdout and stderr together
};
// Runs a program to its end.
RunResult run(std::vector<std::string> args, milliseconds limit = milliseconds(10000),
              const std::vector<std::string>& environment = {});

// Processes whose parent is `parent`, from /proc; and whether a process exists and is no zombie.
std::vector<pid_t> children_of(pid_t parent);
bool alive(pid_t pid);
// SIGSTOP. On return every thread stands still, which takes a moment on a busy machine; throws if that does not come.
void freeze(pid_t pid);

}  // namespace gateway::test
