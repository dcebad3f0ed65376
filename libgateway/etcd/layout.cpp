#include "libgateway/etcd/layout.hpp"

namespace gateway::etcd {

std::optional<ObjectName> object_name(std::string_view prefix, std::string_view key) noexcept {
    if (!key.starts_with(prefix)) return std::nullopt;
    key.remove_prefix(prefix.size());
    if (!key.starts_with('/')) return std::nullopt;
    key.remove_prefix(1);
    const std::size_t slash = key.find('/');
    const ObjectName name{key.substr(0, slash), slash == key.npos ? std::string_view() : key.substr(slash + 1)};
    if (slash == key.npos) return name.list == "plugins" ? std::optional(name) : std::nullopt;
    const bool whole = !name.list.empty() && !name.id.empty() && name.id.front() != '/' && name.id.back() != '/';
    return whole ? std::optional(name) : std::nullopt;
}

std::string object_key(std::string_view prefix, std::string_view list, std::string_view id) {
    std::string key(prefix);
    key.append("/").append(list);
    if (!id.empty()) key.append("/").append(id);
    return key;
}

bool is_placeholder(std::string_view key, std::string_view value) noexcept {
    return key.ends_with('/') || value == "init_dir";
}

}  // namespace gateway::etcd
