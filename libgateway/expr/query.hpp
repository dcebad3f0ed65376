// One parameter out of a query string or a form body (`arg_<name>`, `post_arg_<name>`), without decoding the rest.
#pragma once

#include <string_view>

#include "libgateway/base/arena.hpp"
#include "libgateway/expr/variable.hpp"

namespace gateway::expr {

// The first parameter of that name, compared decoded and case-sensitive; `+` is a blank, a broken `%` escape stands for
// itself. Without `=` the boolean true. The value points into `query` if nothing had to be decoded, else into `arena`.
VariableValue find_argument(std::string_view query, std::string_view name, Arena& arena);

// The same decoding of one piece.
std::string_view decode_argument(std::string_view text, Arena& arena);

// Value of the first cookie of that name in one Cookie field, case-sensitive; false if there is none.
bool find_cookie(std::string_view field, std::string_view name, std::string_view& value) noexcept;

}  // namespace gateway::expr
