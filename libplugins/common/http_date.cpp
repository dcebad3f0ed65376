#include "libplugins/common/http_date.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>

#include "libgateway/base/strings.hpp"

namespace gateway::plugins {
namespace {

constexpr std::array<std::string_view, 7> days{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
constexpr std::array<std::string_view, 7> long_days{"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                    "Friday", "Saturday", "Sunday"};
constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Takes a text apart from its front; after the first thing that is not as expected all is false.
class Reader {
public:
    explicit Reader(std::string_view text) noexcept : rest_(text) {}

    void expect(std::string_view text) noexcept {
        good_ = good_ && rest_.starts_with(text);
        if (good_) rest_.remove_prefix(text.size());
    }
    int number(std::size_t digits) noexcept {
        const auto value = parse_decimal<int>(rest_.substr(0, digits));
        good_ = good_ && value && rest_.size() >= digits;
        if (!good_) return 0;
        rest_.remove_prefix(digits);
        return *value;
    }
    // Of asctime: ` 6` or `16`.
    int padded_number() noexcept {
        const bool one = rest_.starts_with(' ');
        if (one) expect(" ");
        return number(one ? 1 : 2);
    }
    // Its place among the names, from 0.
    template <std::size_t N>
    unsigned name(const std::array<std::string_view, N>& names) noexcept {
        const auto found =
            std::find_if(names.begin(), names.end(), [&](std::string_view name) { return rest_.starts_with(name); });
        good_ = good_ && found != names.end();
        if (!good_) return 0;
        rest_.remove_prefix(found->size());
        return static_cast<unsigned>(found - names.begin());
    }
    bool at_end() const noexcept { return good_ && rest_.empty(); }

private:
    std::string_view rest_;
    bool good_ = true;
};

struct Parts {
    int year = 0, day = 0, hour = 0, minute = 0, second = 0;
    unsigned month = 0;  // from 0
};

void read_time(Reader& reader, Parts& parts) noexcept {
    parts.hour = reader.number(2);
    reader.expect(":");
    parts.minute = reader.number(2);
    reader.expect(":");
    parts.second = reader.number(2);
}

bool read_fixed(std::string_view text, Parts& parts) noexcept {
    Reader reader(text);
    reader.name(days);
    reader.expect(", ");
    parts.day = reader.number(2);
    reader.expect(" ");
    parts.month = reader.name(months);
    reader.expect(" ");
    parts.year = reader.number(4);
    reader.expect(" ");
    read_time(reader, parts);
    reader.expect(" GMT");
    return reader.at_end();
}

bool read_rfc850(std::string_view text, Parts& parts) noexcept {
    Reader reader(text);
    reader.name(long_days);
    reader.expect(", ");
    parts.day = reader.number(2);
    reader.expect("-");
    parts.month = reader.name(months);
    reader.expect("-");
    const int year = reader.number(2);
    parts.year = year + (year < 70 ? 2000 : 1900);
    reader.expect(" ");
    read_time(reader, parts);
    reader.expect(" GMT");
    return reader.at_end();
}

bool read_asctime(std::string_view text, Parts& parts) noexcept {
    Reader reader(text);
    reader.name(days);
    reader.expect(" ");
    parts.month = reader.name(months);
    reader.expect(" ");
    parts.day = reader.padded_number();
    reader.expect(" ");
    read_time(reader, parts);
    reader.expect(" ");
    parts.year = reader.number(4);
    return reader.at_end();
}

}  // namespace

std::optional<std::int64_t> parse_http_date(std::string_view text) noexcept {
    using namespace std::chrono;
    Parts parts;
    if (!read_fixed(text, parts) && !read_rfc850(text, parts) && !read_asctime(text, parts)) return std::nullopt;
    const year_month_day date{year{parts.year}, month{parts.month + 1}, day{static_cast<unsigned>(parts.day)}};
    // 60: a leap second.
    if (!date.ok() || parts.hour > 23 || parts.minute > 59 || parts.second > 60) return std::nullopt;
    const std::int64_t days_since = sys_days{date}.time_since_epoch().count();
    return ((days_since * 24 + parts.hour) * 60 + parts.minute) * 60 + parts.second;
}

std::string_view http_date(std::int64_t seconds, Arena& arena) {
    constexpr std::int64_t first = -62167219200, last = 253402300799;  // of the years 0 and 9999
    const std::time_t whole = std::clamp(seconds, first, last);
    std::tm parts{};
    ::gmtime_r(&whole, &parts);
    std::array<char, 64> text{};
    const std::size_t size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return arena.copy({text.data(), size});
}

}  // namespace gateway::plugins
