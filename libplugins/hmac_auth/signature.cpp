#include "libplugins/hmac_auth/signature.hpp"

#include "libgateway/base/strings.hpp"

namespace gateway::plugins {
namespace {

constexpr bool is_word(char c) noexcept {
    const char lower = to_lower(c);
    return (lower >= 'a' && lower <= 'z') || is_digit(c) || c == '_';
}

struct Pair {
    std::string_view word, value;
};

// The first `word="value"` of a part; an empty word if there is none.
Pair find_pair(std::string_view part) noexcept {
    constexpr std::string_view opening = "=\"";
    for (std::size_t at = part.find(opening); at != part.npos; at = part.find(opening, at + 1)) {
        std::size_t first = at;
        while (first > 0 && is_word(part[first - 1])) --first;
        const std::size_t begin = at + opening.size(), end = part.find('"', begin);
        if (end == part.npos) return {};
        if (first < at) return {part.substr(first, at - first), part.substr(begin, end - begin)};
    }
    return {};
}

}  // namespace

SignatureParts read_signature(std::string_view field) noexcept {
    SignatureParts parts;
    for_each_item(field.substr(signature_scheme.size()), ',', [&](std::string_view part) {
        const Pair pair = find_pair(part);
        if (pair.word == "keyId") parts.key_id = pair.value;
        if (pair.word == "algorithm") parts.algorithm = pair.value;
        if (pair.word == "headers") parts.headers = pair.value;
        if (pair.word == "signature") parts.signature = pair.value;
    });
    return parts;
}

}  // namespace gateway::plugins
