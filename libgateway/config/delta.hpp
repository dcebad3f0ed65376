// What changes between two revisions, as it travels to workers, to the journal in shared memory and to the file on
// disk.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/base/hash.hpp"

namespace gateway::config {

// Numbers are part of the wire and disk format: never reuse one.
enum class Kind : std::uint8_t {
    settings = 0,  // id "static": what workers need of the static file (config/static_config encodes it)
    plugins = 1,   // id "list": array of plugin names that may run
    route = 2,
    service = 3,
    upstream = 4,
    plugin_config = 5,
    global_rule = 6,
    consumer = 7,  // also credentials, with ids "jack/credentials/c1"
    consumer_group = 8,
    plugin_metadata = 9,  // id: the plugin
    ssl = 10,
    proto = 11,
    stream_route = 12,
    secret = 13,      // id: "vault/1"
    standalone = 14,  // id "configuration": what standalone API mode was given, as it was written
};
inline constexpr std::uint8_t kind_count = 15;
// Whether there are objects of that kind in lists of a route file, and not only what the gateway itself makes.
bool is_listed(Kind kind) noexcept;
// Kept and shown; no part of the traffic reads them yet.
bool is_idle(Kind kind) noexcept;
// "routes", "services" …: the key of the list in a route file; "settings", "plugins" for the others.
std::string_view list_name(Kind kind) noexcept;
// "route", "service" …: one of the list, for messages.
std::string_view kind_name(Kind kind) noexcept;
// Reads a list name or its singular ("route", "routes"); false if unknown.
bool parse_kind(std::string_view text, Kind& kind) noexcept;

// Identity of a whole document: the sum of its objects' hashes, so that it does not depend on order and changes in
// O(1).
struct Digest {
    std::uint64_t low = 0, high = 0;
    void add(const Hash128& hash) noexcept;
    void remove(const Hash128& hash) noexcept;
    std::string text() const;  // 32 hex digits
    friend bool operator==(const Digest& a, const Digest& b) noexcept { return a.low == b.low && a.high == b.high; }
    friend bool operator!=(const Digest& a, const Digest& b) noexcept { return !(a == b); }
};

// One object made, replaced or removed. `order` is the rank among objects of its kind (older first); part of the hash.
struct Change {
    Kind kind = Kind::route;
    bool removed = false;
    std::string_view id;
    std::uint64_t order = 0;
    std::string_view json;  // compact text; empty when removed
};
Hash128 hash_of(const Change& change);

struct DeltaHeader {
    std::uint32_t magic = 0x31544C44;  // "DLT1"
    std::uint32_t count = 0;           // of changes
    std::uint64_t size = 0;            // of header and changes
    std::uint64_t from = 0, to = 0;    // revisions; from = 0: a full document, everything else is forgotten
    Digest digest;                     // of the document at `to`
};

// Appends to a byte buffer; call begin, then add for each change, then finish.
class DeltaWriter {
public:
    explicit DeltaWriter(std::vector<char>& out) : out_(out) {}
    void begin(std::uint64_t from, std::uint64_t to);
    void add(const Change& change);
    void finish(const Digest& digest);

private:
    std::vector<char>& out_;
    std::size_t start_ = 0;
    DeltaHeader header_;
};

// Walks one encoded delta; every length is checked, a damaged one ends with ok() false. Views point into `bytes`.
class DeltaReader {
public:
    explicit DeltaReader(std::span<const char> bytes) noexcept;
    bool ok() const noexcept { return ok_; }
    const DeltaHeader& header() const noexcept { return header_; }
    // False at the end, or when the rest is damaged (ok() tells which).
    bool next(Change& change) noexcept;

private:
    std::span<const char> rest_;
    DeltaHeader header_;
    std::uint32_t left_ = 0;
    bool ok_ = false;
};

// The journal: one full delta, then the deltas since, in a memfd that control writes and that workers replay at their
// start. `committed` is published with release order after the bytes; readers trust nothing behind it.
struct JournalHeader {
    static constexpr std::uint64_t magic_value = 0x314C4E524A574721ULL;
    std::uint64_t magic = magic_value;
    std::uint64_t committed = sizeof(JournalHeader);  // bytes valid, this header included; accessed atomically
    std::uint64_t revision = 0;
    std::uint64_t reserved[5] = {};
};
static_assert(sizeof(JournalHeader) == 64);

}  // namespace gateway::config
