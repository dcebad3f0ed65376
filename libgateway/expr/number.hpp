// Numbers as conditions compare them: read from text, compared exactly whatever their length.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace gateway::expr {

// A decimal number as views of its digits. Views the text it was read from, or its own buffer (hexadecimal): do not
// copy.
class Number {
public:
    Number() noexcept = default;
    Number(const Number&) = delete;
    Number& operator=(const Number&) = delete;

    // Optional blanks around; decimal with optional sign, fraction and exponent, or `0x` and at most 64 hexadecimal
    // digits. False if the text is anything else. Allocates nothing.
    bool read(std::string_view text) noexcept;

    friend int compare(const Number& a, const Number& b) noexcept;

private:
    bool read_decimal(std::string_view text) noexcept;
    bool read_hex(std::string_view digits) noexcept;
    void normalise() noexcept;
    std::size_t digits() const noexcept { return whole_.size() + fraction_.size(); }
    char digit(std::size_t at) const noexcept {
        if (at < whole_.size()) return whole_[at];
        at -= whole_.size();
        return at < fraction_.size() ? fraction_[at] : '0';
    }

    bool negative_ = false;
    std::string_view whole_, fraction_;  // without leading zeros; both empty: zero
    std::int64_t magnitude_ = 0;         // the value is 0.<digits> x 10^magnitude
    std::array<char, 80> buffer_;
};

// Negative, zero or positive.
int compare(const Number& a, const Number& b) noexcept;

}  // namespace gateway::expr
