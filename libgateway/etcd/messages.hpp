// The words of etcd's v3 JSON gateway: requests as they are sent, answers as they are believed.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/etcd/failure.hpp"
#include "libgateway/json/value.hpp"

namespace gateway::etcd {

// One key and what etcd says about it.
struct Entry {
    std::string key, value;
    std::uint64_t created = 0, modified = 0;  // revisions
    friend bool operator==(const Entry&, const Entry&) = default;
};
// A change of one key. Of a removed one only the key and `modified` are known.
struct Event {
    bool removed = false;
    Entry entry;
    friend bool operator==(const Event&, const Event&) = default;
};

// Who answered, and how far the store had come.
struct Header {
    std::string cluster;  // its number as text
    std::uint64_t revision = 0;
    friend bool operator==(const Header&, const Header&) = default;
};

// Part of a range, in order of keys.
struct Page {
    Header header;
    std::vector<Entry> entries;
    bool more = false;
};

// One write of a transaction.
struct Write {
    std::string key;
    std::optional<std::string> value;       // nothing: the key is deleted
    std::optional<std::uint64_t> expected;  // the modified revision it must have; 0: it must not exist
    std::int64_t lease = 0;                 // 0: it stays
    bool keeps_lease = false;               // that of the value it replaces, which must be there
};
struct Committed {
    bool done = false;  // false: an expected revision was another, nothing was written
    std::uint64_t revision = 0;
    std::vector<Entry> found;  // if not done: the keys with an expectation that exist, as they are
};

// One message of a watch.
struct WatchMessage {
    Header header;
    bool created = false, canceled = false, fragment = false;  // fragment: the rest of this revision comes next
    std::uint64_t compact_revision = 0;                        // not 0: the watch asked for revisions that are gone
    std::string reason;                                        // of `canceled`
    std::vector<Event> events;
    friend bool operator==(const WatchMessage&, const WatchMessage&) = default;
};

// The first key behind all that begin with `prefix`.
std::string end_of(std::string_view prefix);

// Keys from `key` up to `end`; an empty end means this one key. Revision 0: as it is now.
json::Value range_request(std::string_view key, std::string_view end, std::uint64_t revision, std::size_t limit);
json::Value commit_request(std::span<const Write> writes);
json::Value lease_request(std::int64_t seconds);
json::Value login_request(std::string_view user, std::string_view password);
json::Value watch_request(std::string_view prefix, std::uint64_t from);

// All readers take any bytes and throw Failure.
json::Value read_answer(std::string_view body);
Page read_page(const json::Value& answer);
Committed read_commit(const json::Value& answer);
std::int64_t read_lease(const json::Value& answer);
std::string read_login(const json::Value& answer);
WatchMessage read_watch_message(std::string_view line);

}  // namespace gateway::etcd
