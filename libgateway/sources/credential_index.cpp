#include "libgateway/sources/credential_index.hpp"

#include "libgateway/config/consumer_objects.hpp"

namespace gateway::sources {

namespace {

// An object may repeat what it holds itself; a consumer also what its own credentials hold.
bool may_share(std::string_view writer, std::string_view owner) noexcept {
    if (writer == owner) return true;
    const auto credential = config::credential_name(owner);
    return credential && credential->username == writer;
}

std::string owner_text(std::string_view owner) {
    const auto credential = config::credential_name(owner);
    if (!credential) return "consumer: " + std::string(owner);
    return "credential: " + std::string(credential->id) + " of consumer: " + std::string(credential->username);
}

}  // namespace

template <class Each>
void CredentialIndex::each_key(const json::Value& object, Each&& each) const {
    const json::Value* plugins = object.find("plugins");
    if (!plugins || !key_of_) return;
    for (const json::Member& entry : plugins->members()) {
        const std::optional<Key> key = key_of_(entry.key, entry.value);
        if (!key) continue;
        std::string identity = entry.key;
        identity.append(1, '\0').append(key->value);
        each(entry.key, *key, hash128(identity));
    }
}

void CredentialIndex::add(std::string_view id, const json::Value& object) {
    each_key(object, [&](std::string_view, const Key&, const Hash128& hash) { owners_.emplace(hash, id); });
}

void CredentialIndex::remove(std::string_view id, const json::Value& object) {
    each_key(object, [&](std::string_view, const Key&, const Hash128& hash) {
        auto [at, end] = owners_.equal_range(hash);
        while (at != end && at->second != id) ++at;
        if (at != end) owners_.erase(at);
    });
}

std::string CredentialIndex::conflict(std::string_view id, const json::Value& object) const {
    std::string text;
    each_key(object, [&](std::string_view plugin, const Key& key, const Hash128& hash) {
        const std::string* owner = text.empty() ? other_owner(id, hash) : nullptr;
        if (!owner) return;
        text = "duplicate " + key.attribute + " of plugin " + std::string(plugin) + " found with " + owner_text(*owner);
    });
    return text;
}

const std::string* CredentialIndex::other_owner(std::string_view id, const Hash128& hash) const {
    const auto [first, last] = owners_.equal_range(hash);
    for (auto owner = first; owner != last; ++owner) {
        if (!may_share(id, owner->second)) return &owner->second;
    }
    if (!base_) return nullptr;
    const auto [older, end] = base_->owners_.equal_range(hash);
    for (auto owner = older; owner != end; ++owner) {
        if (hidden_.count(owner->second) == 0 && !may_share(id, owner->second)) return &owner->second;
    }
    return nullptr;
}

CredentialIndex CredentialIndex::over(const CredentialIndex& base) {
    CredentialIndex index(base.key_of_);
    index.base_ = &base;
    return index;
}

}  // namespace gateway::sources
