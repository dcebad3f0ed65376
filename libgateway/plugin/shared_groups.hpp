// Entries of several objects that share state by the name of a group must agree: finds those that do not.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libgateway/json/value.hpp"

namespace gateway {

// Fed with the objects of one document, in any order. Control only.
class SharedGroups {
public:
    SharedGroups() = default;
    // What `base` knows, to be changed without changing it; costs what is changed. `base` must outlive it unchanged.
    static SharedGroups over(const SharedGroups& base);

    // False: an object of this text shares nothing; true: it may.
    static bool may_concern(std::string_view text);
    // Whether one of the object's plugins shares state at all.
    static bool concerns(const json::Value& object);
    // The name of the plugin whose entry in `object` disagrees with one seen before, with the text of the Admin API;
    // both empty if all is well.
    struct Mismatch {
        std::string_view plugin;
        std::string text;
    };
    Mismatch add(const json::Value& object);
    // Takes back what add() did for an object of this text.
    void remove(const json::Value& object);

private:
    using Key = std::pair<std::string_view, std::string>;               // plugin and group
    using Settings = std::vector<std::pair<std::string, std::size_t>>;  // and of how many objects; the oldest first
    Settings& settings_of(const Key& key);

    std::map<Key, Settings> entries_;
    const SharedGroups* base_ = nullptr;  // of groups that are not in entries_
};

}  // namespace gateway
