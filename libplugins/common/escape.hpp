// Percent-encoding of what plugins put into targets and field values, so that no variable can break a message apart.
#pragma once

#include <string_view>

#include "libgateway/base/arena.hpp"

namespace gateway::plugins {

enum class Escape : unsigned char {
    path,  // blank " # % ? control characters and bytes from 0x7F on: text becomes a path
    raw,   // control characters and blanks: what may not stand in a request line at all
};

// The text itself if nothing has to be encoded, else a copy in `arena`.
std::string_view escape(std::string_view text, Escape what, Arena& arena);

// A field value without control characters (tab excepted): they are percent-encoded, so that CR LF from a variable
// cannot begin a field of its own.
std::string_view field_value(std::string_view text, Arena& arena);

}  // namespace gateway::plugins
