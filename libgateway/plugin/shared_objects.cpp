#include "libgateway/plugin/shared_objects.hpp"

#include <dirent.h>
#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>

#include "libgateway/base/log.hpp"
#include "libgateway/plugin/shared_object.hpp"

namespace gateway {
namespace {

constexpr std::string_view marker_start = "gateway-plugin ";
constexpr std::size_t longest_marker = sizeof(SharedObject::marker);
constexpr std::string_view own_abi = GATEWAY_TEXT_OF(GATEWAY_PLUGIN_ABI), own_build = GATEWAY_PLUGIN_BUILD;

// The text behind `key` up to a blank or the end.
std::string_view value_of(std::string_view marker, std::string_view key) noexcept {
    const std::size_t at = marker.find(key);
    if (at == std::string_view::npos) return {};
    const std::string_view rest = marker.substr(at + key.size());
    return rest.substr(0, rest.find(' '));
}

std::string unsafe(const struct stat& facts) {
    if (facts.st_uid != 0 && facts.st_uid != ::geteuid()) return "belongs to another user";
    if ((facts.st_mode & (S_IWGRP | S_IWOTH)) != 0) return "can be written by other users";
    return {};
}

std::string misfit(const std::string& path) {
    const std::string marker = shared_object_marker(path);
    if (marker.empty()) return "is no plugin of this gateway (GATEWAY_SHARED_PLUGINS is missing)";
    const std::string_view abi = value_of(marker, "abi="), build = value_of(marker, "build=");
    if (abi != own_abi)
        return fmt::format("was built for plugin ABI {}, this gateway has {}: build it anew", abi, own_abi);
    if (build == own_build) return {};
    return fmt::format("was built against gateway {}, this is {}: build it anew", build, own_build);
}

// Runs the constructors of the object and lets it add its plugins; the registry stays as it was if that cannot be.
std::string take(const std::string& path) {
    void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle) return fmt::format("cannot be loaded: {}", ::dlerror());
    const auto* object = static_cast<const SharedObject*>(::dlsym(handle, "gateway_shared_object"));
    if (!object || !object->add) return "says that it is a plugin, but exports none";
    const PluginRegistry before = plugin_registry();
    object->add(plugin_registry());
    const std::string problem = plugin_registry().problem();
    if (!problem.empty()) plugin_registry() = before;
    return problem;
}

}  // namespace

std::string shared_object_marker(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    const std::size_t at = bytes.find(marker_start);
    if (at == std::string::npos) return {};
    const std::size_t begin = at + marker_start.size(), end = bytes.find(';', begin);
    if (end == std::string::npos || end - at > longest_marker) return {};
    return bytes.substr(begin, end - begin);
}

SharedObjects& SharedObjects::of_this_process() {
    static SharedObjects objects;
    return objects;
}

std::vector<SharedObjects::File> SharedObjects::list(const std::string& folder, std::string& problem) {
    std::vector<File> files;
    struct stat facts {};
    const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder.c_str()), ::closedir);
    if (!open || ::stat(folder.c_str(), &facts) != 0) {
        problem = fmt::format("{}: {}\n", folder, std::strerror(errno));
        return files;
    }
    if (const std::string why = unsafe(facts); !why.empty()) problem = fmt::format("{}: {}\n", folder, why);
    while (const dirent* entry = ::readdir(open.get())) {
        const std::string_view name = entry->d_name;
        const std::string path = folder + "/" + std::string(name);
        if (!name.ends_with(".so") || ::stat(path.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) continue;
        if (const std::string why = unsafe(facts); !why.empty()) problem += fmt::format("{}: {}\n", path, why);
        files.push_back({path, facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec, facts.st_dev, facts.st_ino,
                         static_cast<std::uint64_t>(facts.st_size)});
    }
    std::sort(files.begin(), files.end(), [](const File& a, const File& b) { return a.path < b.path; });
    return files;
}

std::string SharedObjects::load(const std::string& folder) {
    if (std::exchange(done_, true) || folder.empty()) return {};
    folder_ = folder;
    std::string problem;
    const std::vector<File> found = list(folder, problem);
    for (const File& file : problem.empty() ? found : std::vector<File>()) {
        std::string why = misfit(file.path);
        if (why.empty()) why = take(file.path);
        if (why.empty()) loaded_.push_back(file);
        if (!why.empty()) problem += fmt::format("{}: {}\n", file.path, why);
    }
    if (!problem.empty()) problem.pop_back();
    return problem;
}

std::vector<std::string> SharedObjects::differences(const std::string& folder) const {
    if (folder != folder_) return {"gateway.plugins_dir"};
    std::vector<std::string> texts;
    if (folder.empty()) return texts;
    std::string problem;
    const std::vector<File> now = list(folder, problem);
    const auto named = [](const std::vector<File>& files, const std::string& path) {
        return std::find_if(files.begin(), files.end(), [&](const File& file) { return file.path == path; });
    };
    for (const File& file : now) {
        const auto known = named(loaded_, file.path);
        if (known == loaded_.end())
            texts.push_back(file.path + " is new");
        else if (!(*known == file))
            texts.push_back(file.path + " changed");
    }
    for (const File& file : loaded_) {
        if (named(now, file.path) == now.end()) texts.push_back(file.path + " is gone");
    }
    return texts;
}

std::vector<std::string> SharedObjects::files() const {
    std::vector<std::string> paths;
    for (const File& file : loaded_) paths.push_back(file.path);
    return paths;
}

}  // namespace gateway
