// The document: all objects that were read and checked, ready to be sent. Control owns it; workers never see it whole.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "libgateway/base/hash.hpp"
#include "libgateway/config/delta.hpp"
#include "libgateway/json/value.hpp"

namespace gateway::sources {

// One checked object. Immutable and shared between documents.
struct Object {
    config::Kind kind = config::Kind::route;
    std::string id;
    std::uint64_t order = 0;  // rank inside its kind, with gaps
    std::string json;         // compact
    Hash128 hash;             // of all above
    json::Position where;     // in the file it came from
};
using ObjectPtr = std::shared_ptr<const Object>;

// Made with its hash.
ObjectPtr make_object(config::Kind kind, std::string id, std::uint64_t order, std::string json, json::Position where);
// The change that makes or removes this object; views into it.
config::Change change_of(const Object& object, bool removed = false);

// Copying shares the objects. One thread.
class Document {
public:
    // Replaces or adds; returns what stood there, so that a refused change can be taken back. The cost does not depend
    // on the number of objects.
    ObjectPtr put(ObjectPtr object);
    ObjectPtr erase(config::Kind kind, std::string_view id);
    ObjectPtr find(config::Kind kind, std::string_view id) const;

    std::size_t size() const noexcept;
    std::size_t size(config::Kind kind) const noexcept { return of(kind).size(); }
    const config::Digest& digest() const noexcept { return digest_; }
    // An order key behind every object of the kind.
    std::uint64_t next_order(config::Kind kind) const noexcept;
    // All objects by kind and order: what a full delta holds.
    std::vector<ObjectPtr> objects() const;
    // Those of one kind, in no order.
    std::vector<ObjectPtr> objects(config::Kind kind) const;
    // Every object of one kind, in no order.
    template <class Each>
    void each(config::Kind kind, Each&& each) const {
        for (const auto& [id, object] : of(kind)) each(*object);
    }

private:
    struct TextHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
    };
    using Objects = std::unordered_map<std::string, ObjectPtr, TextHash, std::equal_to<>>;

    friend std::vector<config::Change> diff(const Document& before, const Document& after);
    const Objects& of(config::Kind kind) const noexcept { return objects_[static_cast<std::size_t>(kind)]; }
    Objects& of(config::Kind kind) noexcept { return objects_[static_cast<std::size_t>(kind)]; }

    std::array<Objects, config::kind_count> objects_;
    std::array<std::uint64_t, config::kind_count> last_order_{};
    config::Digest digest_;
};

// What turns `before` into `after`: removals, then new and changed objects by kind and order. Views into both
// documents.
std::vector<config::Change> diff(const Document& before, const Document& after);

}  // namespace gateway::sources
