#include "libgateway/expr/number.hpp"

#include <algorithm>

#include "libgateway/base/strings.hpp"

namespace gateway::expr {
namespace {

constexpr std::int64_t exponent_limit = 1'000'000'000'000;

bool is_blank(char c) noexcept {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

std::string_view take_digits(std::string_view& text) noexcept {
    std::size_t count = 0;
    while (count < text.size() && is_digit(text[count])) ++count;
    const std::string_view digits = text.substr(0, count);
    text.remove_prefix(count);
    return digits;
}

bool take_sign(std::string_view& text) noexcept {
    if (text.empty() || (text.front() != '-' && text.front() != '+')) return false;
    const bool negative = text.front() == '-';
    text.remove_prefix(1);
    return negative;
}

// Saturates: beyond the limit all that matters is which side it is on.
bool take_exponent(std::string_view text, std::int64_t& exponent) noexcept {
    const bool negative = take_sign(text);
    const std::string_view digits = take_digits(text);
    if (digits.empty() || !text.empty()) return false;
    for (char c : digits) exponent = std::min(exponent_limit, exponent * 10 + (c - '0'));
    if (negative) exponent = -exponent;
    return true;
}

}  // namespace

bool Number::read(std::string_view text) noexcept {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    negative_ = take_sign(text);
    whole_ = fraction_ = {};
    magnitude_ = 0;
    const bool hex = text.size() > 2 && text[0] == '0' && to_lower(text[1]) == 'x';
    if (!(hex ? read_hex(text.substr(2)) : read_decimal(text))) return false;
    normalise();
    return true;
}

bool Number::read_decimal(std::string_view text) noexcept {
    whole_ = take_digits(text);
    if (!text.empty() && text.front() == '.') {
        text.remove_prefix(1);
        fraction_ = take_digits(text);
    }
    if (whole_.empty() && fraction_.empty()) return false;
    std::int64_t exponent = 0;
    if (!text.empty() && (to_lower(text.front()) != 'e' || !take_exponent(text.substr(1), exponent))) return false;
    magnitude_ = exponent;
    return true;
}

// Decimal digits from the right by repeated multiplication; 64 hexadecimal digits have 78 decimal ones.
bool Number::read_hex(std::string_view digits) noexcept {
    if (digits.size() > 64) return false;
    std::array<std::uint8_t, 80> decimal{};
    for (char c : digits) {
        int carry = hex_value(c);
        if (carry < 0) return false;
        for (std::size_t i = decimal.size(); i-- > 0;) {
            carry += decimal[i] * 16;
            decimal[i] = static_cast<std::uint8_t>(carry % 10);
            carry /= 10;
        }
    }
    for (std::size_t i = 0; i < decimal.size(); ++i) buffer_[i] = static_cast<char>('0' + decimal[i]);
    whole_ = {buffer_.data(), buffer_.size()};
    return true;
}

void Number::normalise() noexcept {
    while (!whole_.empty() && whole_.front() == '0') whole_.remove_prefix(1);
    magnitude_ += static_cast<std::int64_t>(whole_.size());
    if (whole_.empty()) {
        while (!fraction_.empty() && fraction_.front() == '0') fraction_.remove_prefix(1), --magnitude_;
    }
    while (!fraction_.empty() && fraction_.back() == '0') fraction_.remove_suffix(1);
    if (!whole_.empty() || !fraction_.empty()) return;
    negative_ = false;
    magnitude_ = 0;
}

int compare(const Number& a, const Number& b) noexcept {
    if (a.digits() == 0 && b.digits() == 0) return 0;
    if (a.digits() == 0) return b.negative_ ? 1 : -1;
    if (b.digits() == 0) return a.negative_ ? -1 : 1;
    if (a.negative_ != b.negative_) return a.negative_ ? -1 : 1;
    const int sign = a.negative_ ? -1 : 1;
    if (a.magnitude_ != b.magnitude_) return a.magnitude_ < b.magnitude_ ? -sign : sign;
    const std::size_t most = std::max(a.digits(), b.digits());
    for (std::size_t i = 0; i < most; ++i) {
        if (a.digit(i) != b.digit(i)) return a.digit(i) < b.digit(i) ? -sign : sign;
    }
    return 0;
}

}  // namespace gateway::expr
