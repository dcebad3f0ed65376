// An upstream that a plugin may put in the place of the route's: an object, or one written out in its settings.
#pragma once

#include <cstdint>
#include <string>

#include "libgateway/upstream/upstream.hpp"

namespace gateway {

// Part of a plugin's settings, one worker. What it comes to is kept here by whoever resolves it: the snapshot, which
// looks again only when something that routes refer to has changed. Keeps that upstream alive until then.
struct UpstreamChoice {
    std::string id;    // of an upstream object; empty: written out
    std::string json;  // the object `upstream` as text
    std::string name;  // for logs: "upstreams/1", "routes/1#traffic-split"

    mutable std::uint64_t generation = 0, built_under = 0;
    mutable Ref<const upstream::Upstream> target;  // null: there is none, or it cannot be built
};

}  // namespace gateway
