#include "libgateway/process/control_catalogue.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "libgateway/base/clock.hpp"
#include "libgateway/base/strings.hpp"
#include "libgateway/json/value.hpp"
#include "libgateway/plugin/registry.hpp"
#include "libgateway/process/control_admin_route.hpp"
#include "libgateway/process/control_draft.hpp"
#include "libgateway/process/control_plugins.hpp"
#include "libgateway/process/control_standalone.hpp"
#include "libgateway/process/entry.hpp"
#include "libgateway/sources/document_reader.hpp"
#include "libgateway/sources/secrets.hpp"
#include "libgateway/tls/server.hpp"

namespace gateway::process {

using config::Kind;
using sources::Document;
using sources::ObjectPtr;

namespace {

constexpr std::string_view no_keyring =
    "encrypted fields cannot be read: the keyring is not known until the static file is good";
constexpr std::uint64_t store_bit = std::uint64_t{1} << 63;

bool of_store(const sources::Object& object) noexcept {
    return (object.order & store_bit) != 0;
}

// Defaults of directories differ for a gateway that root started, also in its processes that are root no more.
bool gateway_is_roots() {
    struct stat master {};
    const std::string folder = "/proc/" + std::to_string(::getppid());
    return ::geteuid() == 0 || (::stat(folder.c_str(), &master) == 0 && master.st_uid == 0 && ::getppid() != 1);
}

// Whether both let the same plugins run.
bool same_list(const Document& one, const Document& other) {
    const ObjectPtr a = one.find(Kind::plugins, "list"), b = other.find(Kind::plugins, "list");
    return a == b || (a && b && a->hash == b->hash);
}

// Of all that is in force, and of what is kept of the store though it is refused.
Indexes indexes_of(const Document& document, const Document& file, const Catalogue::Shelf& shelf) {
    Indexes indexes = process::indexes_of(document);
    for (const auto& [key, shelved] : shelf) {
        const bool refused = shelved.stored && !shelved.object && !file.find(key.first, key.second);
        if (refused) indexes.add_refused(key.first, key.second, shelved.stored->json);
    }
    return indexes;
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

void check_ciphers(const config::StaticConfig& settings, const std::string& file, config::Diagnostics& found) {
    const std::string problem = tls::ciphers_refusal(settings.apisix.ssl.ssl_ciphers);
    if (!problem.empty()) found.error(file, {}, "apisix.ssl.ssl_ciphers", problem);
}

}  // namespace

config::StaticConfig load_first_settings(const config::StaticPlace& place, config::Diagnostics& found) {
    config::StaticConfig settings = config::load_static(place, config::process_environment(), found);
    const std::string problem = found.ok() ? load_plugins(settings.gateway.plugins_dir) : std::string();
    if (!problem.empty()) found.error(place.file, {}, "gateway.plugins_dir", problem);
    warn_of_unknown_plugins(settings, place.file, found);
    check_ciphers(settings, place.file, found);
    return settings;
}

config::StaticConfig load_settings(const config::StaticPlace& place, config::Diagnostics& found) {
    config::StaticConfig settings = config::load_static(place, config::process_environment(), found);
    warn_of_unknown_plugins(settings, place.file, found);
    check_ciphers(settings, place.file, found);
    return settings;
}

sources::CheckRules rules_for(const config::StaticConfig& settings, KeyringPtr ring) {
    sources::CheckRules rules = sources::program_rules();
    if (ring) {
        // Keys of certificates are encrypted in any case.
        const bool fields = settings.apisix.data_encryption.enable_encrypt_fields;
        rules.open_secrets = [ring, fields](Kind kind, std::string_view id, json::Value& item,
                                            config::Errors& warnings) {
            if (fields || kind == Kind::ssl) sources::open_item(kind, id, item, *ring, warnings);
        };
    }
    rules.check_key_match = settings.apisix.ssl.check_key_match;
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
    : config_path_(std::move(config_path)), root_(gateway_is_roots()), next_order_(store_bit) {
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
    if (settings.etcd_provider()) return void(reading.file.emplace());
    if (!ring) return reading.found.error(source(), {}, "", std::string(no_keyring));
    if (settings.standalone_api()) return read_standalone(settings, ring, reading);
    sources::RouteFileResult result = sources::read_route_file(route_file_settings(settings), rules_for(settings, ring),
                                                               config::process_environment(), file_);
    reading.found.append(result.diagnostics);
    reading.dropped = std::move(result.dropped);
    reading.left_out = std::move(result.left_out);
    reading.file = std::move(result.document);
}

// Errors of both files are found in one go; a static file that is bad is no reason to be silent about the routes.
Catalogue::Reading Catalogue::read(Files files, const std::vector<store::Entry>* fresh) const {
    Reading reading;
    if (files == Files::both) read_settings(reading);
    const config::StaticConfig& settings = settings_of(reading);
    read_routes(settings, ring_of(reading), reading);
    // Without keys what is encrypted would be taken for the secrets themselves.
    if (fresh && ring_of(reading)) reading.shelf = shelve(*fresh, reading.file ? *reading.file : file_, reading);
    const bool good = reading.file && (files == Files::routes_only || reading.settings);
    if (!good) return reading;
    complete(settings, reading);
    if (fresh || !same_list(*reading.document, active_)) tell_idle_plugins(settings, reading);
    if (fresh) tell_idle_objects(reading);
    return reading;
}

// What follows from the objects of the files and of the store.
void Catalogue::complete(const config::StaticConfig& settings, Reading& reading) const {
    reading.document = assemble(settings, *reading.file, reading.shelf ? *reading.shelf : shelf_, &reading.hidden);
    reading.indexes = indexes_of(*reading.document, *reading.file, reading.shelf ? *reading.shelf : shelf_);
    reading.difference = file_difference(active_, file_, reading, *ring_of(reading));
}

// The file's objects are refused; those of the store are kept, so that a list that is too short loses nothing.
void Catalogue::tell_idle_plugins(const config::StaticConfig& settings, Reading& reading) const {
    constexpr std::size_t most = 20;
    const PluginNames enabled = enabled_plugins(*reading.document, settings);
    if (!enabled) return;
    std::size_t told = 0;
    for (const auto& [key, shelved] : reading.shelf ? *reading.shelf : shelf_) {
        if (!shelved.object || reading.document->find(key.first, key.second) != shelved.object) continue;
        const std::string names = idle_plugins(*shelved.object, *enabled);
        if (names.empty() || ++told > most) continue;
        reading.hidden.push_back(fmt::format("{} [{}] of the store: not in the list of plugins, so they do not run: {}",
                                             config::kind_name(key.first), key.second, names));
    }
    if (told > most) reading.hidden.push_back(fmt::format("the same of {} further objects", told - most));
}

// Of the store; the file's are named where it is read.
void Catalogue::tell_idle_objects(Reading& reading) const {
    for (const Kind kind : {Kind::proto, Kind::stream_route, Kind::secret}) {
        if (reading.document->size(kind) > reading.file->size(kind))
            reading.hidden.push_back(fmt::format("{} of the store: {}", config::list_name(kind), sources::idle_note));
    }
}

void Catalogue::fall_back(Reading& reading) const {
    reading.document = assemble(*settings_, file_, reading.shelf ? *reading.shelf : shelf_, nullptr);
}

Document Catalogue::assemble(const config::StaticConfig& settings, const Document& file, const Shelf& shelf,
                             std::vector<std::string>* hidden) const {
    Document document = file;
    document.put(sources::make_object(Kind::settings, "static", 0, config::encode_static(settings), {}));
    if (const ObjectPtr route = admin_route(settings)) document.put(route);
    if (settings.plugins && !document.find(Kind::plugins, "list")) {
        json::Value names = json::Value::array();
        for (const std::string& name : *settings.plugins) names.push(json::Value(name));
        document.put(sources::make_object(Kind::plugins, "list", 0, json::write(names), {}));
    }
    for (const auto& [key, shelved] : shelf) {
        if (!shelved.object) continue;
        if (!file.find(key.first, key.second)) {
            document.put(shelved.object);
        } else if (hidden) {
            hidden->push_back(fmt::format("{} [{}] of the store is hidden: {} defines it too",
                                          config::kind_name(key.first), key.second, settings.deployment.route_file));
        }
    }
    return document;
}

bool Catalogue::adopt(const FullDelta& kept) {
    config::DeltaReader reader(kept.bytes);
    file_ = active_ = {};
    shelf_.clear();
    for (config::Change change; reader.next(change);) {
        const ObjectPtr object =
            sources::make_object(change.kind, std::string(change.id), change.order, std::string(change.json), {});
        active_.put(object);
        if (change.kind == Kind::settings || is_admin_route(change.kind, change.id)) continue;
        if (!of_store(*object)) {
            file_.put(object);
            continue;
        }
        shelf_[{change.kind, object->id}] = {nullptr, object->order, object};
        next_order_ = std::max(next_order_, object->order + 1);
    }
    indexes_ = process::indexes_of(active_);
    whole_ = kept_whole(file_);
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

// What the checks of today refuse is left out, and told.
Catalogue::Shelf Catalogue::shelve(const std::vector<store::Entry>& entries, const Document& file,
                                   Reading& reading) const {
    std::set<std::pair<Kind, std::string_view>> stored;
    for (const store::Entry& entry : entries) stored.emplace(entry.object->kind, entry.object->id);
    const sources::Exists exists = [&](Kind kind, std::string_view id) {
        return stored.count({kind, id}) != 0 || file.find(kind, id) != nullptr;
    };
    sources::CheckRules rules = rules_for(settings_of(reading), ring_of(reading));
    rules.keep_broken_certificates = true;
    Shelf shelf;
    for (const store::Entry& entry : entries) {
        const store::Stored& kept = *entry.object;
        Shelved& shelved = shelf[{kept.kind, kept.id}];
        shelved = {entry.object, entry.order, nullptr};
        config::Diagnostics found;
        const auto checked = sources::check_object(kept.kind, kept.id, kept.json, "store", rules, exists, found);
        for (const std::string& text : texts_of(found, config::Severity::error)) {
            if (shelved.refusal.empty()) shelved.refusal = text;
            reading.hidden.push_back(text + ": it is left out");
        }
        if (checked) shelved.object = object_for_workers(kept.kind, kept.id, entry.order, *checked);
    }
    return shelf;
}

void Catalogue::note(const Key& key, const Shelved& shelved) {
    next_order_ = std::max(next_order_, shelved.order + 1);
    if (shelved.stored && shelved.stored->expires_ms != 0) ends_.emplace(shelved.stored->expires_ms, key);
}

void Catalogue::forget(const Key& key, const Shelved& shelved) {
    if (shelved.stored && shelved.stored->expires_ms != 0) ends_.erase({shelved.stored->expires_ms, key});
}

std::set<Catalogue::Key> Catalogue::ended(std::int64_t now_ms) const {
    std::set<Key> keys;
    for (auto one = ends_.begin(); one != ends_.end() && one->first <= now_ms; ++one) keys.insert(one->second);
    return keys;
}

void Catalogue::accept(Reading reading) {
    if (reading.settings) {
        use(std::move(reading.settings));
        keyring_ = std::move(reading.keyring);
    }
    if (reading.file) {
        file_ = std::move(*reading.file);
        whole_ = std::move(reading.whole);
    }
    if (reading.document) file_left_out_ = std::move(reading.left_out);
    if (reading.shelf) {
        shelf_ = std::move(*reading.shelf);
        ends_.clear();
        for (const auto& one : shelf_) note(one.first, one.second);
    }
    active_ = std::move(*reading.document);
    indexes_ = reading.indexes ? std::move(*reading.indexes) : indexes_of(active_, file_, shelf_);
    note_left_out();
}

// What is left out for the same reason as before is so since then.
void Catalogue::note_left_out() {
    std::vector<LeftOut> before = std::move(left_out_);
    left_out_.clear();
    const auto add = [&](const sources::LeftOut& one) {
        const auto known = std::find_if(before.begin(), before.end(), [&](const LeftOut& old) {
            return old.resource == one.resource && old.id == one.id && old.error == one.error;
        });
        left_out_.push_back({one, known == before.end() ? wall_ms() : known->since_ms});
    };
    for (const sources::LeftOut& one : file_left_out_) add(one);
    for (const auto& [key, shelved] : shelf_) {
        const bool hidden = file_.find(key.first, key.second) != nullptr;
        if (!shelved.refusal.empty() && !hidden)
            add({std::string(config::list_name(key.first)), key.second, shelved.refusal});
    }
}

void Catalogue::accept(const Draft& draft) {
    bool refused_before = false;
    for (const Draft::Step& step : draft.steps) {
        const Key& key = step.key;
        const Shelved& before = step.before;
        refused_before = refused_before || !before.refusal.empty();
        if (before.object) {
            indexes_.remove(*before.object);
        } else if (before.stored) {
            indexes_.remove_refused(key.first, key.second, before.stored->json);
        }
        forget(key, before);
        if (step.after.there()) {
            indexes_.add(*step.after.object);
            active_.put(step.after.object);
            shelf_[key] = step.after;
            note(key, step.after);
        } else {
            if (before.object) active_.erase(key.first, key.second);
            shelf_.erase(key);
        }
    }
    if (refused_before) note_left_out();
}

std::string Catalogue::file_place(const sources::Object& object) const {
    return object.where.line == 0 ? source() : fmt::format("{}:{}", source(), object.where.line);
}

std::string Catalogue::place_of(Kind kind, std::string_view id) const {
    if (const ObjectPtr object = file_.find(kind, id)) return file_place(*object);
    if (is_admin_route(kind, id)) return "apisix.compat.admin_on_node_listen";
    return active_.find(kind, id) ? "store" : "";
}

Catalogue::Shown Catalogue::shown_of_file(const sources::Object& object) const {
    store::Stored shown{object.kind, object.id, object.json, file_revision_, file_revision_, 0};
    return {std::make_shared<const store::Stored>(std::move(shown)), file_place(object)};
}

std::optional<Catalogue::Shown> Catalogue::find(Kind kind, const std::string& id) const {
    if (const ObjectPtr object = file_.find(kind, id)) return shown_of_file(*object);
    const auto found = shelf_.find({kind, id});
    if (found == shelf_.end() || !found->second.stored) return std::nullopt;
    return Shown{found->second.stored, {}};
}

std::vector<Catalogue::Shown> Catalogue::list(Kind kind) const {
    std::vector<Shown> all;
    const auto by_id = [](const Shown& a, const Shown& b) { return a.object->id < b.object->id; };
    file_.each(kind, [&](const sources::Object& object) { all.push_back(shown_of_file(object)); });
    std::sort(all.begin(), all.end(), by_id);
    const auto of_file = static_cast<std::ptrdiff_t>(all.size());
    for (auto one = shelf_.lower_bound({kind, ""}); one != shelf_.end() && one->first.first == kind; ++one) {
        if (one->second.stored && !file_.find(kind, one->first.second)) all.push_back({one->second.stored, {}});
    }
    std::inplace_merge(all.begin(), all.begin() + of_file, all.end(), by_id);
    return all;
}

}  // namespace gateway::process
