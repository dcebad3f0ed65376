// Looking for one cookie in all Cookie fields of a request, and taking it out.
#pragma once

#include <string_view>

#include "libgateway/plugin/exchange.hpp"

namespace gateway::plugins {

// Value of the first cookie of that name, case-sensitive; false if there is none.
bool find_cookie(const http::Fields& fields, std::string_view name, std::string_view& value) noexcept;

// Takes every cookie of that name out of what the upstream gets; the others keep their order and their form. A field
// that has none left is removed.
void remove_cookie(Exchange& exchange, std::string_view name);

}  // namespace gateway::plugins
