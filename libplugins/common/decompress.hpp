// Whole compressed bodies, decoded into an arena with a limit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "libgateway/base/arena.hpp"

namespace gateway::plugins {

enum class Coding : std::uint8_t { identity, gzip, brotli, other };

// Of a Content-Encoding value; empty and "identity" mean none, several codings are `other`.
Coding coding_of(std::string_view content_encoding) noexcept;

// At most `limit` bytes of what `body` stands for. A body that ends early is accepted only if `may_be_cut`. Nothing if
// the bytes are not of that coding.
std::optional<std::string_view> decompress(Coding coding, std::string_view body, std::size_t limit, bool may_be_cut,
                                           Arena& arena);

}  // namespace gateway::plugins
