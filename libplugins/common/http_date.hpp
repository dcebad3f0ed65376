// Dates of HTTP (RFC 9110, 5.6.7).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "libgateway/base/arena.hpp"

namespace gateway::plugins {

// Seconds since the epoch of `Tue, 19 Jan 2027 03:14:07 GMT` or of the two old forms that recipients must understand.
// The name of the day is not compared with the date. Two digits of a year: 1970 to 2069.
std::optional<std::int64_t> parse_http_date(std::string_view text) noexcept;

// Seconds since the epoch in the first form, in `arena`; years beyond 0 to 9999 are held back at them.
std::string_view http_date(std::int64_t seconds, Arena& arena);

}  // namespace gateway::plugins
