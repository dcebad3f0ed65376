#include "libgateway/process/upgrade.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include "libgateway/base/strings.hpp"
#include "libgateway/process/signals.hpp"

namespace gateway::process {

namespace {

constexpr const char* variable = "GATEWAY_UPGRADE";
// A checking child compares it: a binary that could not read our state must not be executed in our place.
constexpr const char* format_variable = "GATEWAY_UPGRADE_FORMAT";
constexpr std::int64_t check_limit_ns = 10'000 * ns_per_ms;
constexpr std::size_t max_output = 2'000;

[[noreturn]] void throw_system(const char* what) {
    throw std::system_error(errno, std::system_category(), what);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (std::string& text : texts) result.push_back(text.data());
    result.push_back(nullptr);
    return result;
}

void keep(int fd, bool over_exec) noexcept {
    if (fd >= 0) ::fcntl(fd, F_SETFD, over_exec ? 0 : FD_CLOEXEC);
}

std::string format_text() {
    return std::to_string(UpgradeState::magic_value) + ":" + std::to_string(sizeof(UpgradeState));
}

}  // namespace

UniqueFd save(const UpgradeState& state) {
    static_assert(std::has_unique_object_representations_v<UpgradeState>);
    UniqueFd fd(::memfd_create("gateway-upgrade", 0));
    if (!fd) throw_system("state for the new binary");
    const auto* bytes = reinterpret_cast<const char*>(&state);
    for (std::size_t done = 0; done < sizeof state;) {
        const ssize_t written = ::write(fd.get(), bytes + done, sizeof state - done);
        if (written < 0 && errno != EINTR) throw_system("state for the new binary");
        if (written > 0) done += static_cast<std::size_t>(written);
    }
    return fd;
}

UpgradeState load(UniqueFd fd) {
    UpgradeState state;
    const ssize_t size = ::pread(fd.get(), &state, sizeof state, 0);
    if (size != static_cast<ssize_t>(sizeof state) || state.magic != UpgradeState::magic_value ||
        state.size != sizeof state) {
        throw std::runtime_error("state handed over by the old binary: of another version");
    }
    if (state.master != ::getpid())
        throw std::runtime_error("state handed over by the old binary: for another process");
    if (const std::string wrong = check(state.plan); !wrong.empty()) {
        throw std::runtime_error("state handed over by the old binary: " + wrong);
    }
    return state;
}

std::optional<UpgradeState> take_handed_over() {
    const char* text = std::getenv(variable);
    if (!text) return std::nullopt;
    const std::optional<int> fd = parse_decimal<int>(text);
    ::unsetenv(variable);
    if (!fd || ::fcntl(*fd, F_GETFD) < 0) throw std::runtime_error(std::string(variable) + ": no such descriptor");
    UpgradeState state = load(UniqueFd(*fd));
    keep_over_exec(state, false);
    return state;
}

void keep_over_exec(const UpgradeState& state, bool over_exec) noexcept {
    for (const int fd : {state.lock, state.segment, state.journal, state.control_socket, state.status_listener,
                         state.metrics_listener, state.admin_listener, state.inner_listener, state.control_channel}) {
        keep(fd, over_exec);
    }
    for (const UpgradeState::Worker& worker : state.workers) keep(worker.channel, over_exec);
    for (const ListeningGroup::Saved& group : state.groups) {
        if (!group.used) continue;
        for (const int fd : group.fds) keep(fd, over_exec);
    }
}

std::string program_path(const std::string& argument) {
    char here[PATH_MAX] = "";
    if (argument.find('/') != std::string::npos) {
        if (argument.front() == '/' || !::getcwd(here, sizeof here)) return argument;
        return std::string(here) + "/" + argument;
    }
    const char* path = std::getenv("PATH");
    std::string found;
    for_each_item(path ? path : "/usr/sbin:/usr/bin:/sbin:/bin", ':', [&](std::string_view folder) {
        std::string candidate = std::string(folder) + "/" + argument;
        if (found.empty() && !argument.empty() && ::access(candidate.c_str(), X_OK) == 0) found = std::move(candidate);
    });
    if (!found.empty()) return found;
    const ssize_t size = ::readlink("/proc/self/exe", here, sizeof here - 1);
    return {here, size > 0 ? static_cast<std::size_t>(size) : 0};
}

std::string execute(const std::string& program, const std::vector<std::string>& arguments, int state_fd) {
    ::setenv(variable, std::to_string(state_fd).c_str(), 1);
    std::vector<std::string> copies = arguments;
    ::execv(program.c_str(), pointers(copies).data());
    const int error = errno;
    ::unsetenv(variable);
    return "cannot execute " + program + ": " + std::strerror(error);
}

bool upgrade_format_agrees() noexcept {
    const char* format = std::getenv(format_variable);
    return !format || format == format_text();
}

UpgradeCheck::UpgradeCheck(const std::string& program, const std::vector<std::string>& arguments, std::int64_t now_ns)
    : deadline_ns_(now_ns + check_limit_ns), program_(program) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) throw_system("pipe");
    pipe_.reset(ends[0]);
    const UniqueFd far(ends[1]);
    std::vector<std::string> copies = arguments;
    copies.emplace_back("--check-upgrade");
    const std::vector<char*> argv = pointers(copies);
    pid_ = ::fork();
    if (pid_ < 0) throw_system("fork");
    if (pid_ > 0) return;
    ::dup2(far.get(), 1);
    ::dup2(far.get(), 2);
    ::setenv(format_variable, format_text().c_str(), 1);
    ::unsetenv("NOTIFY_SOCKET");
    restore_signals();
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    ::execv(program.c_str(), argv.data());
    const std::string text = std::strerror(errno);
    (void)!::write(2, text.data(), text.size());
    ::_exit(127);
}

void UpgradeCheck::give_up() noexcept {
    timed_out_ = true;
    ::kill(pid_, SIGKILL);
}

void UpgradeCheck::collect() {
    char block[4096];
    for (;;) {
        const ssize_t size = ::read(pipe_.get(), block, sizeof block);
        if (size <= 0) return;
        output_.append(block, static_cast<std::size_t>(size));
        if (output_.size() > max_output) output_.erase(0, output_.size() - max_output);
    }
}

std::string UpgradeCheck::ended(int status) {
    collect();
    while (!output_.empty() && (output_.back() == '\n' || output_.back() == ' ')) output_.pop_back();
    std::string reason;
    if (timed_out_) {
        reason = "did not answer --check-upgrade within 10 s";
    } else if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        return {};
    } else if (WIFEXITED(status)) {
        reason = "--check-upgrade ended with status " + std::to_string(WEXITSTATUS(status));
    } else {
        reason = "--check-upgrade was ended by signal " + std::to_string(WTERMSIG(status));
    }
    return "new binary " + program_ + ": " + reason + (output_.empty() ? "" : ": " + output_);
}

}  // namespace gateway::process
