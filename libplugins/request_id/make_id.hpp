// Identifiers of requests in five notations. Everything is written into the given arena.
#pragma once

#include <string_view>

#include "libgateway/base/arena.hpp"
#include "libgateway/plugin/services.hpp"

namespace gateway::plugins {

// Random, version 4 (RFC 9562): "4b7f3c1e-…".
std::string_view make_uuid(Services& services, Arena& arena);
// Version 7: begins with the time. Within one thread each is greater than the one before, also when the clock goes
// back.
std::string_view make_uuidv7(Services& services, Arena& arena);
// 21 characters of an alphabet of 64.
std::string_view make_nanoid(Services& services, Arena& arena);
// Seconds and 128 random bits in 27 base-62 digits, sortable by time.
std::string_view make_ksuid(Services& services, Arena& arena);
// `length` characters drawn from `alphabet`, each equally likely.
std::string_view make_range_id(Services& services, std::string_view alphabet, std::size_t length, Arena& arena);

}  // namespace gateway::plugins
