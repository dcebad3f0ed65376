// Entries of several objects that share state by the name of a group must agree: finds those that do not.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "libgateway/json/value.hpp"

namespace gateway {

// Fed with the objects of one document, in any order. Control only.
class SharedGroups {
public:
    // Whether one of the object's plugins shares state at all.
    static bool concerns(const json::Value& object);
    // The name of the plugin whose entry in `object` disagrees with one seen before, with the text of the Admin API;
    // both empty if all is well.
    struct Mismatch {
        std::string_view plugin;
        std::string text;
    };
    Mismatch add(const json::Value& object);

private:
    std::map<std::pair<std::string_view, std::string>, std::string> entries_;  // plugin and group -> settings
};

}  // namespace gateway
