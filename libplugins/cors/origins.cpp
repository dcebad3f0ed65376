#include "libplugins/cors/origins.hpp"

#include <algorithm>

#include "libgateway/base/strings.hpp"

namespace gateway::plugins {
namespace {

bool is_word(char c) noexcept {
    return is_digit(c) || c == '_' || (to_lower(c) >= 'a' && to_lower(c) <= 'z');
}

bool is_origin(std::string_view text) noexcept {
    const std::size_t colon = text.find("://");
    return colon != std::string_view::npos && colon > 0 && text.size() > colon + 3 &&
           std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(colon), is_word);
}

}  // namespace

bool is_origins(std::string_view text) {
    if (text == "*" || text == "**" || text == "null") return true;
    for (;;) {
        const std::size_t comma = text.find(',');
        if (!is_origin(text.substr(0, comma))) return false;
        if (comma == std::string_view::npos) return true;
        text.remove_prefix(comma + 1);
    }
}

Origins::Origins(std::string_view text, const std::vector<std::string>& expressions)
    : text_(text), expressions_(expressions) {
    if (text.find(',') != std::string_view::npos) {
        for_each_item(text, ',', [this](std::string_view origin) { list_.emplace_back(origin); });
    }
}

std::string_view Origins::choose(std::string_view origin) const noexcept {
    if (!expressions_.empty()) {
        const bool match = !origin.empty() && expressions_.any(origin) == expr::RegexResult::match;
        return match ? origin : std::string_view();
    }
    if (text_ == "*") return "*";
    if (text_ == "**") return origin.empty() ? "*" : origin;
    if (origin.empty()) return {};
    const bool listed = list_.empty() ? origin == text_ : std::find(list_.begin(), list_.end(), origin) != list_.end();
    return listed ? origin : std::string_view();
}

}  // namespace gateway::plugins
