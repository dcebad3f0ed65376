// Consumers, credentials and groups as a snapshot keeps them: found by name and by credential key, merged when asked.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/config/delta.hpp"
#include "libgateway/plugin/chain.hpp"
#include "libgateway/plugin/consumer.hpp"
#include "libgateway/route/persistent_map.hpp"
#include "libgateway/snapshot/objects.hpp"

namespace gateway {

// A consumer as requests see it, with the text of what it overrides.
class StoredConsumer final : public Consumer {
public:
    OverrideText overrides;
    std::uint64_t version = next_version();
};

// One credential key of one auth plugin.
struct LoginEntry : RefCounted {
    Ref<const Credential> credential;
    Ref<const StoredConsumer> consumer;  // null: of a credential object, `username` names its consumer
    std::string username;
    std::uint64_t order = 0;  // of the object; of two with one key the higher counts
    std::uint8_t slot = 0;
    std::string_view key() const noexcept { return credential->key(); }
    bool has_key(std::string_view key) const noexcept;  // in a time that does not tell where they differ
};

// A consumer object, or a credential object.
struct ConsumerObject : RefCounted {
    std::string id;
    Stamp stamp;
    Ref<const StoredConsumer> consumer;  // null: a credential object
    std::vector<Ref<const LoginEntry>> logins;
    std::string_view key() const noexcept { return id; }
};
// Control has checked the text; what cannot be used throws config::Error. A credential whose key is a secret that does
// not resolve is left out and reported in the error log.
Ref<ConsumerObject> read_consumer(const config::Change& change, const Hash128& hash);

// Credential keys of all auth plugins. Copies share everything, a change costs O(depth).
class LoginIndex {
public:
    void add(const Ref<const LoginEntry>& login);
    void remove(const LoginEntry& login);
    // Null if there is none.
    const LoginEntry* find(std::uint8_t slot, std::string_view key) const;
    bool empty(std::uint8_t slot) const noexcept { return slot >= slots || winners_[slot].empty(); }

private:
    static constexpr std::size_t slots = 16;
    // Keys that several objects hold: all but the one that counts.
    struct Contested : RefCounted {
        std::string place;
        std::vector<Ref<const LoginEntry>> others;
        std::string_view key() const noexcept { return place; }
    };
    void contest(const Ref<const LoginEntry>& loser);
    bool withdraw(const LoginEntry& login);
    Ref<const LoginEntry> best_of_others(const LoginEntry& gone);

    std::array<PersistentMap<LoginEntry>, slots> winners_;
    PersistentMap<Contested> contested_;
};

// How many consumers and groups name each plugin, auth plugins left out: the set N of objects.md 6.3.
class OverriddenNames {
public:
    // Takes the names in a `plugins` text in, or out again. True if the set changed.
    bool add(std::string_view plugins);
    bool remove(std::string_view plugins);
    bool has(std::string_view plugin) const { return names_.find(plugin) != nullptr; }

private:
    struct Name : RefCounted {
        std::string name;
        std::size_t count = 0;
        std::string_view key() const noexcept { return name; }
    };
    PersistentMap<Name> names_;
};

}  // namespace gateway
