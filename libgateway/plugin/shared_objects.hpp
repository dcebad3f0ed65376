// Loads plugins that were built apart from this program, out of the folder `gateway.plugins_dir`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gateway {

// What a file says of itself: the text between "gateway-plugin " and ";", empty if there is none. Reads, runs nothing.
std::string shared_object_marker(const std::string& path);

// The plugins that one folder gave to the registry of this process. Loaded once, before anybody uses the registry and
// before other threads exist; children inherit them. Never unloaded: code of plugins stays where it is.
class SharedObjects {
public:
    static SharedObjects& of_this_process();

    // Takes all files `*.so`, by name; an empty folder name: none. Each must be safe (owned by root or this user,
    // writable by nobody else), say that it was built for this very program, and bring no name or priority that is
    // taken. The reasons of all that were refused, one a line; empty if all are good. A second call does nothing.
    std::string load(const std::string& folder);

    // What a restart would change, as texts: another folder, files that are new, changed or gone.
    std::vector<std::string> differences(const std::string& folder) const;

    // Files that were loaded.
    std::vector<std::string> files() const;

private:
    struct File {
        std::string path;
        std::int64_t seconds = 0, nanoseconds = 0;
        std::uint64_t device = 0, inode = 0, size = 0;
        friend bool operator==(const File&, const File&) = default;
    };
    static std::vector<File> list(const std::string& folder, std::string& problem);

    std::string folder_;
    std::vector<File> loaded_;
    bool done_ = false;
};

}  // namespace gateway
