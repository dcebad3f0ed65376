#include "libgateway/process/control_catalogue.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "libgateway/base/strings.hpp"
#include "libgateway/config/consumer_objects.hpp"
#include "libgateway/json/value.hpp"
#include "libgateway/plugin/registry.hpp"
#include "libgateway/plugin/shared_groups.hpp"
#include "libgateway/process/entry.hpp"
#include "libgateway/sources/secrets.hpp"

namespace gateway::process {

using config::Kind;
using sources::Document;
using sources::ObjectPtr;

namespace {

constexpr std::string_view no_keyring =
    "encrypted fields cannot be read: the keyring is not known until the static file is good";
constexpr std::uint64_t overlay_bit = std::uint64_t{1} << 63;

bool in_overlay(const sources::Object& object) noexcept {
    return (object.order & overlay_bit) != 0;
}

// Defaults of directories differ for a gateway that root started, also in its processes that are root no more.
bool gateway_is_roots() {
    struct stat master {};
    const std::string folder = "/proc/" + std::to_string(::getppid());
    return ::geteuid() == 0 || (::stat(folder.c_str(), &master) == 0 && master.st_uid == 0 && ::getppid() != 1);
}

sources::CredentialIndex index_of(const Document& document) {
    sources::CredentialIndex index(sources::program_rules().credential_key);
    document.each(Kind::consumer,
                  [&](const sources::Object& object) { index.add(object.id, json::parse(object.json)); });
    return index;
}

std::vector<std::string> texts_of(const config::Diagnostics& found, config::Severity severity) {
    std::vector<std::string> texts;
    for (const config::Diagnostic& one : found.list()) {
        if (one.severity == severity) texts.push_back(one.text());
    }
    return texts;
}

}  // namespace

FullDelta encode_full(const Document& document, std::uint64_t revision) {
    FullDelta full{{}, revision, document.digest()};
    config::DeltaWriter writer(full.bytes);
    writer.begin(0, revision);
    for (const ObjectPtr& object : document.objects()) writer.add(sources::change_of(*object));
    writer.finish(full.digest);
    return full;
}

namespace {

void warn_of_unknown_plugins(const config::StaticConfig& settings, const std::string& file,
                             config::Diagnostics& found) {
    if (!settings.plugins) return;
    std::vector<std::string_view> known;
    for (const PluginType& type : plugin_registry().types()) known.push_back(type.name);
    for (const std::string& name : *settings.plugins) {
        if (plugin_registry().find(name)) continue;
        std::string text = fmt::format("unknown plugin [{}]: it is ignored", name);
        if (const std::string_view near = nearest(name, known); !near.empty())
            text += fmt::format(" (did you mean \"{}\"?)", near);
        found.warning(file, {}, "plugins", std::move(text));
    }
}

}  // namespace

config::StaticConfig load_first_settings(const config::StaticPlace& place, config::Diagnostics& found) {
    config::StaticConfig settings = config::load_static(place, config::process_environment(), found);
    const std::string problem = found.ok() ? load_plugins(settings.gateway.plugins_dir) : std::string();
    if (!problem.empty()) found.error(place.file, {}, "gateway.plugins_dir", problem);
    warn_of_unknown_plugins(settings, place.file, found);
    return settings;
}

config::StaticConfig load_settings(const config::StaticPlace& place, config::Diagnostics& found) {
    config::StaticConfig settings = config::load_static(place, config::process_environment(), found);
    warn_of_unknown_plugins(settings, place.file, found);
    return settings;
}

sources::CheckRules rules_for(const config::StaticConfig& settings, KeyringPtr ring) {
    sources::CheckRules rules = sources::program_rules();
    if (ring && settings.apisix.data_encryption.enable_encrypt_fields) {
        rules.open_secrets = [ring](Kind kind, std::string_view id, json::Value& item, config::Errors& warnings) {
            sources::open_item(kind, id, item, *ring, warnings);
        };
    }
    rules.enabled_plugins = settings.plugins;
    rules.plugin_config_overrides_route = settings.apisix.compat.plugin_config_overrides_route;
    return rules;
}

sources::RouteFileSettings route_file_settings(const config::StaticConfig& settings) {
    return {settings.deployment.route_file, settings.json_routes(), settings.deployment.require_end_marker,
            settings.deployment.invalid_items == "drop"};
}

std::vector<std::string> Catalogue::Reading::errors() const {
    return texts_of(found, config::Severity::error);
}

std::vector<std::string> Catalogue::Reading::warnings() const {
    std::vector<std::string> texts = texts_of(found, config::Severity::warning);
    texts.insert(texts.end(), dropped.begin(), dropped.end());
    texts.insert(texts.end(), hidden.begin(), hidden.end());
    return texts;
}

Catalogue::Catalogue(std::string config_path)
    : config_path_(std::move(config_path)), root_(gateway_is_roots()), next_overlay_(overlay_bit) {
    use(std::make_shared<const config::StaticConfig>());
}

void Catalogue::use(std::shared_ptr<const config::StaticConfig> settings) {
    settings_ = std::move(settings);
    const std::string& path = settings_->deployment.route_file;
    if (!watch_ || watch_->path() != path) watch_ = std::make_unique<sources::FileWatch>(path);
}

config::Diagnostics Catalogue::read_static() {
    config::Diagnostics found;
    use(std::make_shared<const config::StaticConfig>(load_first_settings({config_path_, root_}, found)));
    keyring_ = found.ok() ? load_keyring(*settings_, config_path_, found) : nullptr;
    return found;
}

config::Diagnostics Catalogue::complete_keyring() {
    config::Diagnostics found;
    keyring_ = process::complete_keyring(*settings_, config_path_, std::move(keyring_), found);
    return found;
}

void Catalogue::read_settings(Reading& reading) const {
    auto settings = std::make_shared<const config::StaticConfig>(load_settings({config_path_, root_}, reading.found));
    if (!reading.found.ok()) return;
    KeyringPtr ring = load_keyring(*settings, config_path_, reading.found);
    reading.keyring = process::complete_keyring(*settings, config_path_, std::move(ring), reading.found);
    if (reading.keyring) reading.settings = std::move(settings);
}

void Catalogue::read_routes(const config::StaticConfig& settings, const KeyringPtr& ring, Reading& reading) const {
    if (!ring) return reading.found.error(route_file(), {}, "", std::string(no_keyring));
    sources::RouteFileResult result = sources::read_route_file(route_file_settings(settings), rules_for(settings, ring),
                                                               config::process_environment(), file_);
    reading.found.append(result.diagnostics);
    reading.dropped = std::move(result.dropped);
    reading.file = std::move(result.document);
}

// Errors of both files are found in one go; a static file that is bad is no reason to be silent about the routes.
Catalogue::Reading Catalogue::read(Files files) const {
    Reading reading;
    if (files == Files::both) read_settings(reading);
    const config::StaticConfig& settings = reading.settings ? *reading.settings : *settings_;
    read_routes(settings, reading.settings ? reading.keyring : keyring_, reading);
    const bool good = reading.file && (files == Files::routes_only || reading.settings);
    if (good) reading.document = assemble(settings, *reading.file, &reading.hidden);
    if (good) reading.credentials = index_of(*reading.document);
    return reading;
}

Document Catalogue::assemble(const config::StaticConfig& settings, const Document& file,
                             std::vector<std::string>* hidden) const {
    Document document = file;
    document.put(sources::make_object(Kind::settings, "static", 0, config::encode_static(settings), {}));
    if (settings.plugins && !document.find(Kind::plugins, "list")) {
        json::Value names = json::Value::array();
        for (const std::string& name : *settings.plugins) names.push(json::Value(name));
        document.put(sources::make_object(Kind::plugins, "list", 0, json::write(names), {}));
    }
    for (const auto& [key, object] : overlay_) {
        if (!file.find(key.first, key.second)) {
            document.put(object);
        } else if (hidden) {
            hidden->push_back(fmt::format("{} [{}] was put before; the one of the route file is used now",
                                          config::kind_name(key.first), key.second));
        }
    }
    return document;
}

Document Catalogue::fallback() const {
    return assemble(*settings_, file_, nullptr);
}

bool Catalogue::adopt(const FullDelta& kept, Overlay overlay) {
    config::DeltaReader reader(kept.bytes);
    file_ = active_ = {};
    overlay_.clear();
    for (config::Change change; reader.next(change);) {
        const ObjectPtr object =
            sources::make_object(change.kind, std::string(change.id), change.order, std::string(change.json), {});
        const bool put_before = in_overlay(*object);
        if (put_before && overlay == Overlay::drop) continue;
        active_.put(object);
        if (change.kind == Kind::settings) continue;
        if (!put_before) {
            file_.put(object);
            continue;
        }
        overlay_[{change.kind, object->id}] = object;
        next_overlay_ = std::max(next_overlay_, object->order + 1);
    }
    credentials_ = index_of(active_);
    return reader.ok();
}

bool Catalogue::adopt_settings(const FullDelta& kept) {
    config::DeltaReader reader(kept.bytes);
    for (config::Change change; reader.next(change);) {
        if (change.kind != Kind::settings) continue;
        use(std::make_shared<const config::StaticConfig>(config::decode_static(change.json)));
        config::Diagnostics found;
        keyring_ = load_keyring(*settings_, config_path_, found);
        return true;
    }
    return false;
}

std::string Catalogue::owner_refusal(Kind kind, const std::string& id) const {
    if (!file_.find(kind, id)) return {};
    return fmt::format("{} [{}] is defined in {}", config::kind_name(kind), id, place_of(kind, id));
}

// One plugin may be in one global rule only (objects.md 9 of the specification); in files, workers run neither copy.
std::string Catalogue::twin_refusal(const ObjectPtr& rule) const {
    std::string refusal;
    const json::Value own = json::parse(rule->json);
    active_.each(Kind::global_rule, [&](const sources::Object& other) {
        if (other.id == rule->id || !refusal.empty()) return;
        const json::Value known = json::parse(other.json);
        const json::Value *mine = own.find("plugins"), *theirs = known.find("plugins");
        if (!mine || !theirs) return;
        for (const json::Member& entry : mine->members()) {
            if (!theirs->find(entry.key)) continue;
            refusal = fmt::format("plugin '{}' already exists in global rule with id '{}'", entry.key, other.id);
            return;
        }
    });
    return refusal;
}

// Objects of one group of limits share a counter and must agree on it.
std::string Catalogue::group_refusal(const ObjectPtr& object) const {
    const json::Value own = json::parse(object->json);
    if (!SharedGroups::concerns(own)) return {};
    SharedGroups groups;
    for (const Kind kind : {Kind::route, Kind::service, Kind::plugin_config, Kind::global_rule}) {
        active_.each(kind, [&](const sources::Object& other) {
            if (kind != object->kind || other.id != object->id) groups.add(json::parse(other.json));
        });
    }
    return groups.add(own).text;
}

Catalogue::Edit Catalogue::put(Kind kind, const std::string& id, const std::string& content) const {
    Edit edit;
    if (std::string refusal = owner_refusal(kind, id); !refusal.empty()) {
        edit.errors.push_back(std::move(refusal));
        return edit;
    }
    if (!keyring_) {
        edit.errors.emplace_back(no_keyring);
        return edit;
    }
    config::Diagnostics found;
    const ObjectPtr read =
        sources::parse_object(kind, id, content, "put", rules_for(*settings_, keyring_), active_, found);
    edit.errors = texts_of(found, config::Severity::error);
    edit.warnings = texts_of(found, config::Severity::warning);
    if (!read || !edit.errors.empty()) return edit;
    if (kind == Kind::global_rule) {
        if (std::string refusal = twin_refusal(read); !refusal.empty()) edit.errors.push_back(std::move(refusal));
        if (!edit.errors.empty()) return edit;
    }
    if (kind == Kind::consumer) {
        std::string refusal = credentials_.conflict(id, json::parse(read->json));
        if (!refusal.empty()) edit.errors.push_back(std::move(refusal));
        if (!edit.errors.empty()) return edit;
    }
    if (std::string refusal = group_refusal(read); !refusal.empty()) {
        edit.errors.push_back(std::move(refusal));
        return edit;
    }
    const ObjectPtr before = active_.find(kind, id);
    edit.object = sources::make_object(kind, id, before ? before->order : next_overlay_, read->json, {});
    edit.after = active_.digest();
    if (before) edit.after.remove(before->hash);
    edit.after.add(edit.object->hash);
    edit.changes_something = !before || before->hash != edit.object->hash;
    return edit;
}

Catalogue::Edit Catalogue::remove(Kind kind, const std::string& id) const {
    Edit edit;
    edit.removed = true;
    edit.object = active_.find(kind, id);
    if (std::string refusal = owner_refusal(kind, id); !refusal.empty()) {
        edit.errors.push_back(std::move(refusal));
    } else if (!edit.object) {
        edit.errors.push_back(fmt::format("{} [{}] does not exist", config::kind_name(kind), id));
    } else {
        edit.changes_something = true;
        edit.also_removed = credentials_of(kind, id);
        edit.after = active_.digest();
        edit.after.remove(edit.object->hash);
        for (const ObjectPtr& credential : edit.also_removed) edit.after.remove(credential->hash);
    }
    return edit;
}

// A consumer takes its credentials with it, but for those that the route file owns.
std::vector<ObjectPtr> Catalogue::credentials_of(Kind kind, const std::string& id) const {
    std::vector<ObjectPtr> credentials;
    if (kind != Kind::consumer || config::credential_name(id)) return credentials;
    active_.each(Kind::consumer, [&](const sources::Object& object) {
        const auto name = config::credential_name(object.id);
        if (!name || name->username != id || file_.find(kind, object.id)) return;
        credentials.push_back(active_.find(kind, object.id));
    });
    return credentials;
}

void Catalogue::accept(Reading reading) {
    if (reading.settings) {
        use(std::move(reading.settings));
        keyring_ = std::move(reading.keyring);
    }
    if (reading.file) {
        for (auto one = overlay_.begin(); one != overlay_.end();)
            one = reading.file->find(one->first.first, one->first.second) ? overlay_.erase(one) : std::next(one);
        file_ = std::move(*reading.file);
    }
    active_ = std::move(*reading.document);
    credentials_ = reading.credentials ? std::move(*reading.credentials) : index_of(active_);
}

void Catalogue::accept(const Edit& edit) {
    if (!edit.changes_something) return;
    if (edit.removed) {
        forget(*edit.object);
        for (const ObjectPtr& credential : edit.also_removed) forget(*credential);
        return;
    }
    const Key key{edit.object->kind, edit.object->id};
    const ObjectPtr before = active_.put(edit.object);
    if (key.first == Kind::consumer) {
        if (before) credentials_.remove(key.second, json::parse(before->json));
        credentials_.add(key.second, json::parse(edit.object->json));
    }
    overlay_[key] = edit.object;
    next_overlay_ = std::max(next_overlay_, edit.object->order + 1);
}

void Catalogue::forget(const sources::Object& object) {
    const Key key{object.kind, object.id};
    if (key.first == Kind::consumer) credentials_.remove(key.second, json::parse(object.json));
    active_.erase(key.first, key.second);
    overlay_.erase(key);
}

std::string Catalogue::place_of(Kind kind, std::string_view id) const {
    if (const ObjectPtr object = file_.find(kind, id)) {
        return object->where.line == 0 ? route_file() : fmt::format("{}:{}", route_file(), object->where.line);
    }
    return active_.find(kind, id) ? "put by gatewayctl" : "";
}

}  // namespace gateway::process
