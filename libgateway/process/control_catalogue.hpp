// What is in force and where it came from: the static file, the route file and the overlay of single objects.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/config/delta.hpp"
#include "libgateway/config/diagnostic.hpp"
#include "libgateway/config/static_config.hpp"
#include "libgateway/process/control_journal.hpp"
#include "libgateway/process/control_keyring.hpp"
#include "libgateway/sources/credential_index.hpp"
#include "libgateway/sources/document.hpp"
#include "libgateway/sources/file_watch.hpp"
#include "libgateway/sources/route_file.hpp"

namespace gateway::process {

// Owned by control's loop thread. Candidates are made by const functions, which may run on the builder thread while the
// caller holds the pass for writes; only accept() and adopt() change what is in force.
//
// Overlay objects stand behind all objects of the file: the top bit of their order key tells them apart, also in the
// journal and on disk.
class Catalogue {
public:
    enum class Files : std::uint8_t { both, routes_only };
    enum class Overlay : std::uint8_t { keep, drop };

    // The files as they are now, with the overlay.
    struct Reading {
        config::Diagnostics found;
        std::vector<std::string> dropped;                      // items left out (invalid_items: drop)
        std::shared_ptr<const config::StaticConfig> settings;  // null: the static file was not read, or is bad
        KeyringPtr keyring;                                    // of these settings
        std::optional<sources::Document> file;                 // the route file alone; nothing: it is bad
        std::optional<sources::Document> document;             // all together; nothing: this changes nothing
        std::optional<sources::CredentialIndex> credentials;   // of the document
        std::vector<std::string> hidden;                       // overlay objects that the file now defines
        std::vector<std::string> errors() const;
        std::vector<std::string> warnings() const;
    };
    // One object of the overlay made, replaced or removed.
    struct Edit {
        std::vector<std::string> errors, warnings;  // any error: the rest is void
        bool changes_something = false;
        bool removed = false;
        sources::ObjectPtr object;                     // the new one, or the one removed
        std::vector<sources::ObjectPtr> also_removed;  // credentials of a consumer that is removed
        config::Digest after;
        std::vector<config::Change> changes() const {
            std::vector<config::Change> list{sources::change_of(*object, removed)};
            for (const sources::ObjectPtr& other : also_removed) list.push_back(sources::change_of(*other, true));
            return list;
        }
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
    bool route_file_changed() { return watch_->poll(); }
    // The file is about to be read.
    void note_reading() { watch_->taken(); }

    // Takes over what the last control left, as what is in force; false if it cannot be read.
    bool adopt(const FullDelta& kept, Overlay overlay);
    // Takes over only its settings, for a start beside a static file that has become bad.
    bool adopt_settings(const FullDelta& kept);

    Reading read(Files files) const;
    // What is in force with the settings of the static file, where the route file cannot be used.
    sources::Document fallback() const;
    Edit put(config::Kind kind, const std::string& id, const std::string& content) const;
    Edit remove(config::Kind kind, const std::string& id) const;

    void accept(Reading reading);
    void accept(const Edit& edit);

    const sources::Document& document() const noexcept { return active_; }
    // "routes.yaml:12", or that it was put; empty if there is no such object.
    std::string place_of(config::Kind kind, std::string_view id) const;

private:
    using Key = std::pair<config::Kind, std::string>;
    void read_settings(Reading& reading) const;
    void read_routes(const config::StaticConfig& settings, const KeyringPtr& ring, Reading& reading) const;
    sources::Document assemble(const config::StaticConfig& settings, const sources::Document& file,
                               std::vector<std::string>* hidden) const;
    std::string group_refusal(const sources::ObjectPtr& object) const;
    std::string twin_refusal(const sources::ObjectPtr& rule) const;
    std::string owner_refusal(config::Kind kind, const std::string& id) const;
    std::vector<sources::ObjectPtr> credentials_of(config::Kind kind, const std::string& id) const;
    void forget(const sources::Object& object);
    void use(std::shared_ptr<const config::StaticConfig> settings);

    std::string config_path_;
    bool root_;
    std::shared_ptr<const config::StaticConfig> settings_;
    KeyringPtr keyring_ = std::make_shared<const keyring::Keyring>();
    std::unique_ptr<sources::FileWatch> watch_;
    sources::Document file_, active_;
    std::map<Key, sources::ObjectPtr> overlay_;
    std::uint64_t next_overlay_;
    sources::CredentialIndex credentials_{sources::program_rules().credential_key};  // of active_
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
