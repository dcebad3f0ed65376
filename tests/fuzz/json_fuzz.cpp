// The JSON parser takes any bytes; what it accepts is written back to a text that reads the same, and numbers compare
// sanely.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "libgateway/json/value.hpp"

namespace {
void check_numbers(const gateway::json::Value& value) {
    using namespace gateway::json;
    if (value.is_number()) {
        if (!is_number_text(value.number()) || compare_numbers(value.number(), value.number()) != 0) std::abort();
        const auto whole = value.as_int64();
        if (whole && compare_numbers(value.number(), std::to_string(*whole)) != 0) std::abort();
    }
    for (const Value& item : value.items()) check_numbers(item);
    for (const Member& member : value.members()) check_numbers(member.value);
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace gateway::json;
    ParseFailure why;
    const auto value = try_parse({reinterpret_cast<const char*>(data), size}, why, {.depth = 100, .bytes = 1 << 16});
    if (!value) {
        if (why.what.empty()) std::abort();
        return 0;
    }
    check_numbers(*value);
    const std::string text = write(*value);
    const auto again = try_parse(text, why);
    if (!again || write(*again) != text) std::abort();
    return 0;
}
