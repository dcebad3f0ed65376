// What is in force and where it came from: the static file, the route file and the objects of the store.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/admin/standalone.hpp"
#include "libgateway/config/delta.hpp"
#include "libgateway/config/diagnostic.hpp"
#include "libgateway/config/static_config.hpp"
#include "libgateway/process/control_indexes.hpp"
#include "libgateway/process/control_journal.hpp"
#include "libgateway/process/control_keyring.hpp"
#include "libgateway/sources/document.hpp"
#include "libgateway/sources/file_watch.hpp"
#include "libgateway/sources/route_file.hpp"
#include "libgateway/store/store.hpp"

namespace gateway::process {

struct Draft;

// Owned by control's loop thread. Candidates are made by const functions, which may run on the builder thread while the
// caller holds the pass for writes; only accept() and adopt() change what is in force.
//
// Objects of the store stand behind all objects of the file: the top bit of their order key tells them apart, also in
// the journal and on disk. One that the file defines too is hidden: kept, and in force again when the file lets go.
class Catalogue {
public:
    enum class Files : std::uint8_t { both, routes_only };

    // An object of the store as it is kept and as workers get it.
    struct Shelved {
        store::StoredPtr stored;  // null: known from the last good revision only, the store cannot be read
        std::uint64_t order = 0;
        sources::ObjectPtr object;  // null: the checks of today refuse it
        std::string refusal{};      // then: why
        bool there() const noexcept { return stored || object; }
    };
    using Key = std::pair<config::Kind, std::string>;
    using Shelf = std::map<Key, Shelved>;

    // The files as they are now, with the objects of the store.
    struct Reading {
        config::Diagnostics found;
        std::vector<std::string> dropped;                      // items left out (invalid_items: drop)
        std::vector<sources::LeftOut> left_out;                // the same
        std::shared_ptr<const config::StaticConfig> settings;  // null: the static file was not read, or is bad
        KeyringPtr keyring;                                    // of these settings
        std::optional<sources::Document> file;                 // the route file alone; nothing: it is bad
        std::optional<sources::Document> document;             // all together; nothing: this changes nothing
        std::optional<Indexes> indexes;                        // of the document
        std::vector<std::string> hidden;                       // what is not in force of the store's objects
        store::Difference difference;                          // of the layer of the file
        std::optional<Shelf> shelf;                            // the store's objects, if they were read anew
        admin::Configuration whole;                            // in standalone API mode: what `file` was made of
        std::vector<std::string> errors() const;
        std::vector<std::string> warnings() const;
    };
    // What is not in force although it is in the file or in the store, since when.
    struct LeftOut : sources::LeftOut {
        std::int64_t since_ms = 0;  // wall clock
    };
    // An object as people see it, whoever owns it.
    struct Shown {
        store::StoredPtr object;
        std::string place;  // "routes.yaml:12"; empty: of the store
    };

    explicit Catalogue(std::string config_path);

    // Reads the static file and takes it as it is, good or not: for the start.
    config::Diagnostics read_static();
    const config::StaticConfig& settings() const noexcept { return *settings_; }
    // Null: it is not known until the static file is good, and no object can be read.
    const KeyringPtr& keyring() const noexcept { return keyring_; }
    // Makes the key file if one is needed; call when data_dir is there.
    config::Diagnostics complete_keyring();
    const std::string& route_file() const noexcept { return watch_->path(); }
    // Call once per interval; see sources::FileWatch.
    bool route_file_changed() { return !settings_->etcd_provider() && !settings_->standalone_api() && watch_->poll(); }
    // Where objects that are not of the store come from, for people.
    std::string source() const { return settings_->standalone_api() ? "Admin API" : route_file(); }
    // The settings want a start without etcd, or in standalone API mode, to be one without objects.
    bool forgets_last_good() const noexcept {
        return settings_->standalone_api() ||
               (settings_->etcd_provider() && settings_->deployment.etcd->snapshot_file == "");
    }
    // The file is about to be read.
    void note_reading() { watch_->taken(); }

    // Takes over what the last control left, as what is in force; false if it cannot be read.
    bool adopt(const FullDelta& kept);
    // Takes over only its settings, for a start beside a static file that has become bad.
    bool adopt_settings(const FullDelta& kept);

    // `fresh`: what the store holds, if that was read anew. The shelf in force stays while the keyring is not known.
    Reading read(Files files, const std::vector<store::Entry>* fresh = nullptr) const;
    // Standalone API mode: what would be in force with that configuration in the place of the last one.
    Reading read_whole(admin::Configuration whole) const;
    // The configuration in force; null: none was given.
    const admin::Configuration& whole() const noexcept { return whole_; }
    // What is in force with the settings of the static file and the objects of the store that were read, where the
    // route file cannot be used.
    void fall_back(Reading& reading) const;

    void accept(Reading reading);
    void accept(const Draft& draft);
    // What the objects of the file have as their created and modified revision.
    void note_file_revision(std::uint64_t revision) noexcept { file_revision_ = revision; }

    const sources::Document& document() const noexcept { return active_; }
    const sources::Document& file() const noexcept { return file_; }
    const Shelf& shelf() const noexcept { return shelf_; }
    const std::vector<LeftOut>& left_out() const noexcept { return left_out_; }
    // When the next object ends (wall clock); 0: none does.
    std::int64_t next_expiry() const noexcept { return ends_.empty() ? 0 : ends_.begin()->first; }
    // Those that ended until then.
    std::set<Key> ended(std::int64_t now_ms) const;
    const Indexes& indexes() const noexcept { return indexes_; }
    // An order key behind all objects of the store.
    std::uint64_t next_order() const noexcept { return next_order_; }
    // "routes.yaml:12", or that it is in the store; empty if there is no such object.
    std::string place_of(config::Kind kind, std::string_view id) const;
    // That of the file wins. Nothing if there is none.
    std::optional<Shown> find(config::Kind kind, const std::string& id) const;
    // All of the kind, sorted by id.
    std::vector<Shown> list(config::Kind kind) const;

private:
    void read_settings(Reading& reading) const;
    void read_routes(const config::StaticConfig& settings, const KeyringPtr& ring, Reading& reading) const;
    void read_standalone(const config::StaticConfig& settings, const KeyringPtr& ring, Reading& reading) const;
    void build_standalone(const sources::RouteFileSettings& form, const config::StaticConfig& settings,
                          const KeyringPtr& ring, Reading& reading) const;
    void complete(const config::StaticConfig& settings, Reading& reading) const;
    sources::Document assemble(const config::StaticConfig& settings, const sources::Document& file, const Shelf& shelf,
                               std::vector<std::string>* hidden) const;
    void tell_idle_plugins(const config::StaticConfig& settings, Reading& reading) const;
    void tell_idle_objects(Reading& reading) const;
    Shelf shelve(const std::vector<store::Entry>& entries, const sources::Document& file, Reading& reading) const;
    const KeyringPtr& ring_of(const Reading& reading) const { return reading.settings ? reading.keyring : keyring_; }
    const config::StaticConfig& settings_of(const Reading& reading) const {
        return reading.settings ? *reading.settings : *settings_;
    }
    Shown shown_of_file(const sources::Object& object) const;
    std::string file_place(const sources::Object& object) const;
    void use(std::shared_ptr<const config::StaticConfig> settings);
    void note(const Key& key, const Shelved& shelved);
    void forget(const Key& key, const Shelved& shelved);
    void note_left_out();

    std::string config_path_;
    bool root_;
    std::shared_ptr<const config::StaticConfig> settings_;
    KeyringPtr keyring_ = std::make_shared<const keyring::Keyring>();
    std::unique_ptr<sources::FileWatch> watch_;
    sources::Document file_, active_;
    admin::Configuration whole_;
    Shelf shelf_;
    std::vector<sources::LeftOut> file_left_out_;
    std::vector<LeftOut> left_out_;  // of both
    std::uint64_t next_order_, file_revision_ = 0;
    std::set<std::pair<std::int64_t, Key>> ends_;  // of the shelf
    Indexes indexes_ = empty_indexes();            // of active_
};

// Everything as one encoded delta from nothing.
FullDelta encode_full(const sources::Document& document, std::uint64_t revision);
// config::load_static, and a warning for each listed plugin that this program does not have.
config::StaticConfig load_settings(const config::StaticPlace& place, config::Diagnostics& found);
// The same by a process that has no plugins of `gateway.plugins_dir` yet: loads them.
config::StaticConfig load_first_settings(const config::StaticPlace& place, config::Diagnostics& found);
// The rules by which objects are checked under these settings; `ring` opens what is encrypted.
sources::CheckRules rules_for(const config::StaticConfig& settings, KeyringPtr ring);
sources::RouteFileSettings route_file_settings(const config::StaticConfig& settings);

}  // namespace gateway::process
