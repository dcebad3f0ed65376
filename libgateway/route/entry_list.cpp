#include "libgateway/route/entry_list.hpp"

#include <algorithm>

#include "libgateway/route/disposal.hpp"

namespace gateway::route {
namespace {

template <class Node>
int height(const Ref<Node>& node) noexcept {
    return node ? node->height : 0;
}
template <class Node>
void update_height(Node& node) noexcept {
    node.height = 1 + std::max(height(node.child[0]), height(node.child[1]));
}

}  // namespace

bool before(const Entry& a, const Entry& b) noexcept {
    const RouteRule &left = *a.rule, &right = *b.rule;
    if (left.priority != right.priority) return left.priority > right.priority;
    const std::size_t left_size = a.pattern.text().size(), right_size = b.pattern.text().size();
    if (left_size != right_size) return left_size > right_size;
    if (left.order != right.order) return left.order < right.order;
    if (a.uri != b.uri) return a.uri < b.uri;
    return left.id < right.id;  // only if a caller gave one order twice
}

void Listed::dispose(const Listed* one) noexcept {
    if (one->is_entry) {
        Disposal::bury(static_cast<const Entry*>(one),
                       [](const void* memory) noexcept { delete static_cast<const Entry*>(memory); });
    } else {
        EntryList::dispose(one);
    }
}

void EntryList::dispose(const Listed* root) noexcept {
    Disposal::bury(static_cast<const Node*>(root),
                   [](const void* memory) noexcept { delete static_cast<const Node*>(memory); });
}

const EntryList::Node* EntryList::tree() const noexcept {
    return begin_ && !begin_->is_entry ? static_cast<const Node*>(begin_.get()) : nullptr;
}

// The tree without this list's hold on it, so that nodes that nobody else holds are changed in place.
Ref<EntryList::Node> EntryList::take_tree() {
    if (const Entry* entry = only()) return make(Ref<const Entry>(entry));
    Ref<Node> root(const_cast<Node*>(tree()));
    begin_ = nullptr;
    return root;
}

void EntryList::insert(const Ref<const Entry>& entry) {
    if (empty()) {
        begin_ = entry;
        return;
    }
    Ref<Node> root = take_tree();
    insert(root, entry);
    begin_ = root;
}

bool EntryList::erase(const Entry& entry) {
    if (!find(entry)) return false;
    Ref<Node> root = take_tree();
    erase(root, entry);
    if (root && root->height == 1) {
        begin_ = root->entry;
    } else {
        begin_ = root;
    }
    return true;
}

const Entry* EntryList::first_of_tree() const noexcept {
    const Node* node = tree();
    while (node && node->child[0]) node = node->child[0].get();
    return node ? node->entry.get() : nullptr;
}

const Entry* EntryList::after(const Entry& entry) const noexcept {
    if (const Entry* one = only()) return before(entry, *one) ? one : nullptr;
    const Entry* best = nullptr;
    for (const Node* node = tree(); node;) {
        const bool later = before(entry, *node->entry);
        if (later) best = node->entry.get();
        node = node->child[later ? 0 : 1].get();
    }
    return best;
}

const Entry* EntryList::find(const Entry& entry) const noexcept {
    if (const Entry* one = only()) return before(entry, *one) || before(*one, entry) ? nullptr : one;
    for (const Node* node = tree(); node;) {
        const bool earlier = before(entry, *node->entry);
        if (!earlier && !before(*node->entry, entry)) return node->entry.get();
        node = node->child[earlier ? 0 : 1].get();
    }
    return nullptr;
}

Ref<EntryList::Node> EntryList::make(const Ref<const Entry>& entry) {
    Ref<Node> node = make_ref<Node>();
    node->entry = entry;
    return node;
}

void EntryList::own(Ref<Node>& node) {
    if (node->use_count() == 1) return;
    Ref<Node> copy = make(node->entry);
    copy->height = node->height;
    for (int side : {0, 1}) copy->child[side] = node->child[side];
    node = std::move(copy);
}

// Child on the side away from `toward` comes up. Both nodes are this list's own.
void EntryList::rotate(Ref<Node>& node, int toward) {
    Ref<Node>& branch = node->child[1 - toward];
    own(branch);
    Ref<Node> up = std::move(branch);
    branch = std::move(up->child[toward]);
    update_height(*node);
    up->child[toward] = std::move(node);
    update_height(*up);
    node = std::move(up);
}

void EntryList::balance(Ref<Node>& node) {
    update_height(*node);
    const int lean = height(node->child[1]) - height(node->child[0]);
    if (lean >= -1 && lean <= 1) return;
    const int heavy = lean > 0 ? 1 : 0;
    Ref<Node>& branch = node->child[heavy];
    if (height(branch->child[1 - heavy]) > height(branch->child[heavy])) {
        own(branch);
        rotate(branch, heavy);
    }
    rotate(node, 1 - heavy);
}

void EntryList::insert(Ref<Node>& node, const Ref<const Entry>& entry) {
    if (!node) {
        node = make(entry);
        return;
    }
    own(node);
    if (before(*entry, *node->entry)) {
        insert(node->child[0], entry);
    } else if (before(*node->entry, *entry)) {
        insert(node->child[1], entry);
    } else {
        node->entry = entry;
        return;
    }
    balance(node);
}

Ref<const Entry> EntryList::pop_first(Ref<Node>& node) {
    own(node);
    if (!node->child[0]) {
        Ref<const Entry> entry = node->entry;
        Ref<Node> rest = std::move(node->child[1]);
        node = std::move(rest);
        return entry;
    }
    Ref<const Entry> entry = pop_first(node->child[0]);
    balance(node);
    return entry;
}

bool EntryList::erase(Ref<Node>& node, const Entry& entry) {
    own(node);
    if (before(entry, *node->entry)) {
        erase(node->child[0], entry);
    } else if (before(*node->entry, entry)) {
        erase(node->child[1], entry);
    } else if (!node->child[1]) {
        Ref<Node> rest = std::move(node->child[0]);
        node = std::move(rest);
        return true;
    } else {
        node->entry = pop_first(node->child[1]);
    }
    balance(node);
    return true;
}

}  // namespace gateway::route
