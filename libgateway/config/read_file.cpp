#include "libgateway/config/read_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "libgateway/base/unique_fd.hpp"

namespace gateway::config {

int read_file(const std::string& path, std::string& out, std::size_t most) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return errno;
    out.clear();
    std::array<char, 1 << 16> block;
    for (;;) {
        const ssize_t got = ::read(file.get(), block.data(), block.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno;
        if (got == 0) return 0;
        if (out.size() + static_cast<std::size_t>(got) > most) return EFBIG;
        out.append(block.data(), static_cast<std::size_t>(got));
    }
}

}  // namespace gateway::config
