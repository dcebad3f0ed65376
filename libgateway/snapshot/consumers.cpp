#include "libgateway/snapshot/consumers.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "libgateway/base/log.hpp"
#include "libgateway/config/consumer_objects.hpp"
#include "libgateway/config/errors.hpp"
#include "libgateway/config/secret_reference.hpp"
#include "libgateway/plugin/meta.hpp"
#include "libgateway/plugin/registry.hpp"

namespace gateway {

namespace {

json::Value parse_plain(std::string_view text) {
    json::Limits limits;
    limits.positions = false;
    return json::parse(text, limits);
}

std::string text_of(const json::Value& value, std::string_view member) {
    const json::Value* found = value.find(member);
    if (!found) return {};
    return found->is_number() ? found->number() : found->string();
}

// The key of a credential with its secret resolved; empty optional, with a line in the log, if it does not resolve.
std::optional<std::string> key_of(const PluginType& type, const json::Value& entry, std::string_view object) {
    const json::Value* written = entry.find(type.credential_key);
    std::string key = written ? written->string() : std::string(), why = "it has no key";
    if (written && !config::is_secret_reference(key)) return key;
    std::optional<std::string> secret = written ? config::resolve_secret(key, why) : std::nullopt;
    if (secret) return secret;
    log::error("failed to resolve secret reference: {}, field: {}, err: {}; consumers/{} is left out of {}", key,
               type.credential_key, why, object, type.name);
    return std::nullopt;
}

// Entries of auth plugins become logins; the others are returned.
json::Value take_logins(const json::Value& plugins, std::string_view username, std::string_view credential_id,
                        std::uint64_t order, ConsumerObject& object) {
    json::Value others = json::Value::object();
    for (const json::Member& member : plugins.members()) {
        const PluginType* type = plugin_registry().find(member.key);
        if (!type || !type->is_auth) {
            if (credential_id.empty()) others.make_object().push_back({member.key, member.value, {}});
            continue;
        }
        if (!type->build_credential || is_disabled(member.value)) continue;
        auto key = key_of(*type, member.value, object.id);
        if (!key) continue;
        const Ref<LoginEntry> login = make_ref<LoginEntry>();
        login->credential = make_ref<Credential>(std::move(*key), std::string(credential_id), json::write(member.value),
                                                 type->name, type->build_credential);
        login->consumer = object.consumer;
        if (!login->consumer) login->username = username;
        login->order = order;
        login->slot = type->auth_slot;
        object.logins.emplace_back(login);
    }
    return others;
}

void read_into(const json::Value& value, const config::Change& change, ConsumerObject& object) {
    static const json::Value none = json::Value::object();
    const json::Value* found = value.find("plugins");
    const json::Value& plugins = found && found->is_object() ? *found : none;
    if (const auto name = config::credential_name(change.id)) {
        take_logins(plugins, name->username, name->id, change.order, object);
        return;
    }
    const Ref<StoredConsumer> consumer = make_ref<StoredConsumer>();
    consumer->username = std::string(change.id);
    consumer->group_id = text_of(value, "group_id");
    if (const json::Value* labels = value.find("labels")) consumer->custom_id = text_of(*labels, "custom_id");
    object.consumer = consumer;
    const json::Value others = take_logins(plugins, {}, {}, change.order, object);
    if (others.size() != 0) consumer->overrides.json = json::write(others);
}

std::string place_of(const LoginEntry& login) {
    return std::string(1, static_cast<char>(login.slot)).append(login.key());
}

}  // namespace

Ref<ConsumerObject> read_consumer(const config::Change& change, const Hash128& hash) {
    try {
        const json::Value value = parse_plain(change.json);
        if (!value.is_object()) throw config::Error("expected an object");
        Ref<ConsumerObject> object = make_ref<ConsumerObject>();
        object->id = std::string(change.id);
        object->stamp.hash = hash;
        read_into(value, change, *object);
        return object;
    } catch (const std::exception& problem) {
        throw config::Error(fmt::format("consumers/{}: {}", change.id, problem.what()));
    }
}

bool LoginEntry::has_key(std::string_view given) const noexcept {
    const std::string_view own = key();
    if (own.size() != given.size()) return false;
    unsigned difference = 0;
    for (std::size_t i = 0; i < own.size(); ++i) difference |= static_cast<unsigned char>(own[i] ^ given[i]);
    return difference == 0;
}

const LoginEntry* LoginIndex::find(std::uint8_t slot, std::string_view key) const {
    return slot < slots ? winners_[slot].find(key) : nullptr;
}

void LoginIndex::add(const Ref<const LoginEntry>& login) {
    if (login->slot >= slots) return;
    PersistentMap<LoginEntry>& map = winners_[login->slot];
    const Ref<const LoginEntry> present(map.find(login->key()));
    if (present && present->order > login->order) return contest(login);
    map.set(login);
    if (present) contest(present);
}

void LoginIndex::remove(const LoginEntry& login) {
    if (login.slot >= slots) return;
    PersistentMap<LoginEntry>& map = winners_[login.slot];
    if (map.find(login.key()) != &login) {
        withdraw(login);
        return;
    }
    const Ref<const LoginEntry> gone(&login);
    map.erase(login.key());
    if (contested_.empty()) return;
    const Ref<const LoginEntry> next = best_of_others(login);
    if (!next) return;
    withdraw(*next);
    map.set(next);
}

void LoginIndex::contest(const Ref<const LoginEntry>& loser) {
    const std::string place = place_of(*loser);
    const Contested* present = contested_.find(place);
    const Ref<Contested> changed = present ? make_ref<Contested>(*present) : make_ref<Contested>();
    changed->place = place;
    changed->others.push_back(loser);
    contested_.set(changed);
}

// Takes it out of those that do not count; false if it is none of them.
bool LoginIndex::withdraw(const LoginEntry& login) {
    const std::string place = place_of(login);
    const Contested* present = contested_.find(place);
    if (!present) return false;
    const Ref<Contested> changed = make_ref<Contested>(*present);
    std::erase_if(changed->others, [&](const auto& other) { return other.get() == &login; });
    if (changed->others.empty()) {
        contested_.erase(place);
    } else {
        contested_.set(changed);
    }
    return true;
}

Ref<const LoginEntry> LoginIndex::best_of_others(const LoginEntry& gone) {
    const Contested* present = contested_.find(place_of(gone));
    if (!present) return {};
    return *std::max_element(present->others.begin(), present->others.end(),
                             [](const auto& a, const auto& b) { return a->order < b->order; });
}

bool OverriddenNames::add(std::string_view plugins) {
    bool changed = false;
    if (plugins.empty()) return changed;
    const json::Value parsed = parse_plain(plugins);
    for (const json::Member& member : parsed.members()) {
        if (is_auth_plugin(member.key)) continue;
        const Name* present = names_.find(member.key);
        const Ref<Name> counted = make_ref<Name>();
        counted->name = member.key;
        counted->count = present ? present->count + 1 : 1;
        changed = changed || !present;
        names_.set(counted);
    }
    return changed;
}

bool OverriddenNames::remove(std::string_view plugins) {
    bool changed = false;
    if (plugins.empty()) return changed;
    const json::Value parsed = parse_plain(plugins);
    for (const json::Member& member : parsed.members()) {
        const Name* present = is_auth_plugin(member.key) ? nullptr : names_.find(member.key);
        if (!present) continue;
        if (present->count == 1) {
            names_.erase(member.key);
            changed = true;
            continue;
        }
        const Ref<Name> counted = make_ref<Name>(*present);
        --counted->count;
        names_.set(counted);
    }
    return changed;
}

}  // namespace gateway
