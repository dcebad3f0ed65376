// The sockets of this machine only: control socket and worker channel.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <thread>

#include "libgateway/base/path_facts.hpp"
#include "libgateway/process/listening.hpp"
#include "libgateway/process/privileges.hpp"

namespace gateway::process {

namespace {

sockaddr_un unix_address(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) throw std::runtime_error("control socket " + path + ": path too long");
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

bool answers(const std::string& path, const sockaddr_un& address) {
    const UniqueFd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const int done = ::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    if (done == 0 || errno == EAGAIN) return true;
    if (errno != ECONNREFUSED && errno != ENOENT) throw_path_error("take over control socket", path, errno);
    return false;
}

// Removes what a gateway that was killed left behind. One that was killed a moment ago may answer until it is gone.
void remove_stale(const std::string& path, const sockaddr_un& address) {
    constexpr int tries = 40;
    constexpr auto between = std::chrono::milliseconds(50);
    struct stat status = {};
    if (::lstat(path.c_str(), &status) != 0) return;
    if (!S_ISSOCK(status.st_mode))
        throw std::runtime_error("control socket " + describe_path(path) + ": is not a socket");
    for (int i = 0; answers(path, address); ++i) {
        if (i == tries)
            throw std::runtime_error("control socket " + describe_path(path) + ": another gateway answers on it");
        std::this_thread::sleep_for(between);
    }
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) throw_path_error("remove stale control socket", path, errno);
}

}  // namespace

UniqueFd open_control_socket(const std::string& path, const Plan& plan) {
    const sockaddr_un address = unix_address(path);
    remove_stale(path, address);
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) throw_path_error("open control socket", path, errno);
    // The file is made by bind; the mask closes the moment before a chmod. The master has one thread.
    const mode_t before = ::umask(0177);
    const int bound = ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    const int error = errno;
    ::umask(before);
    if (bound != 0) throw_path_error("make control socket", path, error);
    if (must_drop(plan) && ::lchown(path.c_str(), static_cast<uid_t>(plan.uid),
                                    plan.gid >= 0 ? static_cast<gid_t>(plan.gid) : ~gid_t{0}) != 0) {
        throw_path_error("hand over control socket", path, errno);
    }
    if (::listen(fd.get(), 128) != 0) throw_path_error("listen on control socket", path, errno);
    return fd;
}

UniqueFd open_channel_listener(FixedText<108>& address) {
    UniqueFd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const sockaddr family{AF_UNIX, {}};
    // An address of the family alone asks the kernel for a free abstract name.
    if (!fd || ::bind(fd.get(), &family, sizeof(sa_family_t)) != 0 || ::listen(fd.get(), max_workers * 2) != 0) {
        throw std::runtime_error(std::string("cannot open the worker channel: ") + std::strerror(errno));
    }
    sockaddr_un bound{};
    socklen_t size = sizeof bound;
    ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&bound), &size);
    const std::size_t name = size - offsetof(sockaddr_un, sun_path);
    if (name < 2 || !address.assign({bound.sun_path + 1, name - 1})) {
        throw std::runtime_error("cannot open the worker channel: no name");
    }
    return fd;
}

}  // namespace gateway::process
