// Map from id to object whose copies share everything: revision N+1 differs from N by the nodes on the way to what
// changed.
#pragma once

#include <bit>
#include <cstdint>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include "libgateway/base/hash.hpp"
#include "libgateway/base/ref_counted.hpp"
#include "libgateway/route/disposal.hpp"

namespace gateway {

namespace detail {

// Where a key lies: five bits of its hash per level.
class TriePath {
public:
    explicit TriePath(std::string_view key) noexcept : hash_(place128(key)) {}
    // Two different keys never agree in all levels: that would be a collision of the 128-bit hash.
    std::uint32_t bit(unsigned level) const {
        if (level >= 2 * levels_per_word) throw std::length_error("persistent map: hash exhausted");
        const std::uint64_t word = level < levels_per_word ? hash_.low : hash_.high;
        return 1u << (word >> (5 * (level % levels_per_word)) & 31);
    }

private:
    static constexpr unsigned levels_per_word = 12;
    Hash128 hash_;
};

}  // namespace detail

// A hash trie with 32 slots per node. T is RefCounted and has `std::string_view key() const`, constant while it is
// here. A change copies only nodes that another copy of the map still uses, so a map without copies is built in place.
// One thread. Nodes whose last copy goes are freed as route::Disposal says.
template <class T>
class PersistentMap {
    struct Node;

public:
    bool empty() const noexcept { return size_ == 0; }
    std::size_t size() const noexcept { return size_; }

    // Null if absent.
    const T* find(std::string_view key) const {
        const detail::TriePath path(key);
        const Node* node = root_.get();
        for (unsigned level = 0; node; ++level) {
            const std::uint32_t bit = path.bit(level);
            if (node->leaf_map & bit) {
                const T* found = node->leaves[node->leaf_at(bit)].get();
                return same_key(*found, key) ? found : nullptr;
            }
            node = node->node_map & bit ? node->nodes[node->node_at(bit)].get() : nullptr;
        }
        return nullptr;
    }

    // Adds, or replaces what has the same key and returns that.
    Ref<const T> set(Ref<const T> value) {
        if (!root_) root_ = make_ref<Node>();
        const detail::TriePath path(value->key());
        Ref<const T> old = put(root_, path, 0, std::move(value));
        if (!old) ++size_;
        return old;
    }

    // Returns what was there, or null.
    Ref<const T> erase(std::string_view key) {
        if (!root_ || !find(key)) return {};
        --size_;
        return take(root_, detail::TriePath(key), key, 0);
    }

    // Goes through a map that may change meanwhile: it sees the map as it was. Order: none to rely on.
    class Cursor {
    public:
        Cursor() = default;
        explicit Cursor(const PersistentMap& map) : root_(map.root_) {
            if (root_) stack_.push_back({root_.get(), 0, 0});
        }
        // Null at the end.
        const T* next() {
            while (!stack_.empty()) {
                Frame& top = stack_.back();
                if (top.leaf < top.node->leaves.size()) return top.node->leaves[top.leaf++].get();
                if (top.child < top.node->nodes.size()) {
                    const Node* child = top.node->nodes[top.child++].get();
                    stack_.push_back({child, 0, 0});
                } else {
                    stack_.pop_back();
                }
            }
            return nullptr;
        }

    private:
        struct Frame {
            const Node* node;
            std::uint32_t leaf, child;
        };
        Ref<Node> root_;
        std::vector<Frame> stack_;
    };

private:
    struct Node : RefCounted {
        std::uint32_t leaf_map = 0, node_map = 0;
        std::vector<Ref<const T>> leaves;
        std::vector<Ref<Node>> nodes;

        std::size_t leaf_at(std::uint32_t bit) const noexcept { return std::popcount(leaf_map & (bit - 1)); }
        std::size_t node_at(std::uint32_t bit) const noexcept { return std::popcount(node_map & (bit - 1)); }
        void add_leaf(std::uint32_t bit, Ref<const T> value) {
            leaves.insert(leaves.begin() + static_cast<std::ptrdiff_t>(leaf_at(bit)), std::move(value));
            leaf_map |= bit;
        }
        void add_node(std::uint32_t bit, Ref<Node> child) {
            nodes.insert(nodes.begin() + static_cast<std::ptrdiff_t>(node_at(bit)), std::move(child));
            node_map |= bit;
        }
        Ref<const T> cut_leaf(std::uint32_t bit) {
            const auto at = leaves.begin() + static_cast<std::ptrdiff_t>(leaf_at(bit));
            Ref<const T> old = std::move(*at);
            leaves.erase(at);
            leaf_map &= ~bit;
            return old;
        }
        static void dispose(const Node* node) noexcept {
            route::Disposal::bury(node, [](const void* dead) noexcept { delete static_cast<const Node*>(dead); });
        }
    };

    // T may compare in its own way, in constant time where keys are secrets.
    static bool same_key(const T& value, std::string_view key) {
        if constexpr (requires { value.has_key(key); }) {
            return value.has_key(key);
        } else {
            return value.key() == key;
        }
    }
    static void own(Ref<Node>& node) {
        if (node->use_count() > 1) node = make_ref<Node>(*node);
    }

    static Ref<const T> put(Ref<Node>& node, const detail::TriePath& path, unsigned level, Ref<const T> value) {
        own(node);
        const std::uint32_t bit = path.bit(level);
        if (node->node_map & bit) return put(node->nodes[node->node_at(bit)], path, level + 1, std::move(value));
        if (!(node->leaf_map & bit)) {
            node->add_leaf(bit, std::move(value));
            return {};
        }
        Ref<const T>& leaf = node->leaves[node->leaf_at(bit)];
        if (leaf->key() == value->key()) return std::exchange(leaf, std::move(value));
        Ref<Node> child = make_ref<Node>();
        child->add_leaf(detail::TriePath(leaf->key()).bit(level + 1), leaf);
        put(child, path, level + 1, std::move(value));
        node->cut_leaf(bit);
        node->add_node(bit, std::move(child));
        return {};
    }

    // The key is known to be below `node`.
    static Ref<const T> take(Ref<Node>& node, const detail::TriePath& path, std::string_view key, unsigned level) {
        own(node);
        const std::uint32_t bit = path.bit(level);
        if (node->leaf_map & bit) return node->cut_leaf(bit);
        const std::size_t at = node->node_at(bit);
        Ref<Node>& child = node->nodes[at];
        Ref<const T> old = take(child, path, key, level + 1);
        if (child->nodes.empty() && child->leaves.size() == 1) {
            Ref<const T> last = child->leaves.front();
            node->nodes.erase(node->nodes.begin() + static_cast<std::ptrdiff_t>(at));
            node->node_map &= ~bit;
            node->add_leaf(bit, std::move(last));
        }
        return old;
    }

    Ref<Node> root_;
    std::size_t size_ = 0;
};

}  // namespace gateway
