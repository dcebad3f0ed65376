// Where objects stand in etcd: `<prefix>/<list>/<id>`, as the reference lays them out.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gateway::etcd {

// "routes" and "1", or "consumers" and "jack/credentials/c1". Views into a key.
struct ObjectName {
    std::string_view list, id;  // id is empty for the list of plugins, which is one key
    friend bool operator==(const ObjectName&, const ObjectName&) = default;
};

// Nothing if the key is no object: not below the prefix, a directory, or empty parts.
std::optional<ObjectName> object_name(std::string_view prefix, std::string_view key) noexcept;
std::string object_key(std::string_view prefix, std::string_view list, std::string_view id);
// Values that only hold a place: the reference makes such "directories" when it starts.
bool is_placeholder(std::string_view key, std::string_view value) noexcept;

}  // namespace gateway::etcd
