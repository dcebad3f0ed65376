// The header field that tells which plugins a request met (debug-mode.md 2 of the specification).
#pragma once

#include <string_view>

#include "libgateway/plugin/chain.hpp"
#include "libgateway/plugin/exchange.hpp"

namespace gateway {

enum class DebugForm : std::uint8_t { off, names, phases };

// Value of the field, in the exchange's arena: what ran so far (Exchange::traced must have been set before the first
// phase), then the later phases of `route_chain` by inference; "no plugin" if nothing. Call after header_filter.
std::string_view debug_header(Exchange& exchange, const Chain& route_chain, DebugForm form);

// A second field tells where the settings came from: "key-auth=routes/1, proxy-rewrite=consumers/jack".
inline constexpr std::string_view sources_field = "Apisix-Plugins-From";

// A third tells what each hook took up to here, in microseconds: "key-auth#access;cpu=12.3;wait=250.0".
inline constexpr std::string_view times_field = "Apisix-Plugins-Time";

// Sets the fields, replacing the upstream's own of these names.
void set_debug_header(Exchange& exchange, const Chain& route_chain, DebugForm form,
                      std::string_view field_name = "Apisix-Plugins");

}  // namespace gateway
