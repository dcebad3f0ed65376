#include "libgateway/config/static_types.hpp"

#include <algorithm>
#include <cmath>

#include "libgateway/base/strings.hpp"
#include "libgateway/config/forms.hpp"

namespace gateway::config {

namespace {

constexpr std::uint64_t longest_ms = 10ULL * 365 * 24 * 3600 * 1000;

// Milliseconds of a unit; 0 if it is none.
std::uint64_t unit_ms(std::string_view unit) noexcept {
    if (unit == "ms") return 1;
    if (unit == "s" || unit.empty()) return 1000;
    if (unit == "m") return 60'000;
    if (unit == "h") return 3'600'000;
    return unit == "d" ? 86'400'000 : 0;
}

std::string_view take_while(std::string_view& text, bool (*wanted)(char)) noexcept {
    const auto end = std::find_if_not(text.begin(), text.end(), wanted);
    const std::string_view taken = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    text.remove_prefix(taken.size());
    return taken;
}
bool is_letter(char c) noexcept {
    return to_lower(c) >= 'a' && to_lower(c) <= 'z';
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) noexcept {
    std::uint64_t total = 0;
    if (text.empty()) return std::nullopt;
    while (!text.empty()) {
        const auto number = parse_decimal<std::uint64_t>(take_while(text, [](char c) { return is_digit(c); }));
        const std::uint64_t unit = unit_ms(take_while(text, is_letter));
        if (!number || unit == 0 || *number > longest_ms / unit) return std::nullopt;
        total += *number * unit;
        if (total > longest_ms) return std::nullopt;
    }
    return std::chrono::milliseconds(total);
}

std::optional<std::uint64_t> parse_size(std::string_view text) noexcept {
    const auto number = parse_decimal<std::uint64_t>(take_while(text, [](char c) { return is_digit(c); }));
    if (!number || text.size() > 1) return std::nullopt;
    unsigned shift = 0;
    if (!text.empty()) {
        const std::size_t unit = std::string_view("kmg").find(to_lower(text[0]));
        if (unit == std::string_view::npos) return std::nullopt;
        shift = static_cast<unsigned>(unit + 1) * 10;
    }
    if (*number > (std::uint64_t{1} << 62) >> shift) return std::nullopt;
    return *number << shift;
}

void Codec<Duration>::read(const json::Value& value, Duration& out, const Rules&, Errors& errors) {
    std::optional<std::chrono::milliseconds> parsed;
    if (value.is_string()) {
        parsed = parse_duration(value.string());
    } else if (const auto seconds = value.as_double()) {
        const bool good = *seconds >= 0 && *seconds * 1000 <= static_cast<double>(longest_ms);
        if (good) parsed = std::chrono::milliseconds(std::llround(*seconds * 1000));
    } else {
        return wrong_type("string", value, errors);
    }
    if (!parsed) return errors.add("not a time: " + json::write(value), "expected a number with ms, s, m, h or d");
    out.value = *parsed;
}
json::Value Codec<Duration>::write(const Duration& duration) {
    const auto count = duration.value.count();
    return count % 1000 ? std::to_string(count) + "ms" : std::to_string(count / 1000) + "s";
}

void Codec<ByteSize>::read(const json::Value& value, ByteSize& out, const Rules&, Errors& errors) {
    if (!value.is_string() && !value.is_number()) return wrong_type("string", value, errors);
    const auto parsed = parse_size(value.is_string() ? value.string() : value.number());
    if (!parsed) return errors.add("not a size: " + json::write(value), "expected a whole number with k, m or g");
    out.bytes = *parsed;
}

void Codec<Switch>::read(const json::Value& value, Switch& out, const Rules&, Errors& errors) {
    if (!value.is_boolean() && !value.is_string()) return wrong_type("boolean", value, errors);
    const bool known = value.is_boolean() || value.string() == "on" || value.string() == "off";
    if (!known) return errors.add("matches none of the enum values", "expected one of on, off");
    out.on = value.boolean() || value.string() == "on";
}

void Codec<WorkerCount>::read(const json::Value& value, WorkerCount& out, const Rules&, Errors& errors) {
    if (!value.is_string() && !value.is_number()) return wrong_type("number", value, errors);
    const auto number = value.is_string() ? parse_decimal<std::int64_t>(value.string()) : value.as_int64();
    if (value.is_string() && value.string() == "auto") {
        out.count = 0;
    } else if (number && *number >= 1 && *number <= 128) {
        out.count = static_cast<std::uint32_t>(*number);
    } else {
        errors.add("not a number of workers: " + json::write(value), "expected auto or 1 to 128");
    }
}

// No message says more of a key than its length.
void Codec<KeyTexts>::read(const json::Value& value, KeyTexts& out, const Rules&, Errors& errors) {
    const auto add = [&](const json::Value& item) {
        // A key of digits that came out of a variable has become a number.
        if (!item.is_string() && !item.is_number()) return wrong_type("string", item, errors);
        const std::string& key = item.is_string() ? item.string() : item.number();
        if (key.size() != 16 && key.size() != 32)
            return errors.add("expected a key of 16 or 32 bytes, got " + std::to_string(key.size()));
        out.keys.push_back(key);
    };
    out = {};
    if (value.is_boolean()) {
        out.withheld = value.boolean();
    } else if (value.is_array()) {
        for (std::size_t i = 0; i < value.size(); ++i) {
            const Errors::Scope scope(errors, i, value.items()[i]);
            add(value.items()[i]);
        }
    } else if (!value.is_object() || value.size() != 0) {
        add(value);
    }
}

namespace {

template <class One>
void read_listeners(const json::Value& value, std::vector<One>& list, Errors& errors) {
    const auto add = [&](const json::Value& item) {
        One listener;
        if (item.is_number()) {
            Rules port;
            range(0, 65535).apply(port);
            Codec<std::uint16_t>::read(item, listener.port, port, errors);
        } else {
            Codec<One>::read(item, listener, {}, errors);
        }
        std::string_view ip = listener.ip;
        if (ip.starts_with('[') && ip.ends_with(']')) ip = ip.substr(1, ip.size() - 2);
        if (!ip.empty() && !is_address(ip)) errors.add("not an IP address: " + listener.ip);
        listener.ip = std::string(ip);
        list.push_back(std::move(listener));
    };
    if (!value.is_number() && !value.is_array()) return wrong_type("array", value, errors);
    list.clear();
    if (value.is_number()) return add(value);
    for (std::size_t i = 0; i < value.size(); ++i) {
        const Errors::Scope scope(errors, i, value.items()[i]);
        add(value.items()[i]);
    }
}

}  // namespace

void Codec<Listeners>::read(const json::Value& value, Listeners& out, const Rules&, Errors& errors) {
    read_listeners(value, out.list, errors);
}

void Codec<TlsListeners>::read(const json::Value& value, TlsListeners& out, const Rules&, Errors& errors) {
    read_listeners(value, out.list, errors);
}

}  // namespace gateway::config
