#include "libgateway/admin/patch.hpp"

namespace gateway::admin {

// RFC 7396, with numbers of any length.
void merge(json::Value& into, const json::Value& patch) {
    if (!patch.is_object()) {
        into = patch;
        return;
    }
    into.make_object();
    for (const json::Member& member : patch.members()) {
        if (member.value.is_null()) {
            into.erase(member.key);
            continue;
        }
        json::Value* found = into.find(member.key);
        merge(found ? *found : into.set(member.key, json::Value()), member.value);
    }
}

namespace {

// Whether a path of member names may go on below.
bool passable(const json::Value& value) noexcept {
    const bool empty_list = value.is_array() && value.size() == 0;
    return value.is_object() || value.is_null() || empty_list;
}

bool reachable(const json::Value& from, std::span<const std::string> path) noexcept {
    const json::Value* at = &from;
    for (const std::string& name : path) {
        if (!passable(*at)) return false;
        at = at->find(name);
        if (!at) return true;
    }
    return true;
}

void set_at(json::Value& into, std::span<const std::string> path, const json::Value& value) {
    const std::string& name = path.front();
    into.make_object();
    if (path.size() == 1) {
        if (value.is_null()) {
            into.erase(name);
        } else {
            into.set(name, value);
        }
        return;
    }
    json::Value* found = into.find(name);
    if (!found && value.is_null()) return;  // nothing to remove
    set_at(found ? *found : into.set(name, json::Value::object()), path.subspan(1), value);
}

}  // namespace

bool replace_at(json::Value& into, std::span<const std::string> path, const json::Value& value) {
    if (path.empty() || !reachable(into, path)) return false;
    set_at(into, path, value);
    return true;
}

}  // namespace gateway::admin
