// The stages of one exchange at which plugins have a say.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace gateway {

enum class Phase : std::uint8_t { rewrite, access, before_proxy, header_filter, body_filter, delayed_body_filter, log };
inline constexpr std::size_t phase_count = 7;

constexpr std::string_view name_of(Phase phase) noexcept {
    constexpr std::array<std::string_view, phase_count> names{
        "rewrite", "access", "before_proxy", "header_filter", "body_filter", "delayed_body_filter", "log"};
    return names[static_cast<std::size_t>(phase)];
}

// A hook's answer: go on; send the local reply set on the exchange; give up with the error set on the exchange.
enum class Verdict : std::uint8_t { next, respond, fail };

}  // namespace gateway
