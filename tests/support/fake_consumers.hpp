// A directory of consumers for tests of auth plugins: FakeExchange shows it to the plugins.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "libgateway/config/secret_reference.hpp"
#include "libgateway/plugin/registry.hpp"
#include "libgateway/plugin/rewrite_phase.hpp"

namespace gateway::test {

// What a consumer is beyond its name.
struct ConsumerLabels {
    std::string group_id{}, custom_id{};
};

class FakeConsumers final : public ConsumerDirectory {
public:
    // `plugins` is JSON: auth plugin to credential. The keys are resolved as snapshots do it.
    FakeConsumers& add(const std::string& username, std::string_view plugins, const ConsumerLabels& labels = {}) {
        Consumer& made = *consumers_.insert_or_assign(username, make_ref<Consumer>()).first->second;
        made.username = username;
        made.group_id = labels.group_id;
        made.custom_id = labels.custom_id;
        add_logins(username, "", plugins);
        return *this;
    }
    FakeConsumers& add_credential(const std::string& username, const std::string& id, std::string_view plugins) {
        add_logins(username, id, plugins);
        return *this;
    }

    Login find_login(std::uint8_t slot, std::string_view key) const noexcept override {
        const auto found = logins_.find({slot, std::string(key)});
        return found == logins_.end() ? Login() : found->second;
    }
    Ref<const Consumer> find_consumer(std::string_view username) const noexcept override {
        const auto found = consumers_.find(std::string(username));
        return found == consumers_.end() ? Ref<const Consumer>() : Ref<const Consumer>(found->second);
    }
    bool has_logins(std::uint8_t slot) const noexcept override {
        const auto found = logins_.lower_bound({slot, ""});
        return found != logins_.end() && found->first.first == slot;
    }

    // What a consumer overrides; kept whatever happens to the route's chain.
    FakeConsumers& override_with(const std::string& username, std::vector<Override> overrides) {
        overrides_[username] = std::move(overrides);
        return *this;
    }
    Merged merge(const Ref<const Chain>& route, const Consumer& consumer) const noexcept override {
        const auto found = overrides_.find(consumer.username);
        if (consumer.group_id == "missing") return {Merged::Outcome::no_group, {}};
        return {Merged::Outcome::ok, found == overrides_.end() ? route : route->merge(found->second)};
    }

private:
    void add_logins(const std::string& username, const std::string& id, std::string_view plugins) {
        const json::Value entries = json::parse(plugins);
        for (const json::Member& entry : entries.members()) {
            const PluginType* type = plugin_registry().find(entry.key);
            if (!type || !type->build_credential) continue;
            std::string why;
            std::string key = entry.value.find(type->credential_key)->string();
            if (config::is_secret_reference(key)) {
                const auto secret = config::resolve_secret(key, why);
                if (!secret) continue;
                key = *secret;
            }
            const auto credential =
                make_ref<Credential>(key, id, json::write(entry.value), type->name, type->build_credential);
            logins_[{type->auth_slot, key}] = {consumers_.at(username), credential};
        }
    }

    std::map<std::string, Ref<Consumer>> consumers_;
    std::map<std::string, std::vector<Override>> overrides_;
    std::map<std::pair<std::uint8_t, std::string>, Login> logins_;
};

}  // namespace gateway::test
