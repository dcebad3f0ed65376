#include "libgateway/sources/document.hpp"

#include <algorithm>

#include "libgateway/sources/order_keys.hpp"

namespace gateway::sources {

namespace {

bool in_order(const ObjectPtr& a, const ObjectPtr& b) noexcept {
    if (a->kind != b->kind) return a->kind < b->kind;
    return a->order != b->order ? a->order < b->order : a->id < b->id;
}

}  // namespace

ObjectPtr make_object(config::Kind kind, std::string id, std::uint64_t order, std::string json, json::Position where) {
    auto object = std::make_shared<Object>(Object{kind, std::move(id), order, std::move(json), {}, where});
    object->hash = config::hash_of(change_of(*object));
    return object;
}

config::Change change_of(const Object& object, bool removed) {
    return {object.kind, removed, object.id, removed ? 0 : object.order,
            removed ? std::string_view() : std::string_view(object.json)};
}

ObjectPtr Document::put(ObjectPtr object) {
    const config::Kind kind = object->kind;
    auto& last = last_order_[static_cast<std::size_t>(kind)];
    last = std::max(last, object->order);
    digest_.add(object->hash);
    const auto found = of(kind).find(object->id);
    if (found == of(kind).end()) {
        std::string id = object->id;
        of(kind).emplace(std::move(id), std::move(object));
        return nullptr;
    }
    std::swap(found->second, object);
    digest_.remove(object->hash);
    return object;
}

ObjectPtr Document::erase(config::Kind kind, std::string_view id) {
    const auto found = of(kind).find(id);
    if (found == of(kind).end()) return nullptr;
    ObjectPtr gone = std::move(found->second);
    of(kind).erase(found);
    digest_.remove(gone->hash);
    return gone;
}

ObjectPtr Document::find(config::Kind kind, std::string_view id) const {
    const auto found = of(kind).find(id);
    return found == of(kind).end() ? nullptr : found->second;
}

std::size_t Document::size() const noexcept {
    std::size_t total = 0;
    for (const Objects& kind : objects_) total += kind.size();
    return total;
}

std::uint64_t Document::next_order(config::Kind kind) const noexcept {
    return last_order_[static_cast<std::size_t>(kind)] + order_gap;
}

std::vector<ObjectPtr> Document::objects() const {
    std::vector<ObjectPtr> all;
    all.reserve(size());
    for (const Objects& kind : objects_) {
        for (const auto& entry : kind) all.push_back(entry.second);
    }
    std::sort(all.begin(), all.end(), in_order);
    return all;
}

std::vector<ObjectPtr> Document::objects(config::Kind kind) const {
    std::vector<ObjectPtr> all;
    all.reserve(size(kind));
    for (const auto& entry : of(kind)) all.push_back(entry.second);
    return all;
}

std::vector<config::Change> diff(const Document& before, const Document& after) {
    std::vector<config::Change> changes;
    std::vector<ObjectPtr> made;
    for (std::size_t kind = 0; kind < config::kind_count; ++kind) {
        for (const auto& [id, object] : before.objects_[kind]) {
            if (after.objects_[kind].find(id) == after.objects_[kind].end())
                changes.push_back(change_of(*object, true));
        }
        for (const auto& [id, object] : after.objects_[kind]) {
            const auto old = before.objects_[kind].find(id);
            if (old == before.objects_[kind].end() || old->second->hash != object->hash) made.push_back(object);
        }
    }
    std::sort(made.begin(), made.end(), in_order);
    for (const ObjectPtr& object : made) changes.push_back(change_of(*object));
    return changes;
}

}  // namespace gateway::sources
