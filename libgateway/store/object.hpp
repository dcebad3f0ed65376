// What the store keeps and what a write to it says: the values that control, the Admin API and gatewayctl share.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libgateway/config/delta.hpp"

namespace gateway::store {

// One object as the Admin API stores and returns it: what was sent plus id, create_time and update_time; secrets are
// encrypted.
struct Stored {
    config::Kind kind{};
    std::string id, json;
    std::uint64_t created = 0, modified = 0;  // revisions
    std::int64_t expires_ms = 0;              // wall clock; 0: never
};
using StoredPtr = std::shared_ptr<const Stored>;

// One object made, replaced or deleted.
struct Edit {
    config::Kind kind{};
    std::string id;
    std::optional<std::string> json;        // nothing: delete
    std::optional<std::uint64_t> expected;  // the modified revision it must have; 0: it must not exist
    std::int64_t expires_ms = 0;
    std::uint64_t rank = 0;  // among its kind, to bring back; 0: the one it has, or behind all others
    bool keeps_end = false;  // it ends when what it replaces would have; for stores that do not tell when that is
};

// Who changed something, for the history.
struct Author {
    std::string name;  // a key's name, "gatewayctl", "file", "expiry"
    std::string from;  // the peer's address, or nothing
};

enum class WriteStatus : std::uint8_t {
    ok,
    refused,      // invalid: the errors say why
    conflict,     // not the expected revision
    owned,        // defined in the route file
    unavailable,  // the store cannot be written
};

// What became of a write. With `ok` it is on disk and in force.
struct Written {
    WriteStatus status{};
    std::vector<std::string> errors;
    std::uint64_t revision = 0;
    std::vector<StoredPtr> objects;      // what was made, in the order of the edits
    std::vector<std::uint32_t> lagging;  // workers, by pid, that have not adopted it yet
};

}  // namespace gateway::store
