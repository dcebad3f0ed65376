// Values out of a request body by its content type: `post_arg_<name>` and `post_arg.<path>`.
#pragma once

#include <string_view>

#include "libgateway/base/arena.hpp"
#include "libgateway/expr/variable.hpp"

namespace gateway::expr {

// For variables of kind post_arg_form and post_arg_path (any other is absent). An empty content type, a type not listed
// in router.md 9.2, and a body that does not parse give "absent"; the caller checks the size limit and writes the
// warning.
VariableValue read_body_argument(const Variable& variable, std::string_view content_type, std::string_view body,
                                 Arena& arena);

// Value of the first part named `name` of a multipart/form-data body (RFC 7578); false if there is none.
bool find_part(std::string_view content_type, std::string_view body, std::string_view name,
               std::string_view& value) noexcept;

}  // namespace gateway::expr
