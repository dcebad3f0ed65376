#include "libplugins/common/jws_token.hpp"

#include <charconv>

#include "libgateway/expr/json_text.hpp"
#include "libplugins/common/base64url.hpp"

namespace gateway::plugins {

namespace {

bool read_object(std::string_view part, Arena& arena, std::string_view& object) {
    const auto bytes = decode_base64url(part, arena);
    if (!bytes || !expr::is_json(*bytes)) return false;
    object = expr::trim_json(*bytes);
    return object.front() == '{';
}

}  // namespace

TokenFault parse_token(std::string_view text, Arena& arena, JwsToken& token) {
    if (text.size() > longest_token) return TokenFault::shape;
    const std::size_t first = text.find('.');
    const std::size_t second = first == text.npos ? first : text.find('.', first + 1);
    if (second == text.npos || text.find('.', second + 1) != text.npos) return TokenFault::shape;
    const auto signature = decode_base64url(text.substr(second + 1), arena);
    if (!signature) return TokenFault::shape;
    token.signature = *signature;
    token.signed_part = text.substr(0, second);
    if (!read_object(text.substr(0, first), arena, token.header)) return TokenFault::header;
    if (!read_object(text.substr(first + 1, second - first - 1), arena, token.payload)) return TokenFault::payload;
    return TokenFault::none;
}

std::string_view member_of(std::string_view object, std::string_view name, Arena& arena) {
    std::string_view found;
    for (expr::JsonChildren children(object); children.next();) {
        if (expr::unquote_json(children.key(), arena) == name) found = children.value();
    }
    return found;
}

bool json_string(std::string_view value, Arena& arena, std::string_view& content) {
    if (!value.starts_with('"')) return false;
    content = expr::unquote_json(value, arena);
    return true;
}

bool json_number(std::string_view value, double& number) noexcept {
    const auto result = std::from_chars(value.data(), value.data() + value.size(), number);
    return result.ec == std::errc() && result.ptr == value.data() + value.size() && !value.empty() &&
           (value.front() == '-' || (value.front() >= '0' && value.front() <= '9'));
}

}  // namespace gateway::plugins
