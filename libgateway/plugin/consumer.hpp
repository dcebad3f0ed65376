// Whom a request is made for: consumers, their credentials, and the directory where auth plugins look them up.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "libgateway/base/ref_counted.hpp"

namespace gateway {

class Chain;
struct UpstreamChoice;
namespace upstream {
class Upstream;
}

// Immutable; shared by snapshots, pinned by the exchanges that it is attached to. One worker.
class Consumer : public RefCounted {
public:
    virtual ~Consumer() = default;
    std::string username;
    std::string group_id, custom_id;  // empty: none
};

// What an auth plugin keeps of one credential: CredentialOf<P> holds a P::Credential.
class CredentialSettings {
public:
    virtual ~CredentialSettings() = default;
};

// One entry of an auth plugin, on a consumer or in a credential object. Immutable but for its settings, which are made
// of their text when they are first asked for.
class Credential : public RefCounted {
public:
    // Throws config::Error if the settings cannot be used.
    using Build = std::unique_ptr<const CredentialSettings> (*)(std::string_view json);

    Credential(std::string key, std::string id, std::string json, std::string_view plugin, Build build)
        : key_(std::move(key)), id_(std::move(id)), json_(std::move(json)), plugin_(plugin), build_(build) {}

    std::string_view key() const noexcept { return key_; }        // by which it is found; references are resolved
    std::string_view id() const noexcept { return id_; }          // of the credential object; empty: on the consumer
    std::string_view plugin() const noexcept { return plugin_; }  // name of the auth plugin
    // Null, with one line in the error log, if a secret does not resolve or the settings cannot be used: whoever asks
    // must treat it as if there were no such credential.
    const CredentialSettings* settings() const noexcept;

private:
    std::string key_, id_;
    mutable std::string json_;  // until built
    std::string_view plugin_;
    Build build_;
    mutable bool built_ = false;
    mutable std::unique_ptr<const CredentialSettings> settings_;
};

// Where a key leads.
struct Login {
    Ref<const Consumer> consumer;
    Ref<const Credential> credential;
    explicit operator bool() const noexcept { return static_cast<bool>(consumer); }
};

// What comes of a route's chain and a consumer's entries.
struct Merged;

// All consumers of one snapshot, and what else of it plugins may ask for. Look-ups cost a hash and no allocation.
class ConsumerDirectory {
public:
    static constexpr std::uint8_t no_slot = 255;

    virtual ~ConsumerDirectory() = default;
    // `slot` is the auth plugin's (auth_slot<P>()).
    virtual Login find_login(std::uint8_t slot, std::string_view key) const noexcept = 0;
    virtual Ref<const Consumer> find_consumer(std::string_view username) const noexcept = 0;
    // Whether any consumer has credentials of that plugin; for messages.
    virtual bool has_logins(std::uint8_t slot) const noexcept = 0;
    // The chain of a route with the entries of that consumer and of its group, or why there is none.
    virtual Merged merge(const Ref<const Chain>& route, const Consumer& consumer) const noexcept = 0;
    // What a plugin's choice comes to; null, with the reason in the log, if it cannot be had. A comparison of two
    // numbers while nothing that routes refer to changed.
    virtual const upstream::Upstream* upstream_for(const UpstreamChoice&) const noexcept { return nullptr; }
    // One without consumers.
    static const ConsumerDirectory& none() noexcept;
};

}  // namespace gateway
