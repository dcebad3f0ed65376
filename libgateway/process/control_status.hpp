// What `gatewayctl status` and the Status API tell: read from shared pages and the revision engine, never asked of
// workers.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "libgateway/json/value.hpp"
#include "libgateway/process/control_revisions.hpp"
#include "libgateway/process/messages.hpp"
#include "libgateway/process/plan.hpp"
#include "libgateway/shm/tables.hpp"

namespace gateway::process {

// How the last attempt to change something ended.
struct ReloadRecord {
    std::int64_t at_ms = 0;
    std::string by = "start";     // start, SIGHUP, gatewayctl, poll; put, delete, apply … of objects of the store
    std::string result = "none";  // applied, unchanged, refused
    std::vector<std::string> errors, warnings;
    bool of_store = false;  // not by the files
};

// Loop thread of control; plain facts that the parts of control leave here.
struct Situation {
    Plan plan;
    Resources resources;
    std::int64_t started_ms = 0, changed_ms = 0;
    std::string source;   // the route file
    std::string missing;  // why there is no document yet; empty: there is one
    ReloadRecord last;
    ReloadRecord refused;              // the last change of the files, if it was refused; else without errors
    std::string store, store_problem;  // its file, and why it cannot be written; empty: it can
    std::string trial;                 // what is being tried, for people
    std::string upgrade_note;          // what became of the last new binary
    std::array<std::uint32_t, max_workers> crashes{};
    bool synchronised = false;  // false: answers `loading`
};

class StatusPage {
public:
    StatusPage(const Situation& situation, const Revisions& revisions, const WorkerPages& pages, shm::Tables tables)
        : situation_(situation), revisions_(revisions), pages_(pages), tables_(std::move(tables)) {}

    // Why traffic should not come here; empty: ready. Texts of admin-api.md 13, and the worker that lags.
    std::string not_ready() const;
    json::Value to_json() const;
    json::Value workers() const;

private:
    bool present(std::uint32_t index) const noexcept;
    std::string_view state_of(std::uint32_t index) const noexcept;
    json::Value listeners() const;
    json::Value tables() const;

    const Situation& situation_;
    const Revisions& revisions_;
    const WorkerPages& pages_;
    shm::Tables tables_;
};

// "2026-11-21T10:00:00Z"; null for 0.
json::Value time_text(std::int64_t wall_ms);

}  // namespace gateway::process
