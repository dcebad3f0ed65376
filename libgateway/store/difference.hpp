// What one revision changed: objects before and after, and its compact form in the store.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/config/delta.hpp"

namespace gateway::store {

// Whose an object is. Both layers may have one of the same kind and id; that of the file is in force then. Numbers are
// part of the format on disk.
enum class Layer : std::uint8_t { store = 0, file = 1 };

// One side of a change. Secrets in `json` are encrypted. The rank and the end matter in the layer of the store only.
struct Side {
    std::string json;
    std::uint64_t order = 0;
    std::int64_t expires_ms = 0;
    friend bool operator==(const Side&, const Side&) = default;
};

struct ObjectChange {
    Layer layer = Layer::store;
    config::Kind kind = config::Kind::route;
    std::string id;
    std::optional<Side> before, after;  // nothing: it was not there
    friend bool operator==(const ObjectChange&, const ObjectChange&) = default;
};
using Difference = std::vector<ObjectChange>;

// Compressed bytes where that is worth its time, with a checksum. Equal differences give equal bytes.
std::string pack(const Difference& difference);
// Throws Failure if the bytes are damaged.
Difference unpack(std::string_view bytes);

}  // namespace gateway::store
