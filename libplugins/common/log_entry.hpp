// The JSON object that a logger writes for one exchange.
#pragma once

#include <string>
#include <string_view>

#include "libplugins/common/log_format.hpp"

namespace gateway::plugins {

struct EntryStyle {
    const LogFormat* format = nullptr;  // in place of the default entry
    const LogFormat* extra = nullptr;   // beside the default entry
    std::string_view no_route;          // `route_id` of the default entry without a route; empty: left out
};

// Appended to `out`, which must not end inside an object.
void append_entry(std::string& out, Exchange& exchange, const EntryStyle& style, const LoggedBodies& bodies);

}  // namespace gateway::plugins
