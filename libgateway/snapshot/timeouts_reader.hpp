// Times in seconds, with fractions, as objects of the document give them.
#pragma once

#include "libgateway/base/clock.hpp"
#include "libgateway/json/value.hpp"
#include "libgateway/upstream/upstream.hpp"

namespace gateway {

// At least one millisecond for anything above 0, so that a tiny limit is not "no limit"; at most some 24 days.
Milliseconds read_seconds(const json::Value& value);
// `connect`, `send`, `read`; all three are required.
upstream::Timeouts read_timeouts(const json::Value& value);

}  // namespace gateway
