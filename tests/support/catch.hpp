// One door to Catch2: version 2 (Debian 12) and version 3 (elsewhere) put their headers and matchers in different
// places.
#pragma once

#include <string>

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#define GATEWAY_CATCH_CONTAINS Catch::Matchers::ContainsSubstring
using Catch::Approx;  // where version 2 has it
#else
#include <catch2/catch.hpp>
#define GATEWAY_CATCH_CONTAINS Catch::Matchers::Contains
#endif

namespace gateway::test {

// Matcher for REQUIRE_THAT and REQUIRE_THROWS_WITH: the text holds `part`.
inline auto contains(const std::string& part) {
    return GATEWAY_CATCH_CONTAINS(part);
}

}  // namespace gateway::test

#undef GATEWAY_CATCH_CONTAINS
