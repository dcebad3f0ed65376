// Whether the content of a proto can be one: a .proto text by its tokens and blocks, or a descriptor set in base64.
#pragma once

#include <string>
#include <string_view>

namespace gateway::sources {

// What is wrong with it, with line and column where it is a text; empty: nothing that is seen without compiling it.
std::string proto_problem(std::string_view content);

}  // namespace gateway::sources
