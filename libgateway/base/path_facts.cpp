#include "libgateway/base/path_facts.hpp"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

namespace gateway {

std::string user_text(unsigned uid) {
    const passwd* entry = ::getpwuid(uid);
    return entry ? std::string(entry->pw_name) + " " + std::to_string(uid) : std::to_string(uid);
}

std::string describe_path(const std::string& path) {
    struct stat status = {};
    if (::stat(path.c_str(), &status) != 0) return path;
    std::array<char, 8> mode{};
    std::snprintf(mode.data(), mode.size(), "%04o", status.st_mode & 07777);
    return path + " (owner " + user_text(status.st_uid) + ", mode " + mode.data() + ")";
}

std::string who_may(const std::string& path, int error) {
    if (error != EACCES && error != EPERM && error != EROFS && error != ENOENT) return {};
    std::string text;
    const std::size_t cut = path.find_last_of('/');
    if (cut != std::string::npos && cut > 0) text = "; directory " + describe_path(path.substr(0, cut));
    return text + "; this is " + user_text(::geteuid());
}

}  // namespace gateway
