// Which consumer or credential object holds which credential key, so that no two have the same.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "libgateway/base/hash.hpp"
#include "libgateway/json/value.hpp"

namespace gateway::sources {

// Control's side; workers keep an index of their own. Every question costs the same whatever the number of consumers.
class CredentialIndex {
public:
    struct Key {
        std::string attribute, value;
    };
    // Of an entry in `plugins`; nothing if it is no credential, or its key is a reference to a secret.
    using KeyOf = std::function<std::optional<Key>(std::string_view plugin, const json::Value& entry)>;

    explicit CredentialIndex(KeyOf key_of = {}) : key_of_(std::move(key_of)) {}
    // What `base` knows, to be changed without changing it; costs what is changed. `base` must outlive it unchanged.
    static CredentialIndex over(const CredentialIndex& base);
    // The object holds nothing any more, whatever `base` says.
    void hide(std::string_view id) { hidden_.emplace(id); }

    // `id` is that of the object: "jack" or "jack/credentials/c1".
    void add(std::string_view id, const json::Value& object);
    void remove(std::string_view id, const json::Value& object);
    // "duplicate key of plugin key-auth found with consumer: jack" if writing the object would make two of one key;
    // empty otherwise.
    std::string conflict(std::string_view id, const json::Value& object) const;

private:
    struct KeyHash {
        std::size_t operator()(const Hash128& key) const noexcept { return key.low; }
    };
    template <class Each>
    void each_key(const json::Value& object, Each&& each) const;

    KeyOf key_of_;
    // Who holds that key and is not `id`, nor a credential of it; null: nobody.
    const std::string* other_owner(std::string_view id, const Hash128& hash) const;

    std::unordered_multimap<Hash128, std::string, KeyHash> owners_;  // of plugin and key
    const CredentialIndex* base_ = nullptr;
    std::unordered_set<std::string> hidden_;  // of base_
};

}  // namespace gateway::sources
