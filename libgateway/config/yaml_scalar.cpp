#include "libgateway/config/yaml_scalar.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>

#include "libgateway/base/strings.hpp"

namespace gateway::config {

namespace {

template <std::size_t N>
bool any_of(std::string_view text, const std::array<std::string_view, N>& words) noexcept {
    return std::find(words.begin(), words.end(), text) != words.end();
}

constexpr std::array<std::string_view, 5> nulls{"", "~", "null", "Null", "NULL"};
constexpr std::array<std::string_view, 9> truths{"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"};
constexpr std::array<std::string_view, 9> lies{"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"};

std::string without_blanks(std::string_view digits) {
    std::string out;
    for (const char c : digits) {
        if (c != '_') out += c;
    }
    return out;
}

std::optional<std::string> with_base(std::string_view digits, int base, bool negative) {
    const std::string text = without_blanks(digits);
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return (negative && value ? "-" : "") + std::to_string(value);
}

std::optional<std::string> decimal(std::string_view digits, bool negative) {
    if (!is_digit(digits.front()) || digits.find_first_not_of("0123456789_") != digits.npos) return std::nullopt;
    std::string text = without_blanks(digits);
    text.erase(0, std::min(text.find_first_not_of('0'), text.size() - 1));
    return (negative && text != "0" ? "-" : "") + text;
}

std::optional<std::string> fraction(std::string_view digits, bool negative) {
    std::string text = without_blanks(digits);
    const std::size_t e = std::min(text.find_first_of("eE"), text.size());
    const std::size_t dot = text.find('.');
    if (dot == text.npos && e == text.size()) return std::nullopt;
    std::string whole = text.substr(0, std::min(dot, e)), exponent = text.substr(e);
    std::string after = dot < e ? text.substr(dot + 1, e - dot - 1) : "";
    if (whole.empty() && after.empty()) return std::nullopt;
    whole.erase(0, std::min(whole.find_first_not_of('0'), whole.empty() ? 0 : whole.size() - 1));
    if (whole.empty()) whole = "0";
    if (dot < e && after.empty()) after = "0";
    std::string out = (negative ? "-" : "") + whole + (after.empty() ? "" : "." + after) + exponent;
    if (!json::is_number_text(out)) return std::nullopt;
    return out;
}

std::optional<std::string> number(std::string_view text) {
    const bool negative = text.front() == '-';
    if (negative || text.front() == '+') text.remove_prefix(1);
    if (text.empty() || !(is_digit(text.front()) || text.front() == '.')) return std::nullopt;
    if (text.size() > 2 && text[0] == '0' && text[1] == 'x') return with_base(text.substr(2), 16, negative);
    if (text.size() > 2 && text[0] == '0' && text[1] == 'b') return with_base(text.substr(2), 2, negative);
    if (text.size() > 1 && text[0] == '0' && text.find_first_not_of("01234567_") == text.npos) {
        return with_base(text, 8, negative);
    }
    if (auto whole = decimal(text, negative)) return whole;
    return fraction(text, negative);
}

}  // namespace

json::Value plain_scalar(std::string_view text) {
    if (any_of(text, nulls)) return {};
    const char first = text.front();
    if (is_digit(first) || first == '-' || first == '+' || first == '.') {
        if (json::is_number_text(text) && (first != '0' && first != '-'))
            return json::Value::number_from(std::string(text));
        if (auto value = number(text)) return json::Value::number_from(std::move(*value));
        return text;
    }
    if (text.size() > 5) return text;
    if (any_of(text, truths)) return true;
    if (any_of(text, lies)) return false;
    return text;
}

}  // namespace gateway::config
