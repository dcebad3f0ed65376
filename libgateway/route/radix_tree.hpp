// A persistent radix tree from byte strings to slots, one slot for "exactly this key" and one for "everything that
// begins with it". Lookups cost O(length of the key); a change copies the nodes on its way, if another tree still uses
// them.
#pragma once

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdint>
#include <cstring>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "libgateway/base/ref_counted.hpp"
#include "libgateway/base/strings.hpp"
#include "libgateway/route/disposal.hpp"

namespace gateway::route {

// Keys as lookups read them: paths from the left, hosts from the right.
class ForwardKey {
public:
    explicit ForwardKey(std::string_view text) noexcept : text_(text) {}
    std::size_t size() const noexcept { return text_.size(); }
    char operator[](std::size_t at) const noexcept { return text_[at]; }
    std::size_t common(std::size_t at, std::string_view label) const noexcept {
        const std::size_t most = std::min(label.size(), size() - at);
        std::size_t same = 0;
        while (same < most && text_[at + same] == label[same]) ++same;
        return same;
    }
    bool has(std::size_t at, std::string_view label) const noexcept {
        return label.size() <= size() - at && std::memcmp(text_.data() + at, label.data(), label.size()) == 0;
    }

private:
    std::string_view text_;
};

template <bool Fold>
class BasicReverseKey {
public:
    explicit BasicReverseKey(std::string_view text) noexcept : text_(text) {}
    std::size_t size() const noexcept { return text_.size(); }
    char operator[](std::size_t at) const noexcept { return folded(text_[text_.size() - 1 - at]); }
    bool has(std::size_t at, std::string_view label) const noexcept {
        if (label.size() > size() - at) return false;
        const char* from = text_.data() + (text_.size() - at);
        for (const char c : label) {
            if (folded(*--from) != c) return false;
        }
        return true;
    }
    // The key as bytes, for update().
    std::string text() const {
        std::string out(size(), '\0');
        for (std::size_t i = 0; i < out.size(); ++i) out[i] = (*this)[i];
        return out;
    }

private:
    static char folded(char c) noexcept { return Fold ? to_lower(c) : c; }
    std::string_view text_;
};
using ReverseKey = BasicReverseKey<false>;    // of a host that is in lower case already
using RawReverseKey = BasicReverseKey<true>;  // of a host as the client or the configuration wrote it

enum class SlotKind : std::uint8_t { exact, prefix };

// `Slot`: a small value whose copies share what they hold; empty() when default-constructed. Copies of a tree share
// nodes and never see each other's changes. One thread.
template <class Slot>
class RadixTree {
public:
    bool empty() const noexcept { return !root_; }

    // Calls change(Slot&) on the slot of `key`, made empty if there is none; a slot left empty disappears with its
    // node.
    template <class Change>
    void update(std::string_view key, SlotKind kind, Change&& change) {
        update(root_, key, kind, change);
    }

    // The slot of exactly this key, or null.
    template <class Key>
    const Slot* exact(Key key) const noexcept {
        const Node* node = descend(key, key.size(), [](const Node&, std::size_t) {});
        return node && !node->exact.empty() ? &node->exact : nullptr;
    }

    // Prefix slots that cover `key`, longest first, until one answers true.
    template <class Key, class Visit>
    bool visit_prefixes(Key key, Visit&& visit) const {
        Path path;
        descend(key, key.size(), [&](const Node& node, std::size_t at) { path.push(node, at); });
        return visit_deepest_first(key, path, visit);
    }

    // The exact slot, then prefix slots longest first, until one answers true; one descent.
    template <class Key, class Visit>
    bool visit(Key key, Visit&& visit) const {
        Path path;
        const Node* last = descend(key, key.size(), [&](const Node& node, std::size_t at) { path.push(node, at); });
        if (last && !last->exact.empty() && visit(last->exact)) return true;
        return visit_deepest_first(key, path, visit);
    }

    // The same slots, shortest prefix first and the exact one among the last, without any bound on memory.
    template <class Key, class Each>
    void each_covering(Key key, Each&& each) const {
        const Node* last = descend(key, key.size(), [&](const Node& node, std::size_t) {
            if (!node.prefix.empty()) each(node.prefix);
        });
        if (last && !last->exact.empty()) each(last->exact);
    }

    // Every slot, in the order of keys, until one answers true.
    template <class Visit>
    bool visit_all(Visit&& visit) const {
        return root_ && visit_below(*root_, visit);
    }
    // Slots that share the longest beginning with `key` come first; until one answers true.
    template <class Visit>
    bool visit_nearest(std::string_view key, Visit&& visit) const {
        return root_ && visit_nearest(*root_, key, visit);
    }

private:
    // Followed in the same block by the first bytes of the children, the label, and the children: what decides where a
    // lookup goes on lies beside the slots.
    struct alignas(void*) Node : RefCounted {
        std::uint32_t label_size : 23;
        std::uint32_t count : 9;
        Slot exact, prefix;

        static constexpr std::size_t children_at(std::size_t label_size, std::size_t count) noexcept {
            return (sizeof(Node) + count + label_size + alignof(Ref<Node>) - 1) / alignof(Ref<Node>) *
                   alignof(Ref<Node>);
        }
        const Ref<Node>* children() const noexcept {
            return reinterpret_cast<const Ref<Node>*>(reinterpret_cast<const char*>(this) +
                                                      children_at(label_size, count));
        }
        Ref<Node>* children() noexcept { return const_cast<Ref<Node>*>(std::as_const(*this).children()); }
        const char* firsts() const noexcept { return reinterpret_cast<const char*>(this + 1); }
        std::string_view label() const noexcept { return {firsts() + count, label_size}; }
        Slot& slot(SlotKind kind) noexcept { return kind == SlotKind::exact ? exact : prefix; }

        // Index of the child that begins with `byte`, or count.
        std::size_t find(char byte) const noexcept {
            if (count == 0) return 0;
            const void* at = std::memchr(firsts(), static_cast<unsigned char>(byte), count);
            return at ? static_cast<std::size_t>(static_cast<const char*>(at) - firsts()) : std::size_t(count);
        }
        static void dispose(const Node* node) noexcept { Disposal::bury(node, &free); }
        static void free(const void* memory) noexcept {
            Node* node = const_cast<Node*>(static_cast<const Node*>(memory));
            for (std::size_t i = 0; i < node->count; ++i) node->children()[i].~Ref<Node>();
            node->~Node();
            ::operator delete(node);
        }
    };

    // The deepest prefix slots of one descent; what does not fit is found by descending again.
    struct Path {
        static constexpr std::size_t capacity = 32;
        struct Step {
            const Node* node;
            std::size_t depth;
        };
        void push(const Node& node, std::size_t depth) noexcept {
            if (!node.prefix.empty()) steps[count++ % capacity] = {&node, depth};
        }
        std::array<Step, capacity> steps;
        std::size_t count = 0;
    };

    static Ref<Node> make(std::string_view label, std::size_t count) {
        const std::size_t bytes = Node::children_at(label.size(), count) + count * sizeof(Ref<Node>);
        Node* node = ::new (::operator new(bytes)) Node;
        assert(label.size() < 1u << 23);
        node->label_size = static_cast<std::uint32_t>(label.size()) & 0x7fffff;
        node->count = static_cast<std::uint32_t>(count) & 0x1ff;
        for (std::size_t i = 0; i < count; ++i) ::new (node->children() + i) Ref<Node>;
        if (!label.empty()) std::memcpy(const_cast<char*>(node->label().data()), label.data(), label.size());
        return Ref<Node>(node);
    }
    static Ref<Node> leaf(std::string_view label, SlotKind kind, Slot&& value) {
        Ref<Node> node = make(label, 0);
        node->slot(kind) = std::move(value);
        return node;
    }
    static void set_child(Node& node, std::size_t at, Ref<Node> child) {
        const_cast<char*>(node.firsts())[at] = child->label().front();
        node.children()[at] = std::move(child);
    }
    // Takes child and slots out of a node nobody else uses, copies them otherwise.
    static Ref<Node> child_of(const Ref<Node>& node, std::size_t at) {
        return node->use_count() == 1 ? std::move(node->children()[at]) : node->children()[at];
    }
    static void take_slots(const Ref<Node>& from, Node& to) {
        if (from->use_count() == 1) {
            to.exact = std::move(from->exact), to.prefix = std::move(from->prefix);
        } else {
            to.exact = from->exact, to.prefix = from->prefix;
        }
    }
    // The same node with another label; the old one is taken apart if nobody else uses it.
    static Ref<Node> relabelled(const Ref<Node>& node, std::string_view label) {
        Ref<Node> copy = make(label, node->count);
        take_slots(node, *copy);
        for (std::size_t i = 0; i < node->count; ++i) set_child(*copy, i, child_of(node, i));
        return copy;
    }
    static void own(Ref<Node>& node) {
        if (node->use_count() > 1) node = relabelled(node, node->label());
    }

    template <class Change>
    static void update(Ref<Node>& node, std::string_view key, SlotKind kind, Change& change) {
        if (!node) {
            Slot fresh;
            change(fresh);
            if (!fresh.empty()) node = leaf(key, kind, std::move(fresh));
            return;
        }
        const std::size_t same = ForwardKey(key).common(0, node->label());
        if (same < node->label_size) return split(node, same, key, kind, change);
        key.remove_prefix(same);
        if (key.empty()) {
            own(node);
            change(node->slot(kind));
            return prune(node);
        }
        const std::size_t at = node->find(key.front());
        if (at == node->count) return add_child(node, key, kind, change);
        own(node);
        Ref<Node>& child = node->children()[at];
        update(child, key, kind, change);
        if (!child) return remove_child(node, at);
    }
    // `key` leaves the node's label after `same` bytes.
    template <class Change>
    static void split(Ref<Node>& node, std::size_t same, std::string_view key, SlotKind kind, Change& change) {
        Slot fresh;
        change(fresh);
        if (fresh.empty()) return;
        const std::string_view label = node->label();
        Ref<Node> parent = make(label.substr(0, same), same == key.size() ? 1 : 2);
        Ref<Node> rest = relabelled(node, label.substr(same));
        if (same == key.size()) {
            parent->slot(kind) = std::move(fresh);
            set_child(*parent, 0, std::move(rest));
        } else {
            const bool first = static_cast<unsigned char>(key[same]) < static_cast<unsigned char>(label[same]);
            set_child(*parent, first ? 0 : 1, leaf(key.substr(same), kind, std::move(fresh)));
            set_child(*parent, first ? 1 : 0, std::move(rest));
        }
        node = std::move(parent);
    }
    template <class Change>
    static void add_child(Ref<Node>& node, std::string_view key, SlotKind kind, Change& change) {
        Slot fresh;
        change(fresh);
        if (fresh.empty()) return;
        std::size_t at = 0;
        const auto byte = static_cast<unsigned char>(key.front());
        while (at < node->count && static_cast<unsigned char>(node->firsts()[at]) < byte) ++at;
        Ref<Node> wider = make(node->label(), node->count + 1u);
        for (std::size_t i = 0; i < node->count; ++i) set_child(*wider, i < at ? i : i + 1, child_of(node, i));
        set_child(*wider, at, leaf(key, kind, std::move(fresh)));
        take_slots(node, *wider);
        node = std::move(wider);
    }
    static void remove_child(Ref<Node>& node, std::size_t at) {
        Ref<Node> narrower = make(node->label(), node->count - 1u);
        for (std::size_t i = 0; i < node->count; ++i) {
            if (i != at) set_child(*narrower, i < at ? i : i - 1, child_of(node, i));
        }
        take_slots(node, *narrower);
        node = std::move(narrower);
        prune(node);
    }
    // A node without slots goes if it has no child, and melts into its child if that is the only one.
    static void prune(Ref<Node>& node) {
        if (!node->exact.empty() || !node->prefix.empty() || node->count > 1) return;
        if (node->count == 0) {
            node = nullptr;
            return;
        }
        Ref<Node> child = child_of(node, 0);
        const std::string label = std::string(node->label()).append(child->label());
        node = relabelled(child, label);
    }

    // Calls on(node, depth) for each node whose whole key, of `limit` bytes at most, begins `key`; returns the node of
    // all of `key`, or null.
    template <class Key, class On>
    const Node* descend(Key key, std::size_t limit, On&& on) const {
        const Node* node = root_.get();
        std::size_t at = 0;
        while (node && key.has(at, node->label())) {
            at += node->label_size;
            if (at > limit) return nullptr;
            on(*node, at);
            if (at == key.size()) return node;
            const std::size_t child = node->find(key[at]);
            node = child < node->count ? node->children()[child].get() : nullptr;
        }
        return nullptr;
    }
    template <class Key, class Visit>
    bool visit_deepest_first(Key key, Path& path, Visit& visit) const {
        for (;;) {
            const std::size_t kept = std::min(path.count, Path::capacity);
            for (std::size_t i = 0; i < kept; ++i) {
                if (visit(path.steps[(path.count - 1 - i) % Path::capacity].node->prefix)) return true;
            }
            if (path.count <= Path::capacity) return false;
            const std::size_t shallowest = path.steps[path.count % Path::capacity].depth;
            path.count = 0;
            if (shallowest == 0) return false;
            descend(key, shallowest - 1, [&](const Node& node, std::size_t at) { path.push(node, at); });
        }
    }
    template <class Visit>
    static bool visit_below(const Node& node, Visit& visit) {
        if (!node.exact.empty() && visit(node.exact)) return true;
        if (!node.prefix.empty() && visit(node.prefix)) return true;
        for (std::size_t i = 0; i < node.count; ++i) {
            if (visit_below(*node.children()[i], visit)) return true;
        }
        return false;
    }
    template <class Visit>
    static bool visit_nearest(const Node& node, std::string_view key, Visit& visit) {
        if (ForwardKey(key).has(0, node.label())) {
            key.remove_prefix(node.label_size);
            const std::size_t at = key.empty() ? std::size_t(node.count) : node.find(key.front());
            if (at < node.count && visit_nearest(*node.children()[at], key, visit)) return true;
        }
        return visit_below(node, visit);
    }

    Ref<Node> root_;
};

}  // namespace gateway::route
