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
    bool empty() const noexcept { return !begin_; }

    // An entry of equal order is replaced.
    void insert(const Ref<const Entry>& entry);
    // Whether there was one of equal order.
    bool erase(const Entry& entry);

    // The first entry, and the first one behind `entry` (which need not be in the list); null at the end.
    const Entry* first() const noexcept {
        return begin_ && begin_->is_entry ? static_cast<const Entry*>(begin_.get()) : first_of_tree();
    }
    const Entry* after(const Entry& entry) const noexcept;
    // The entry of equal order, or null.
    const Entry* find(const Entry& entry) const noexcept;

private:
    struct Node;
    const Entry* only() const noexcept {
        return begin_ && begin_->is_entry ? static_cast<const Entry*>(begin_.get()) : nullptr;
    }
    friend struct Listed;
    static void dispose(const Listed* root) noexcept;
    const Entry* first_of_tree() const noexcept;
    const Node* tree() const noexcept;
    Ref<Node> take_tree();
    static Ref<Node> make(const Ref<const Entry>& entry);
    static void own(Ref<Node>& node);
    static void rotate(Ref<Node>& node, int toward);
    static void balance(Ref<Node>& node);
    static void insert(Ref<Node>& node, const Ref<const Entry>& entry);
    static bool erase(Ref<Node>& node, const Entry& entry);
    static Ref<const Entry> pop_first(Ref<Node>& node);

    // Nearly every path has one route only: a match then reads nothing between the index and the entry.
    Ref<const Listed> begin_;
};

struct EntryList::Node : Listed {
    Node() noexcept : Listed(false) {}
    std::int32_t height = 1;
    Ref<const Entry> entry;
    Ref<Node> child[2];  // earlier, later
};

}  // namespace gateway::route
