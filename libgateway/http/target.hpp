// The request target's four forms (RFC 9112, 3.2), split into what routing and forwarding need.
#pragma once

#include <string_view>

#include "libgateway/http/head.hpp"

namespace gateway::http {

// Sets authority (absolute form only), raw_path, query and has_query from `target` and `method`; the raw `target`
// stays.
// `*` and the authority form get the path "*", which no route matches. Returns an empty text, or the static reason for
// a 400. Blanks and control characters were refused by the tokeniser already.
std::string_view split_target(RequestHead& head) noexcept;

}  // namespace gateway::http
