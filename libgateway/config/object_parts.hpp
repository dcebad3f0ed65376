// Parts that several kinds of objects share: ids, labels, time limits, raw members, upstream nodes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "libgateway/config/forms.hpp"
#include "libgateway/config/schema.hpp"

namespace gateway::config {

// Text of 1 to 64 characters, or a whole number from 1; `1` and "1" are the same object.
struct ObjectId {
    std::string text;
    friend bool operator==(const ObjectId& a, const ObjectId& b) noexcept { return a.text == b.text; }
};
template <>
struct Codec<ObjectId> {
    static void read(const json::Value& value, ObjectId& out, const Rules& rules, Errors& errors);
    static json::Value write(const ObjectId& id) { return id.text; }
    static json::Value describe(const Rules& rules);
};

// Any name; each text 1 to 256 characters without blanks.
struct Labels {
    Members<std::string> list;
};
template <>
struct Codec<Labels> {
    static void read(const json::Value& value, Labels& out, const Rules& rules, Errors& errors);
    static json::Value write(const Labels& labels) { return Codec<Members<std::string>>::write(labels.list); }
    static json::Value describe(const Rules& rules);
};

// An object or an array whose content is checked elsewhere; null until it is read.
struct RawObject {
    json::Value value;
};
struct RawArray {
    json::Value value;
};
template <>
struct Codec<RawObject> {
    static void read(const json::Value& value, RawObject& out, const Rules& rules, Errors& errors);
    static json::Value write(const RawObject& raw) { return raw.value; }
    static json::Value describe(const Rules&) { return json::Value::object({{"type", "object"}}); }
};
template <>
struct Codec<RawArray> {
    static void read(const json::Value& value, RawArray& out, const Rules& rules, Errors& errors);
    static json::Value write(const RawArray& raw) { return raw.value; }
    static json::Value describe(const Rules&) { return json::Value::object({{"type", "array"}}); }
};

// Seconds, fractions allowed. Replaces a wider setting as a whole, never field by field.
struct Timeouts {
    double connect = 60, send = 60, read = 60;
    static constexpr auto schema =
        fields(field("connect", &Timeouts::connect, "TCP and TLS set-up, seconds", required, more_than(0)),
               field("send", &Timeouts::send, "between two writes, seconds", required, more_than(0)),
               field("read", &Timeouts::read, "between two reads, seconds", required, more_than(0)));
};

struct UpstreamNode {
    std::string host;        // IPv6 addresses in brackets
    std::uint16_t port = 0;  // 0: the scheme's
    std::uint32_t weight = 0;
    std::int32_t priority = 0;
    RawObject metadata;
    static constexpr auto schema =
        fields(field("host", &UpstreamNode::host, "address or name", required, pattern(host_pattern, is_host_pattern)),
               field("port", &UpstreamNode::port, "default by scheme: 80 or 443", range(1, 65535)),
               field("weight", &UpstreamNode::weight, "share of the traffic; 0: none", required, at_least(0)),
               field("priority", &UpstreamNode::priority, "highest first; lower ones are backups"),
               field("metadata", &UpstreamNode::metadata, "for plugins and discovery"));
};

// Reads both forms: {"host:port": weight} and [{"host": …, "port": …, "weight": …}]. Of equal host and port the last
// wins.
struct Nodes {
    std::vector<UpstreamNode> list;
};
template <>
struct Codec<Nodes> {
    static void read(const json::Value& value, Nodes& out, const Rules& rules, Errors& errors);
    static json::Value write(const Nodes& nodes) { return Codec<std::vector<UpstreamNode>>::write(nodes.list); }
    static json::Value describe(const Rules& rules);
};

}  // namespace gateway::config
