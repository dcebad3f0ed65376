#include "libgateway/sources/file_watch.hpp"

#include <sys/stat.h>

#include <utility>

namespace gateway::sources {

FileWatch::State FileWatch::look() const noexcept {
    struct stat status {};
    if (::stat(path_.c_str(), &status) != 0) return {};
    return {status.st_mtim.tv_sec,
            status.st_mtim.tv_nsec,
            status.st_dev,
            status.st_ino,
            static_cast<std::uint64_t>(status.st_size),
            true};
}

bool FileWatch::poll() {
    const State now = look();
    const bool stable = now == std::exchange(last_, now);
    return stable && now.exists && now != taken_;
}

void FileWatch::taken() {
    taken_ = last_ = look();
}

}  // namespace gateway::sources
