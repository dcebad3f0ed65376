#include "libgateway/process/privileges.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "libgateway/base/path_facts.hpp"

namespace gateway::process {

namespace {

[[noreturn]] void throw_system(const char* what) {
    throw std::system_error(errno, std::system_category(), what);
}

// Group to run with: the plan's, else the user's own, else this process's.
gid_t group_of(const Plan& plan) {
    if (plan.gid >= 0) return static_cast<gid_t>(plan.gid);
    const passwd* entry = ::getpwuid(static_cast<uid_t>(plan.uid));
    return entry ? entry->pw_gid : static_cast<gid_t>(plan.uid);
}

bool make_directories(const std::string& path, const Plan& plan) {
    struct stat status = {};
    if (::stat(path.c_str(), &status) == 0) return false;
    const std::size_t cut = path.find_last_of('/');
    if (cut != std::string::npos && cut > 0) make_directories(path.substr(0, cut), plan);
    if (::mkdir(path.c_str(), 0750) != 0 && errno != EEXIST) throw_path_error("make directory", path, errno);
    if (must_drop(plan) && ::lchown(path.c_str(), static_cast<uid_t>(plan.uid), group_of(plan)) != 0) {
        throw_path_error("hand over", path, errno);
    }
    return true;
}

// Files directly in a data directory that root began and a user goes on with. Links are not followed.
void hand_over_entries(const std::string& path, const Plan& plan) {
    DIR* folder = ::opendir(path.c_str());
    if (!folder) throw_path_error("read", path, errno);
    while (const dirent* entry = ::readdir(folder)) {
        const std::string_view name = entry->d_name;
        if (name == "." || name == "..") continue;
        struct stat status = {};
        if (::fstatat(::dirfd(folder), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
        // A file with other names elsewhere is not ours alone.
        if (status.st_uid != 0 || !S_ISREG(status.st_mode) || status.st_nlink != 1) continue;
        (void)::fchownat(::dirfd(folder), entry->d_name, static_cast<uid_t>(plan.uid), group_of(plan),
                         AT_SYMLINK_NOFOLLOW);
    }
    ::closedir(folder);
}

bool is_empty_or_ours(const std::string& path) {
    struct stat status = {};
    if (::lstat((path + "/lock").c_str(), &status) == 0 && S_ISREG(status.st_mode)) return true;
    DIR* folder = ::opendir(path.c_str());
    if (!folder) return false;
    int entries = 0;
    while (::readdir(folder)) ++entries;
    ::closedir(folder);
    return entries <= 2;
}

constexpr std::uint32_t bit(int capability) noexcept {
    return 1u << capability;
}
// A child that stays root still reads files of others (keys, configuration); nothing else of root's is needed.
constexpr std::uint32_t caps_of_root = bit(CAP_DAC_OVERRIDE) | bit(CAP_DAC_READ_SEARCH);

// Fails silently without CAP_SETPCAP: there is nothing to gain back then, since no_new_privs is set.
void bound_capabilities(std::uint32_t keep) noexcept {
    for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
        if (capability < 32 && (keep & bit(capability))) continue;
        ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
    }
}

// Defence in depth after setresuid, which took them already. A filter of system calls (systemd) may forbid capset to
// one who was never root; then the capabilities that the service was given stay, which is what its unit says.
void limit_capabilities(std::uint32_t keep) {
    ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> held{};
    if (::syscall(SYS_capget, &header, held.data()) != 0) throw_system("capget");
    const std::uint32_t kept = held[0].permitted & keep;
    const std::array<__user_cap_data_struct, 2> wanted{__user_cap_data_struct{kept, kept, 0}, __user_cap_data_struct{}};
    if (::syscall(SYS_capset, &header, wanted.data()) != 0 && ::geteuid() == 0) throw_system("capset");
}

void become(const Plan& plan) {
    const auto uid = static_cast<uid_t>(plan.uid);
    const gid_t gid = group_of(plan);
    if (::setgroups(1, &gid) != 0) throw_system("setgroups");
    if (::setresgid(gid, gid, gid) != 0) throw_system("setresgid");
    if (::setresuid(uid, uid, uid) != 0) throw_system("setresuid");
    if (uid != 0 && ::setresuid(0, 0, 0) == 0) {
        throw std::system_error(EPERM, std::system_category(), "root could be regained");
    }
}

void ignore_masters_signals() noexcept {
    for (const int number : {SIGHUP, SIGINT, SIGTERM, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE}) ::signal(number, SIG_IGN);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace

void throw_path_error(const char* what, const std::string& path, int error) {
    throw std::runtime_error(std::string("cannot ") + what + " " + describe_path(path) + ": " + std::strerror(error) +
                             who_may(path, error));
}

bool must_drop(const Plan& plan) noexcept {
    return plan.uid > 0 && ::geteuid() == 0;
}

void prepare_data_dir(const Plan& plan) {
    const std::string path(plan.data_dir.view());
    if (make_directories(path, plan)) return;
    struct stat status = {};
    if (::stat(path.c_str(), &status) != 0) throw_path_error("read", path, errno);
    if (!S_ISDIR(status.st_mode)) throw_path_error("use", path, ENOTDIR);
    if (!must_drop(plan)) {
        if (::access(path.c_str(), R_OK | W_OK | X_OK) != 0) throw_path_error("write to", path, errno);
        return;
    }
    if (status.st_uid != static_cast<uid_t>(plan.uid)) {
        if (status.st_uid != 0 || !is_empty_or_ours(path)) {
            throw std::runtime_error("data_dir " + describe_path(path) + ": expected it to belong to user " +
                                     user_text(static_cast<uid_t>(plan.uid)));
        }
        if (::chown(path.c_str(), static_cast<uid_t>(plan.uid), group_of(plan)) != 0) {
            throw_path_error("hand over", path, errno);
        }
    }
    hand_over_entries(path, plan);
}

void prepare_parent(const std::string& path, const Plan& plan) {
    const std::size_t cut = path.find_last_of('/');
    if (cut != std::string::npos && cut > 0) make_directories(path.substr(0, cut), plan);
}

void hand_over(int fd, const Plan& plan) noexcept {
    if (must_drop(plan)) (void)::fchown(fd, static_cast<uid_t>(plan.uid), group_of(plan));
}

bool raise_open_files(std::uint32_t wanted, pid_t pid) noexcept {
    rlimit limit{};
    if (::prlimit(pid, RLIMIT_NOFILE, nullptr, &limit) != 0) return false;
    if (limit.rlim_cur >= wanted) return true;
    const rlimit raised{wanted, std::max<rlim_t>(wanted, limit.rlim_max)};
    if (::prlimit(pid, RLIMIT_NOFILE, &raised, nullptr) == 0) return true;
    const rlimit most{std::min<rlim_t>(wanted, limit.rlim_max), limit.rlim_max};
    return ::prlimit(pid, RLIMIT_NOFILE, &most, nullptr) == 0 && most.rlim_cur >= wanted;
}

bool may_open_files(std::uint32_t wanted) noexcept {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max >= wanted) return true;
    const rlimit raised{limit.rlim_cur, wanted};
    return ::setrlimit(RLIMIT_NOFILE, &raised) == 0 && ::setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

void close_all_but(std::span<const int> keep) noexcept {
    std::vector<int> sorted(keep.begin(), keep.end());
    std::sort(sorted.begin(), sorted.end());
    unsigned next = 3;
    for (const int fd : sorted) {
        if (fd < static_cast<int>(next)) continue;
        const auto kept = static_cast<unsigned>(fd);
        if (kept > next) ::close_range(next, kept - 1, 0);
        next = kept + 1;
    }
    ::close_range(next, ~0u, 0);
}

void enter_child(const Plan& plan, bool drop, int master) {
    ignore_masters_signals();
    const std::uint32_t keep = !drop && ::geteuid() == 0 ? caps_of_root : 0;
    bound_capabilities(keep);  // first: it takes CAP_SETPCAP, which setresuid gives away
    if (drop) become(plan);
    limit_capabilities(keep);
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) throw_system("no_new_privs");
    // After setuid, which clears it; then look again, since the master may have died in between.
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) throw_system("pdeathsig");
    if (::getppid() != master) throw std::system_error(ESRCH, std::system_category(), "the master is gone");
}

void pin_to_cpu(std::uint32_t index, pid_t pid) noexcept {
    cpu_set_t usable;
    CPU_ZERO(&usable);
    if (::sched_getaffinity(0, sizeof usable, &usable) != 0 || CPU_COUNT(&usable) == 0) return;
    auto skip = index % static_cast<std::uint32_t>(CPU_COUNT(&usable));
    for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (!CPU_ISSET(cpu, &usable) || skip-- != 0) continue;
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        ::sched_setaffinity(pid, sizeof one, &one);
        return;
    }
}

void unpin(pid_t pid) noexcept {
    cpu_set_t usable;
    CPU_ZERO(&usable);
    if (::sched_getaffinity(0, sizeof usable, &usable) == 0) ::sched_setaffinity(pid, sizeof usable, &usable);
}

}  // namespace gateway::process
