// Values with units and short forms that only the static file has: durations, sizes, switches, worker counts,
// listeners.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/config/schema.hpp"

namespace gateway::config {

// "500ms", "60s", "5m", "1h", "1d", "1h30m"; a plain number is seconds.
struct Duration {
    std::chrono::milliseconds value{0};
};
// "16k", "50m", "1g"; a plain number is bytes.
struct ByteSize {
    std::uint64_t bytes = 0;
};
// true, false, "on", "off".
struct Switch {
    bool on = false;
};
// "auto" (0) or a number from 1.
struct WorkerCount {
    std::uint32_t count = 0;
};
// A port, or an object; without `ip` all addresses.
struct Listener {
    std::string ip, name;
    std::uint16_t port = 0;  // 0: the kernel chooses
    bool enable_http2 = true;
    static constexpr auto schema = fields(field("ip", &Listener::ip, "address; default: all"),
                                          field("name", &Listener::name, "shown by status", length(0, 31)),
                                          field("port", &Listener::port, "0: any free port", required, range(0, 65535)),
                                          field("enable_http2", &Listener::enable_http2, "read, no effect"))
                                       .closed();
};
struct TlsListener {
    std::string ip, name;
    std::uint16_t port = 0;  // 0: the kernel chooses
    bool enable_http3 = false;
    static constexpr auto schema =
        fields(field("ip", &TlsListener::ip, "address; default: all"),
               field("name", &TlsListener::name, "shown by status", length(0, 31)),
               field("port", &TlsListener::port, "0: any free port", required, range(0, 65535)),
               field("enable_http3", &TlsListener::enable_http3, "not in this build"))
            .closed();
};
// One port or a list of listeners.
struct Listeners {
    std::vector<Listener> list;
};
struct TlsListeners {
    std::vector<TlsListener> list;
};

// Keys that encrypt, or one key. They stay in control: what is written for workers says only that there are some.
struct KeyTexts {
    std::vector<std::string> keys;
    bool withheld = false;  // read from what was written for workers
};

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) noexcept;
std::optional<std::uint64_t> parse_size(std::string_view text) noexcept;

template <>
struct Codec<Duration> {
    static void read(const json::Value& value, Duration& out, const Rules& rules, Errors& errors);
    static json::Value write(const Duration& duration);
    static json::Value describe(const Rules&) { return json::Value::object({{"type", "time"}}); }
};
template <>
struct Codec<ByteSize> {
    static void read(const json::Value& value, ByteSize& out, const Rules& rules, Errors& errors);
    static json::Value write(const ByteSize& size) { return size.bytes; }
    static json::Value describe(const Rules&) { return json::Value::object({{"type", "size"}}); }
};
template <>
struct Codec<Switch> {
    static void read(const json::Value& value, Switch& out, const Rules& rules, Errors& errors);
    static json::Value write(const Switch& value) { return value.on; }
    static json::Value describe(const Rules&) { return json::Value::object({{"type", "boolean or on/off"}}); }
};
template <>
struct Codec<WorkerCount> {
    static void read(const json::Value& value, WorkerCount& out, const Rules& rules, Errors& errors);
    static json::Value write(const WorkerCount& count) { return count.count ? json::Value(count.count) : "auto"; }
    static json::Value describe(const Rules&) { return json::Value::object({{"type", "integer or \"auto\""}}); }
};
template <>
struct Codec<KeyTexts> {
    static void read(const json::Value& value, KeyTexts& out, const Rules& rules, Errors& errors);
    static json::Value write(const KeyTexts& keys) { return keys.withheld || !keys.keys.empty(); }
    static json::Value describe(const Rules&) { return json::Value::object({{"type", "array of string, or string"}}); }
};
template <>
struct Codec<TlsListeners> {
    static void read(const json::Value& value, TlsListeners& out, const Rules& rules, Errors& errors);
    static json::Value write(const TlsListeners& listeners) {
        return Codec<std::vector<TlsListener>>::write(listeners.list);
    }
    static json::Value describe(const Rules& rules) { return Codec<std::vector<TlsListener>>::describe(rules); }
};
template <>
struct Codec<Listeners> {
    static void read(const json::Value& value, Listeners& out, const Rules& rules, Errors& errors);
    static json::Value write(const Listeners& listeners) { return Codec<std::vector<Listener>>::write(listeners.list); }
    static json::Value describe(const Rules& rules) { return Codec<std::vector<Listener>>::describe(rules); }
};

}  // namespace gateway::config
