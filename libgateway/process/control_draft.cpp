#include "libgateway/process/control_draft.hpp"

#include <fmt/format.h>

#include <set>
#include <unordered_map>

#include "libgateway/base/clock.hpp"
#include "libgateway/config/consumer_objects.hpp"
#include "libgateway/plugin/shared_groups.hpp"
#include "libgateway/process/control_plugins.hpp"
#include "libgateway/sources/document_reader.hpp"
#include "libgateway/sources/secrets.hpp"

namespace gateway::process {

using config::Kind;
using sources::ObjectPtr;
using store::WriteStatus;
using Key = Catalogue::Key;
using Shelved = Catalogue::Shelved;

namespace {

constexpr std::size_t most_errors = 100;

std::string name_of(const Key& key) {
    return fmt::format("{} [{}]", config::kind_name(key.first), key.second);
}

bool same(const ObjectPtr& a, const ObjectPtr& b) noexcept {
    return a == b || (a && b && a->hash == b->hash);
}

// Consumers and metadata are named otherwise.
void add_id(Kind kind, const std::string& id, json::Value& object) {
    const bool otherwise = kind == Kind::consumer || kind == Kind::plugin_metadata;
    if (!otherwise && !object.find("id")) object.set("id", json::Value(id));
}

// Makes the draft, edit by edit.
class Drafting {
public:
    Drafting(const Catalogue& in_force, const std::vector<store::Edit>& edits, Owned owned)
        : in_force_(in_force),
          edits_(edits),
          owned_(owned),
          rules_(rules_for(in_force.settings(), in_force.keyring())) {
        rules_.enabled_plugins = enabled_plugins(in_force.document(), in_force.settings());
        for (const store::Edit& edit : edits) wanted_[{edit.kind, edit.id}] = edit.json.has_value();
        next_order_ = in_force.next_order();
    }

    void keep_broken_certificates() noexcept { rules_.keep_broken_certificates = true; }

    Draft run() {
        if (!in_force_.keyring()) {
            refuse(WriteStatus::refused,
                   "encrypted fields cannot be read: the keyring is not known until the static file is good");
            return std::move(draft_);
        }
        for (const store::Edit& edit : edits_) {
            if (draft_.errors.size() < most_errors) take(edit);
        }
        if (draft_.errors.empty()) check_together();
        draft_.after = in_force_.document().digest();
        for (const Draft::Step& step : draft_.steps) {
            if (step.before.object) draft_.after.remove(step.before.object->hash);
            if (step.after.object) draft_.after.add(step.after.object->hash);
        }
        return std::move(draft_);
    }

private:
    void refuse(WriteStatus status, std::string error) {
        if (draft_.errors.empty()) draft_.status = status;
        draft_.errors.push_back(std::move(error));
    }
    void take(const store::Edit& edit) {
        const Key key{edit.kind, edit.id};
        if (!config::is_listed(edit.kind))
            return refuse(WriteStatus::refused, "objects of this kind cannot be written");
        if (const ObjectPtr defined = in_force_.file().find(edit.kind, edit.id)) {
            if (owned_ == Owned::pass_over_same && says_the_same(edit, *defined)) return;
            const std::string place = in_force_.place_of(edit.kind, edit.id);
            return refuse(WriteStatus::owned, fmt::format("{} is defined in {}", name_of(key), place));
        }
        Draft::Step& step = step_of(key);
        // A consumer that goes has taken this one along.
        if (!edit.json && step.before.there() && !step.after.there()) return;
        const std::uint64_t has = step.after.stored ? step.after.stored->modified : 0;
        if (edit.expected && *edit.expected != has) {
            const std::string now = step.after.there() ? fmt::format("has revision {}", has) : "does not exist";
            return refuse(WriteStatus::conflict, fmt::format("{} {}, expected {}", name_of(key), now, *edit.expected));
        }
        if (edit.expected && !step.expected) step.expected = edit.expected;
        edit.json ? put(edit, step) : remove(key, step);
    }
    Draft::Step& step_of(const Key& key) {
        const auto [found, fresh] = places_.emplace(key, draft_.steps.size());
        if (!fresh) return draft_.steps[found->second];
        const auto shelved = in_force_.shelf().find(key);
        Shelved before = shelved == in_force_.shelf().end() ? Shelved() : shelved->second;
        before.object = in_force_.document().find(key.first, key.second);
        return draft_.steps.emplace_back(Draft::Step{key, before, before, std::nullopt, nullptr});
    }
    bool exists(Kind kind, std::string_view id) const {
        if (const auto found = wanted_.find({kind, std::string(id)}); found != wanted_.end()) return found->second;
        return in_force_.document().find(kind, id) != nullptr;
    }

    void remove(const Key& key, Draft::Step& step) {
        if (!step.after.there()) return refuse(WriteStatus::refused, name_of(key) + " does not exist");
        step.after = {};
        step.fresh.reset();
        if (key.first != Kind::consumer || config::credential_name(key.second)) return;
        // A consumer takes its credentials with it, but for those that the route file owns.
        const std::string first = key.second + "/credentials/";
        const Catalogue::Shelf& shelf = in_force_.shelf();
        for (auto one = shelf.lower_bound({Kind::consumer, first});
             one != shelf.end() && one->first.first == Kind::consumer && one->first.second.starts_with(first); ++one) {
            if (!in_force_.file().find(Kind::consumer, one->first.second)) step_of(one->first).after = {};
        }
    }

    bool says_the_same(const store::Edit& edit, const sources::Object& defined) const {
        if (!edit.json) return false;
        config::Diagnostics found;
        const sources::Exists exists = [this](Kind kind, std::string_view id) { return this->exists(kind, id); };
        const auto checked = sources::check_object(edit.kind, edit.id, *edit.json, "put", rules_, exists, found);
        const sources::CheckedObject own{{}, json::parse(defined.json)};
        return checked && object_for_workers(edit.kind, edit.id, 0, *checked)->hash ==
                              object_for_workers(edit.kind, edit.id, 0, own)->hash;
    }

    void put(const store::Edit& edit, Draft::Step& step) {
        config::Diagnostics found;
        const sources::Exists exists = [this](Kind kind, std::string_view id) { return this->exists(kind, id); };
        auto checked = sources::check_object(edit.kind, edit.id, *edit.json, "put", rules_, exists, found);
        for (const config::Diagnostic& one : found.list()) {
            if (one.severity == config::Severity::warning) draft_.warnings.push_back(one.text());
            if (one.severity == config::Severity::error) refuse(WriteStatus::refused, one.text());
        }
        if (!checked) return;
        if (config::is_idle(edit.kind) && idle_.insert(edit.kind).second)
            draft_.warnings.push_back(fmt::format("{}: {}", config::list_name(edit.kind), sources::idle_note));
        Shelved made;
        made.order = edit.rank != 0 ? edit.rank : step.before.there() ? step.before.order : next_order_++;
        made.object = object_for_workers(edit.kind, edit.id, made.order, *checked);
        step.fresh = std::make_shared<store::Stored>(stored_form(edit, checked->written, step.before));
        made.stored = step.fresh;
        step.after = std::move(made);
        step.keeps_end = edit.keeps_end;
    }

    store::Stored stored_form(const store::Edit& edit, json::Value& written, const Shelved& before) const {
        add_id(edit.kind, edit.id, written);
        // Of a credential the last part, as the reference writes it.
        const auto credential = edit.kind == Kind::consumer ? config::credential_name(edit.id) : std::nullopt;
        if (credential && written.find("id")) written.set("id", credential->id);
        written.erase("modifiedIndex");
        const std::int64_t now = wall_ms() / 1000;
        if (!written.find("create_time")) {
            const json::Value* first = nullptr;
            json::Value old;
            if (before.stored) old = json::parse(before.stored->json);
            first = old.find("create_time");
            written.set("create_time", first ? *first : json::Value(now));
        }
        if (!written.find("update_time")) written.set("update_time", json::Value(now));
        sources::seal_item(edit.kind, edit.id, written, *in_force_.keyring());
        return {edit.kind, edit.id, json::write(written), 0, 0, edit.expires_ms};
    }

    // What concerns more than one object, with all of the edits in place.
    void check_together() {
        bool groups = false;
        std::size_t consumers = 0;
        for (const Draft::Step& step : draft_.steps) {
            consumers += step.key.first == Kind::consumer ? 1 : 0;
            if (!step.after.object) continue;
            if (step.key.first == Kind::global_rule) check_twins(*step.after.object);
            const std::string& text = step.after.object->json;
            groups = groups || (SharedGroups::may_concern(text) && SharedGroups::concerns(json::parse(text)));
        }
        if (groups) check_groups();
        if (consumers == 1) check_credential();
        if (consumers > 1) check_credentials();
    }
    // Every object of the kind as it will be.
    template <class Each>
    void each_after(Kind kind, Each each) const {
        in_force_.document().each(kind, [&](const sources::Object& object) {
            if (places_.find({kind, object.id}) == places_.end()) each(object);
        });
        for (const Draft::Step& step : draft_.steps) {
            if (step.key.first == kind && step.after.object) each(*step.after.object);
        }
    }
    // One plugin may be in one global rule only (objects.md 9 of the specification); in files, workers run neither
    // copy.
    void check_twins(const sources::Object& rule) {
        const json::Value own = json::parse(rule.json);
        std::string refusal;
        each_after(Kind::global_rule, [&](const sources::Object& other) {
            if (other.id == rule.id || !refusal.empty()) return;
            const json::Value known = json::parse(other.json);
            const json::Value *mine = own.find("plugins"), *theirs = known.find("plugins");
            if (!mine || !theirs) return;
            for (const json::Member& entry : mine->members()) {
                if (!theirs->find(entry.key)) continue;
                refusal = fmt::format("plugin '{}' already exists in global rule with id '{}'", entry.key, other.id);
                return;
            }
        });
        if (!refusal.empty()) refuse(WriteStatus::refused, std::move(refusal));
    }
    // Objects of one group of limits share a counter and must agree on it. Those that are written come last, so that
    // they are the ones that differ.
    void check_groups() {
        SharedGroups groups = SharedGroups::over(in_force_.indexes().groups);
        for (const Draft::Step& step : draft_.steps) {
            if (step.before.object && shares_groups(step.key.first))
                groups.remove(json::parse(step.before.object->json));
        }
        for (const Draft::Step& step : draft_.steps) {
            if (!step.after.object) continue;
            std::string text = groups.add(json::parse(step.after.object->json)).text;
            if (!text.empty()) refuse(WriteStatus::refused, std::move(text));
        }
    }
    void check_credential() {
        for (const Draft::Step& step : draft_.steps) {
            if (step.key.first != Kind::consumer || !step.after.object) continue;
            std::string text =
                in_force_.indexes().credentials.conflict(step.key.second, json::parse(step.after.object->json));
            if (!text.empty()) refuse(WriteStatus::refused, std::move(text));
        }
    }
    // Several consumers at once may hand a key from one to the other.
    void check_credentials() {
        auto index = sources::CredentialIndex::over(in_force_.indexes().credentials);
        for (const Draft::Step& step : draft_.steps) {
            if (step.key.first == Kind::consumer) index.hide(step.key.second);
        }
        for (const Draft::Step& step : draft_.steps) {
            if (step.key.first != Kind::consumer || !step.after.object) continue;
            const json::Value object = json::parse(step.after.object->json);
            std::string text = index.conflict(step.key.second, object);
            if (!text.empty()) refuse(WriteStatus::refused, std::move(text));
            index.add(step.key.second, object);
        }
    }

    const Catalogue& in_force_;
    const std::vector<store::Edit>& edits_;
    const Owned owned_;
    sources::CheckRules rules_;
    Draft draft_;
    std::set<Kind> idle_;         // that were named
    std::map<Key, bool> wanted_;  // whether it will be there
    std::map<Key, std::size_t> places_;
    std::uint64_t next_order_;
};

std::optional<store::Side> side_of(const Shelved& shelved) {
    if (!shelved.stored) return std::nullopt;
    return store::Side{shelved.stored->json, shelved.order, shelved.stored->expires_ms};
}

// In a history nobody needs more of them than whether they changed, and they hold passwords.
std::optional<store::Side> side_of(const ObjectPtr& object, const keyring::Keyring& ring) {
    if (!object) return std::nullopt;
    if (object->kind == Kind::settings) {
        config::Digest digest;
        digest.add(object->hash);
        return store::Side{"{\"digest\":\"" + digest.text() + "\"}", 0, 0};
    }
    if (object->json.find("\"plugins\"") == std::string::npos && object->kind < Kind::consumer &&
        object->json.find("\"tls\"") == std::string::npos)
        return store::Side{object->json, object->order, 0};
    json::Value item = json::parse(object->json);
    sources::seal_item(object->kind, object->id, item, ring);
    return store::Side{json::write(item), object->order, 0};
}

void add_change(store::Difference& difference, const config::Change& change, const ObjectPtr& before,
                const ObjectPtr& after, const keyring::Keyring& ring) {
    if (before && after && before->json == after->json) return;  // moved in the file
    difference.push_back(
        {store::Layer::file, change.kind, std::string(change.id), side_of(before, ring), side_of(after, ring)});
}

}  // namespace

bool Draft::Step::changes_workers() const noexcept {
    return !same(before.object, after.object);
}

std::vector<config::Change> Draft::changes() const {
    std::vector<config::Change> list;
    for (const Step& step : steps) {
        if (!step.changes_workers()) continue;
        if (!step.after.object) list.push_back(sources::change_of(*step.before.object, true));
        if (step.after.object) list.push_back(sources::change_of(*step.after.object));
    }
    return list;
}

store::Difference Draft::difference() const {
    store::Difference list;
    for (const Step& step : steps) {
        list.push_back(
            {store::Layer::store, step.key.first, step.key.second, side_of(step.before), side_of(step.after)});
    }
    return list;
}

void Draft::drop_unchanged() {
    std::erase_if(steps, [](const Step& step) {
        const bool kept = step.before.stored && step.after.stored;
        const bool never = !step.before.there() && !step.after.there();
        return never ||
               (kept && !step.changes_workers() && step.before.stored->expires_ms == step.after.stored->expires_ms);
    });
}

void Draft::stamp(std::uint64_t revision) {
    for (Step& step : steps) {
        if (!step.fresh) continue;
        step.fresh->modified = revision;
        step.fresh->created = step.before.stored ? step.before.stored->created : revision;
    }
}

void Draft::fill(store::Store::Write& write) const {
    for (const Step& step : steps) {
        if (step.after.stored) write.put.push_back({step.after.stored, step.after.order});
        if (!step.after.there() && step.before.there()) write.erased.emplace_back(step.key.first, step.key.second);
    }
    write.difference = difference();
}

std::vector<store::StoredPtr> Draft::made() const {
    std::vector<store::StoredPtr> list;
    for (const Step& step : steps) {
        if (step.after.stored) list.push_back(step.after.stored);
    }
    return list;
}

Draft draft_of(const Catalogue& in_force, const std::vector<store::Edit>& edits, Owned owned) {
    return Drafting(in_force, edits, owned).run();
}

Draft draft_of_stored(const Catalogue& in_force, const std::vector<store::Edit>& edits) {
    Drafting drafting(in_force, edits, Owned::refuse);
    drafting.keep_broken_certificates();
    return drafting.run();
}

ObjectPtr object_for_workers(Kind kind, const std::string& id, std::uint64_t order,
                             const sources::CheckedObject& checked) {
    json::Value value = checked.checked;
    value.erase("create_time");
    value.erase("update_time");
    add_id(kind, id, value);
    return sources::make_object(kind, id, order, json::write(value), checked.checked.where);
}

store::Difference file_difference(const sources::Document& active, const sources::Document& file,
                                  const Catalogue::Reading& reading, const keyring::Keyring& ring) {
    store::Difference difference;
    for (const config::Change& change : sources::diff(file, *reading.file)) {
        if (!config::is_listed(change.kind)) continue;
        add_change(difference, change, file.find(change.kind, change.id), reading.file->find(change.kind, change.id),
                   ring);
    }
    // What the static file says as well as the route file.
    for (const auto& [kind, id] : {std::pair(Kind::settings, "static"), std::pair(Kind::plugins, "list")}) {
        const ObjectPtr before = active.find(kind, id), after = reading.document->find(kind, id);
        if (!same(before, after)) add_change(difference, {kind, !after, id, 0, {}}, before, after, ring);
    }
    return difference;
}

}  // namespace gateway::process
