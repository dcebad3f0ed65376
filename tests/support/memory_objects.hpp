// The objects behind an Admin API under test: in memory, with a clock that the test moves.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "libgateway/admin/objects.hpp"
#include "libgateway/admin/secret_fields.hpp"
#include "libgateway/base/clock.hpp"
#include "libgateway/config/consumer_objects.hpp"
#include "libgateway/sources/check.hpp"
#include "libgateway/sources/secrets.hpp"

namespace gateway::test {

class MemoryObjects final : public admin::Objects {
public:
    MemoryObjects() { use_key("0123456789abcdef0123456789abcdef"); }
    // What was encrypted before is not readable any more.
    void forget_keys() { use_key("fedcba9876543210fedcba9876543210"); }

    store::StoredPtr find(config::Kind kind, std::string_view id) const override {
        const auto found = objects_.find({kind, std::string(id)});
        return found == objects_.end() || gone(*found->second) ? nullptr : found->second;
    }
    void each(config::Kind kind, const Each& each) const override {
        for (const auto& [key, object] : objects_) {
            if (key.first == kind && !gone(*object) && !each(object)) return;
        }
    }
    std::string defined_at(config::Kind kind, std::string_view id) const override {
        const auto found = owned.find({kind, std::string(id)});
        return found == owned.end() ? std::string() : found->second;
    }
    std::string credential_conflict(std::string_view id, const json::Value& object) const override {
        sources::CredentialIndex index(sources::program_rules().credential_key);
        each(config::Kind::consumer, [&](const store::StoredPtr& other) {
            json::Value value = json::parse(other->json);
            admin::open_secrets(config::Kind::consumer, other->id, value, keyring_.get());
            index.add(other->id, value);
            return true;
        });
        return index.conflict(id, object);
    }
    std::string user_of(config::Kind kind, std::string_view id, config::Kind user, sources::Use use) const override {
        sources::ReferenceIndex index;
        each(user, [&](const store::StoredPtr& other) {
            index.add(user, other->id, json::parse(other->json));
            return true;
        });
        return index.first_user(kind, id, user, use);
    }
    sources::CheckRules rules() const override {
        sources::CheckRules rules = sources::program_rules();
        rules.enabled_plugins = enabled_plugins;
        return rules;
    }
    std::shared_ptr<const keyring::Keyring> keyring() const override { return keyring_; }
    std::string closed() const override { return closed_because; }
    std::uint64_t revision() const override { return revision_; }

    boost::asio::awaitable<store::Written> write(std::vector<store::Edit> edits, store::Author author) override {
        authors.push_back(std::move(author));
        if (before_write) std::exchange(before_write, {})();
        for (store::Edit& edit : edits) {
            if (!edit.json || !keyring_) continue;
            json::Value value = json::parse(*edit.json);
            sources::seal_item(edit.kind, edit.id, value, *keyring_);
            edit.json = json::write(value);
        }
        store::Written written = next_answer;
        if (written.status == store::WriteStatus::ok) written = apply(edits);
        written.lagging = next_answer.lagging;
        co_return written;
    }

    // What is written by others.
    void put(config::Kind kind, const std::string& id, const std::string& json) {
        apply({store::Edit{kind, id, json, std::nullopt, 0}});
    }
    const std::string& text(config::Kind kind, const std::string& id) const { return objects_.at({kind, id})->json; }

    std::map<std::pair<config::Kind, std::string>, std::string> owned;
    std::optional<std::vector<std::string>> enabled_plugins;
    std::string closed_because;
    std::function<void()> before_write;  // once
    store::Written next_answer;          // other than `ok`: instead of writing
    std::int64_t later_ms = 0;           // how far the clock has been moved
    std::vector<store::Author> authors;

private:
    using Key = std::pair<config::Kind, std::string>;
    void use_key(std::string_view key) {
        auto ring = std::make_shared<keyring::Keyring>();
        ring->add(key, keyring::Keyring::Use::both, "test");
        keyring_ = std::move(ring);
    }
    bool gone(const store::Stored& object) const {
        return object.expires_ms != 0 && object.expires_ms <= wall_ms() + later_ms;
    }
    store::Written apply(const std::vector<store::Edit>& edits) {
        store::Written written;
        for (const store::Edit& edit : edits) {
            const store::StoredPtr before = find(edit.kind, edit.id);
            if (!edit.expected || *edit.expected == (before ? before->modified : 0)) continue;
            written.status = store::WriteStatus::conflict;
            return written;
        }
        written.revision = ++revision_;
        for (const store::Edit& edit : edits) {
            const Key key{edit.kind, edit.id};
            const store::StoredPtr before = find(edit.kind, edit.id);
            if (!edit.json) {
                objects_.erase(key);
                if (edit.kind != config::Kind::consumer) continue;
                std::erase_if(objects_, [&](const auto& one) {
                    const auto name = config::credential_name(one.first.second);
                    return one.first.first == config::Kind::consumer && name && name->username == edit.id;
                });
                continue;
            }
            auto object = std::make_shared<store::Stored>();
            object->kind = edit.kind;
            object->id = edit.id;
            object->json = *edit.json;
            object->created = before ? before->created : revision_;
            object->modified = revision_;
            object->expires_ms = edit.expires_ms;
            objects_[key] = object;
            written.objects.push_back(std::move(object));
        }
        return written;
    }

    std::map<Key, store::StoredPtr> objects_;
    std::shared_ptr<const keyring::Keyring> keyring_;
    std::uint64_t revision_ = 40;
};

}  // namespace gateway::test
