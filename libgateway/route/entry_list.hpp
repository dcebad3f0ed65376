// Entries of one path group in the order in which they are tried: a persistent balanced tree.
#pragma once

#include <cstddef>
#include <cstdint>

#include "libgateway/base/ref_counted.hpp"
#include "libgateway/route/match.hpp"

namespace gateway::route {

// The order of router.md 4, step 3: priority descending, length of the pattern descending, older first, then as in
// `uris`.
bool before(const Entry& a, const Entry& b) noexcept;

// Copies share nodes; a change costs O(log n) and copies only what another copy still uses. One thread.
class EntryList {
public:
    bool empty() const noexcept { return !root_; }

    // An entry of equal order is replaced.
    void insert(const Ref<const Entry>& entry);
    // Whether there was one of equal order.
    bool erase(const Entry& entry);

    // The first entry, and the first one behind `entry` (which need not be in the list); null at the end.
    const Entry* first() const noexcept;
    const Entry* after(const Entry& entry) const noexcept;
    // The entry of equal order, or null.
    const Entry* find(const Entry& entry) const noexcept;

private:
    struct Node;
    static Ref<Node> make(const Ref<const Entry>& entry);
    static void own(Ref<Node>& node);
    static void rotate(Ref<Node>& node, int toward);
    static void balance(Ref<Node>& node);
    static void insert(Ref<Node>& node, const Ref<const Entry>& entry);
    static bool erase(Ref<Node>& node, const Entry& entry);
    static Ref<const Entry> pop_first(Ref<Node>& node);

    Ref<Node> root_;
};

struct EntryList::Node : RefCounted {
    std::int32_t height = 1;
    Ref<const Entry> entry;
    Ref<Node> child[2];  // earlier, later
    static void dispose(const Node* node) noexcept;
};

}  // namespace gateway::route
