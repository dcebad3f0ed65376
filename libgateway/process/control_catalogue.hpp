// What is in force and where it came from: the static file, the route file and the overlay of single objects.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/config/delta.hpp"
#include "libgateway/config/diagnostic.hpp"
#include "libgateway/config/static_config.hpp"
#include "libgateway/process/control_journal.hpp"
#include "libgateway/process/plan.hpp"
#include "libgateway/sources/document.hpp"
#include "libgateway/sources/route_file.hpp"

namespace gateway::process {

// Owned by control's loop thread. Candidates are made by const functions, which may run on the builder thread while the
// caller holds the pass for writes; only accept() changes what is in force, after workers have agreed.
class Catalogue {
public:
    enum class Files : std::uint8_t { both, routes_only };
    // Both files as they are now, with the overlay kept.
    struct Reading {
        config::Diagnostics found;
        std::shared_ptr<const config::StaticConfig> settings;  // null: it could not be read
        std::optional<sources::Document> document;             // nothing: errors
        std::vector<std::string> warnings() const;
        std::vector<std::string> errors() const;
    };
    // One object of the overlay made, replaced or removed.
    struct Edit {
        std::string refusal;  // why not; the rest is void then
        std::vector<std::string> warnings;
        config::Kind kind = config::Kind::route;
        std::string id;
        bool removed = false;
    };

    explicit Catalogue(std::string config_path) : config_path_(std::move(config_path)) {}
};

}  // namespace gateway::process
