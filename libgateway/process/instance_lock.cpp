#include "libgateway/process/instance_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <array>
#include <cerrno>
#include <stdexcept>

#include "libgateway/base/strings.hpp"
#include "libgateway/process/privileges.hpp"

namespace gateway::process {

namespace {

std::string holder_of(int fd) {
    std::array<char, 32> text{};
    const ssize_t size = ::pread(fd, text.data(), text.size(), 0);
    std::string_view line(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    line = line.substr(0, line.find('\n'));
    return parse_decimal<int>(line) ? "pid " + std::string(line) : "pid unknown";
}

}  // namespace

UniqueFd lock_instance(const std::string& directory) {
    const std::string path = directory + "/lock";
    UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file) throw_path_error("open", path, errno);
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) throw_path_error("lock", path, errno);
        throw std::runtime_error("another gateway (" + holder_of(file.get()) + ") holds " + path +
                                 ": give this one another data_dir or stop that one");
    }
    const std::string line = std::to_string(::getpid()) + "\n";
    if (::ftruncate(file.get(), 0) != 0 ||
        ::pwrite(file.get(), line.data(), line.size(), 0) != static_cast<ssize_t>(line.size())) {
        throw_path_error("write to", path, errno);
    }
    return file;
}

}  // namespace gateway::process
