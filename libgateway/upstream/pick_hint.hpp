// What a balancer may know about the exchange it picks for.
#pragma once

#include <string_view>

namespace gateway::upstream {

struct PickHint {
    std::string_view hash_key;  // chash: text to hash; empty: none
};

}  // namespace gateway::upstream
