// Looking at a request's query as auth plugins must: repeated parameters count, and a used credential is taken out.
#pragma once

#include <string_view>

#include "libgateway/plugin/exchange.hpp"

namespace gateway::plugins {

struct QueryArgument {
    unsigned count = 0;      // how often the name occurs
    bool has_value = false;  // the first one has a `=`
    std::string_view value;  // of the first one, decoded
};

// Names are compared decoded and case-sensitive. What has to be decoded is made in the exchange's arena.
QueryArgument find_query_argument(Exchange& exchange, std::string_view name);

// Takes every parameter of that name out of what the upstream gets; the others keep their order and their form.
void remove_query_argument(Exchange& exchange, std::string_view name);

}  // namespace gateway::plugins
