#include "libgateway/schema/values.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "libgateway/base/strings.hpp"

namespace gateway::schema {
namespace {

// digits × 10^exponent, without zeros at either end of the digits.
struct Decimal {
    bool negative = false;
    std::string digits;
    std::int64_t exponent = 0;
};

Decimal decimal_of(std::string_view text) {
    Decimal out;
    const std::size_t e = std::min(text.find_first_of("eE"), text.size());
    if (e < text.size()) {
        std::string_view exponent = text.substr(e + 1);
        const bool negative = exponent.starts_with('-');
        for (const char c : exponent) {
            if (is_digit(c)) out.exponent = std::min<std::int64_t>(out.exponent * 10 + (c - '0'), INT64_C(1) << 50);
        }
        if (negative) out.exponent = -out.exponent;
    }
    bool fraction = false;
    for (const char c : text.substr(0, e)) {
        if (c == '-') out.negative = true;
        if (c == '.') fraction = true;
        if (!is_digit(c)) continue;
        if (fraction) --out.exponent;
        if (c != '0' || !out.digits.empty()) out.digits += c;
    }
    while (!out.digits.empty() && out.digits.back() == '0') out.digits.pop_back(), ++out.exponent;
    if (out.digits.empty()) out = {};
    return out;
}

// digits × 10^(exponent - least), if that has at most 18 digits.
std::optional<std::int64_t> scaled(const Decimal& number, std::int64_t least) {
    const std::int64_t zeros = number.exponent - least;
    if (number.digits.empty()) return 0;
    if (zeros > 18 || number.digits.size() + static_cast<std::size_t>(zeros) > 18) return std::nullopt;
    return parse_decimal<std::int64_t>(number.digits + std::string(static_cast<std::size_t>(zeros), '0'));
}

// Equal texts mean equal values.
void append_canonical(std::string& out, const json::Value& value) {
    if (value.is_number()) {
        const Decimal number = decimal_of(value.number());
        out.append(number.negative ? "-" : "")
            .append(number.digits)
            .append("e")
            .append(std::to_string(number.exponent));
    } else if (value.is_object() && value.size() > 0) {
        std::vector<const json::Member*> sorted;
        for (const json::Member& member : value.members()) sorted.push_back(&member);
        std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->key < b->key; });
        out += '{';
        for (const json::Member* member : sorted) {
            json::append_quoted(out, member->key);
            append_canonical(out, member->value);
        }
        out += '}';
    } else if (value.is_array() || value.is_object()) {
        out += '[';
        for (const json::Value& item : value.items()) append_canonical(out, item), out += ',';
        out += ']';
    } else {
        json::append(out, value);
    }
}

}  // namespace

bool is_object_like(const json::Value& value) noexcept {
    return value.is_object() || (value.is_array() && value.size() == 0);
}
bool is_array_like(const json::Value& value) noexcept {
    return value.is_array() || (value.is_object() && value.size() == 0);
}

bool is_whole(std::string_view number) noexcept {
    if (number.find_first_of(".eE") == std::string_view::npos) return true;
    return decimal_of(number).exponent >= 0;
}

bool is_multiple(const std::string& number, const std::string& step) noexcept {
    const Decimal a = decimal_of(number), b = decimal_of(step);
    const std::int64_t least = std::min(a.exponent, b.exponent);
    const auto whole = scaled(a, least), part = scaled(b, least);
    if (whole && part && *part != 0) return *whole % *part == 0;
    const double value = std::strtod(number.c_str(), nullptr), unit = std::strtod(step.c_str(), nullptr);
    return std::isfinite(value) && unit > 0 && std::fmod(value, unit) == 0;
}

std::optional<std::pair<std::size_t, std::size_t>> first_equal_pair(const json::Value::Array& items) {
    std::vector<std::pair<std::string, std::size_t>> texts;
    texts.reserve(items.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
        std::string text;
        append_canonical(text, items[i]);
        texts.emplace_back(std::move(text), i);
    }
    std::sort(texts.begin(), texts.end());
    std::optional<std::pair<std::size_t, std::size_t>> found;
    std::size_t first = 0;
    for (std::size_t i = 1; i < texts.size(); ++i) {
        if (texts[i].first != texts[first].first) {
            first = i;
        } else if (i == first + 1 && (!found || texts[i].second < found->second)) {
            found = {texts[first].second, texts[i].second};
        }
    }
    return found;
}

}  // namespace gateway::schema
