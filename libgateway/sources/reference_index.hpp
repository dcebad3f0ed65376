// Which objects name which others, so that nobody has to look at all of them to know whether one is still used.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "libgateway/config/delta.hpp"
#include "libgateway/json/value.hpp"

namespace gateway::sources {

// How an object names another one: by a member of its own, or in a rule of traffic-split.
enum class Use : std::uint8_t { member, split };

// Control's side. The cost of every call depends on the object at hand alone.
class ReferenceIndex {
public:
    // False: an object of this text names no other, and neither add nor remove would do anything with it.
    static bool concerns(std::string_view json) noexcept { return json.find("_id\"") != json.npos; }
    void add(config::Kind kind, const std::string& id, const json::Value& object);
    // `object` as it was added.
    void remove(config::Kind kind, const std::string& id, const json::Value& object);
    // The first by id of the objects of kind `user` that name that one; empty if there is none.
    std::string first_user(config::Kind kind, std::string_view id, config::Kind user, Use use) const;

private:
    using User = std::tuple<config::Kind, Use, std::string>;
    std::map<std::pair<config::Kind, std::string>, std::set<User>> users_;
};

}  // namespace gateway::sources
