#include "tests/support/process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>
#include <utility>

#include "libgateway/base/strings.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/temp_dir.hpp"

extern char** environ;

namespace gateway::test {
namespace {

std::vector<std::string> merged_environment(const std::vector<std::string>& extra) {
    std::vector<std::string> merged;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text = *entry;
        const std::string_view name = text.substr(0, text.find('=') + 1);
        bool replaced = false;
        for (const auto& other : extra) replaced = replaced || other.starts_with(name);
        if (!replaced) merged.emplace_back(text);
    }
    merged.insert(merged.end(), extra.begin(), extra.end());
    return merged;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (auto& text : texts) result.push_back(text.data());
    result.push_back(nullptr);
    return result;
}

// posix_spawn instead of fork: the test may have threads.
struct SpawnPlan {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    explicit SpawnPlan(const std::string& output) {
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
        ::posix_spawn_file_actions_addopen(&actions, 1, output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        ::posix_spawn_file_actions_adddup2(&actions, 1, 2);
        sigset_t none, all;
        sigemptyset(&none);
        sigfillset(&all);
        ::posix_spawnattr_init(&attributes);
        ::posix_spawnattr_setsigmask(&attributes, &none);
        ::posix_spawnattr_setsigdefault(&attributes, &all);
        ::posix_spawnattr_setpgroup(&attributes, 0);
        ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    }
    ~SpawnPlan() {
        ::posix_spawn_file_actions_destroy(&actions);
        ::posix_spawnattr_destroy(&attributes);
    }
};

int exit_status(int status) {
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// State letter and parent of a process; 'X' if there is none.
std::pair<char, pid_t> state_of(const std::filesystem::path& process) {
    const std::string stat = TempDir::read_file(process / "stat");
    const auto end_of_name = stat.rfind(')');
    if (end_of_name == std::string::npos) return {'X', 0};
    char state = 'X';
    int parent = 0;
    std::sscanf(stat.c_str() + end_of_name + 1, " %c %d", &state, &parent);
    return {state, parent};
}

}  // namespace

Process::Process(std::vector<std::string> args, std::filesystem::path output,
                 const std::vector<std::string>& environment)
    : output_(std::move(output)) {
    const SpawnPlan plan(output_.string());
    auto variables = merged_environment(environment);
    const auto argv = pointers(args);
    const auto envp = pointers(variables);
    const int error = ::posix_spawnp(&pid_, args[0].c_str(), &plan.actions, &plan.attributes, argv.data(), envp.data());
    if (error != 0) throw std::runtime_error("cannot start " + args[0] + ": " + ::strerror(error));
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), status_(other.status_), output_(std::move(other.output_)) {}

Process& Process::operator=(Process&& other) noexcept {
    if (this == &other) return *this;
    kill();
    pid_ = std::exchange(other.pid_, -1);
    status_ = other.status_;
    output_ = std::move(other.output_);
    return *this;
}

Process::~Process() {
    kill();
}

void Process::signal(int number) const noexcept {
    if (pid_ > 0 && !status_) ::kill(pid_, number);
}

bool Process::running() {
    return pid_ > 0 && !wait(milliseconds(0));
}

std::optional<int> Process::wait(milliseconds limit) {
    if (pid_ <= 0) return status_;
    const auto ended = [this] {
        if (status_) return true;
        int status = 0;
        if (::waitpid(pid_, &status, WNOHANG) == pid_) status_ = exit_status(status);
        return status_.has_value();
    };
    (void)eventually(ended, limit);
    return status_;
}

void Process::kill() noexcept {
    if (pid_ <= 0) return;
    ::kill(-pid_, SIGKILL);
    if (!status_) {
        ::kill(pid_, SIGKILL);
        int status = 0;
        if (::waitpid(pid_, &status, 0) == pid_) status_ = exit_status(status);
    }
    pid_ = -1;
}

std::string Process::output() const {
    return TempDir::read_file(output_);
}

RunResult run(std::vector<std::string> args, milliseconds limit, const std::vector<std::string>& environment) {
    const TempDir folder;
    Process process(std::move(args), folder / "output", environment);
    const auto status = process.wait(limit);
    if (!status) process.kill();
    return {status.value_or(-1), process.output()};
}

std::vector<pid_t> children_of(pid_t parent) {
    std::vector<pid_t> children;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const auto pid = parse_decimal<pid_t>(entry.path().filename().string());
        if (pid && state_of(entry.path()).second == parent) children.push_back(*pid);
    }
    return children;
}

bool alive(pid_t pid) {
    const char state = state_of("/proc/" + std::to_string(pid)).first;
    return state != 'X' && state != 'Z';
}

void freeze(pid_t pid) {
    ::kill(pid, SIGSTOP);
    const auto stands_still = [pid] {
        for (const auto& thread : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task"))
            if (state_of(thread.path()).first != 'T') return false;
        return true;
    };
    if (!eventually(stands_still)) throw std::runtime_error("process " + std::to_string(pid) + " does not stop");
}

}  // namespace gateway::test
