#include "libgateway/json/describe.hpp"

#include <algorithm>

namespace gateway::json {

std::string_view reference_type(const Value& value) noexcept {
    switch (value.kind()) {
        case Kind::null:
            return "userdata";
        case Kind::boolean:
            return "boolean";
        case Kind::number:
            return "number";
        case Kind::string:
            return "string";
        default:
            return "table";
    }
}

std::size_t code_points(std::string_view text) noexcept {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace gateway::json
