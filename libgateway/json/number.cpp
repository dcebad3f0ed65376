#include <algorithm>

#include "libgateway/base/strings.hpp"
#include "libgateway/json/value.hpp"

namespace gateway::json {

namespace {

// A decimal as 0.DDD × 10^scale: the digits lie in `whole` and `fraction`, without leading or trailing zeros.
struct Decimal {
    bool negative = false;
    std::string_view whole, fraction;
    std::int64_t scale = 0;

    bool zero() const noexcept { return whole.empty() && fraction.empty(); }
    std::size_t digits() const noexcept { return whole.size() + fraction.size(); }
    char digit(std::size_t at) const noexcept {
        if (at < whole.size()) return whole[at];
        return at < digits() ? fraction[at - whole.size()] : '0';
    }
};

std::int64_t read_exponent(std::string_view text) noexcept {
    const bool negative = !text.empty() && text.front() == '-';
    if (!text.empty() && !is_digit(text.front())) text.remove_prefix(1);
    std::int64_t value = 0;
    for (const char c : text) value = std::min<std::int64_t>(value * 10 + (c - '0'), 1'000'000'000'000'000);
    return negative ? -value : value;
}

std::string_view without_leading_zeros(std::string_view text, std::size_t& dropped) noexcept {
    dropped = std::min(text.find_first_not_of('0'), text.size());
    return text.substr(dropped);
}
std::string_view without_trailing_zeros(std::string_view text) noexcept {
    return text.substr(0, text.find_last_not_of('0') + 1);
}

Decimal read_decimal(std::string_view text) noexcept {
    Decimal value;
    value.negative = !text.empty() && text.front() == '-';
    if (value.negative) text.remove_prefix(1);
    const std::size_t e = text.find_first_of("eE");
    if (e != text.npos) value.scale = read_exponent(text.substr(e + 1));
    text = text.substr(0, e);
    const std::size_t dot = text.find('.');
    std::size_t dropped = 0;
    value.whole = without_leading_zeros(text.substr(0, dot), dropped);
    value.scale += static_cast<std::int64_t>(value.whole.size());
    if (dot != text.npos) value.fraction = without_trailing_zeros(text.substr(dot + 1));
    if (value.whole.empty()) {
        value.fraction = without_leading_zeros(value.fraction, dropped);
        value.scale -= static_cast<std::int64_t>(dropped);
    }
    if (value.fraction.empty()) value.whole = without_trailing_zeros(value.whole);
    return value;
}

int compare_magnitudes(const Decimal& a, const Decimal& b) noexcept {
    if (a.scale != b.scale) return a.scale < b.scale ? -1 : 1;
    const std::size_t count = std::max(a.digits(), b.digits());
    for (std::size_t at = 0; at < count; ++at) {
        if (a.digit(at) != b.digit(at)) return a.digit(at) - b.digit(at);
    }
    return 0;
}

}  // namespace

int compare_numbers(std::string_view a, std::string_view b) noexcept {
    const Decimal left = read_decimal(a), right = read_decimal(b);
    const int left_sign = left.zero() ? 0 : left.negative ? -1 : 1;
    const int right_sign = right.zero() ? 0 : right.negative ? -1 : 1;
    if (left_sign != right_sign || left_sign == 0) return left_sign - right_sign;
    return left_sign > 0 ? compare_magnitudes(left, right) : compare_magnitudes(right, left);
}

std::optional<std::int64_t> Value::as_int64() const noexcept {
    if (!is_number()) return std::nullopt;
    const Decimal value = read_decimal(number());
    if (value.zero()) return 0;
    const bool fits = value.scale >= static_cast<std::int64_t>(value.digits()) && value.scale <= 19;
    if (!fits) return std::nullopt;
    std::uint64_t magnitude = 0;  // 19 digits always fit
    for (std::int64_t at = 0; at < value.scale; ++at) {
        magnitude = magnitude * 10 + static_cast<std::uint64_t>(value.digit(static_cast<std::size_t>(at)) - '0');
    }
    const std::uint64_t limit = value.negative ? std::uint64_t{1} << 63 : (std::uint64_t{1} << 63) - 1;
    if (magnitude > limit) return std::nullopt;
    return static_cast<std::int64_t>(value.negative ? 0 - magnitude : magnitude);
}

bool is_number_text(std::string_view text) noexcept {
    const auto digits = [&text] {
        const std::size_t count = std::min(text.find_first_not_of("0123456789"), text.size());
        text.remove_prefix(count);
        return count;
    };
    const auto take = [&text](std::string_view any) {
        const bool found = !text.empty() && any.find(text.front()) != any.npos;
        if (found) text.remove_prefix(1);
        return found;
    };
    take("-");
    const bool zero = !text.empty() && text.front() == '0';
    const std::size_t whole = digits();
    if (whole == 0 || (zero && whole > 1)) return false;
    if (take(".") && digits() == 0) return false;
    if (take("eE")) {
        take("+-");
        if (digits() == 0) return false;
    }
    return text.empty();
}

}  // namespace gateway::json
