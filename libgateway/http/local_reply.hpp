// A response that the gateway makes itself: built-in pages (plugins/README.md 2.1 of the specification) and plugin
// answers.
#pragma once

#include <string>
#include <string_view>

#include "libgateway/base/arena.hpp"
#include "libgateway/http/fields.hpp"

namespace gateway::http {

// Phrase of the status line; "" for codes without one. 302 Found, 413 Request Entity Too Large, 503 Service Temporarily
// Unavailable …
std::string_view reason_phrase(unsigned status) noexcept;

// Whether a built-in HTML page exists for the status.
bool has_page(unsigned status) noexcept;
// The page (CRLF lines) in the arena; empty if there is none. `token` is the product line.
std::string_view make_page(unsigned status, std::string_view token, Arena& arena);

}  // namespace gateway::http
