// The control process: reads the sources, makes revisions of them, answers gatewayctl and the Status API.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libgateway/admin/status_api.hpp"
#include "libgateway/process/control_async.hpp"
#include "libgateway/process/control_catalogue.hpp"
#include "libgateway/process/control_debug.hpp"
#include "libgateway/process/control_explain.hpp"
#include "libgateway/process/control_last_good.hpp"
#include "libgateway/process/control_link.hpp"
#include "libgateway/process/control_metrics.hpp"
#include "libgateway/process/control_revisions.hpp"
#include "libgateway/process/control_server.hpp"
#include "libgateway/process/control_status.hpp"
#include "libgateway/process/entry.hpp"
#include "libgateway/shm/segment.hpp"

namespace gateway::process {

// What the master hands over; the listeners may be empty.
struct Received {
    UniqueFd segment, channel, socket, status, metrics;
};

// One per control process. Three threads: the loop (all of this), a builder (reading files, folding journals, routers
// for explain) and the disk (last good revision). Everything that changes the document holds a pass of `writes_` and
// ends in publish(); traffic does not notice when this process dies.
class Control {
public:
    explicit Control(ControlStart start);
    // The exit status of the process.
    int run();

    // What an attempt to change something came to.
    struct Outcome {
        control::Status status = control::Status::ok;
        ReloadRecord record;
        std::size_t changes = 0;
        std::vector<std::uint32_t> lagging;
        std::vector<std::string> needs_restart;
    };
    // Both files again, or only the route file; `by` says who asked, for the record.
    asio::awaitable<Outcome> reload(std::string by, Catalogue::Files files);
    // One object by the overlay.
    asio::awaitable<Outcome> put(config::Kind kind, std::string id, std::string content);
    asio::awaitable<Outcome> remove(config::Kind kind, std::string id);

    // The document in force, to look into on the builder thread; kept until the revision changes.
    asio::awaitable<std::shared_ptr<const DocumentView>> view();

    asio::io_context& loop() noexcept { return loop_; }
    asio::thread_pool& builder() noexcept { return builder_; }
    const Situation& situation() const noexcept { return situation_; }
    // Null until the master has sent the resources.
    StatusPage* status() noexcept { return status_.get(); }
    // Null until the master has sent the resources.
    const shm::Segment* segment() const noexcept { return segment_ ? &*segment_ : nullptr; }
    Revisions& revisions() noexcept { return *revisions_; }
    const Catalogue& catalogue() const noexcept { return catalogue_; }
    MasterLink& master() noexcept { return master_; }

private:
    // control_boot.cpp
    asio::awaitable<void> boot();
    bool read_static_file();
    void attach(Received received);
    asio::awaitable<void> first_document();
    std::optional<FullDelta> kept_document(std::uint64_t epoch) const;
    void begin_with(FullDelta document);
    Outcome begin_anew(Catalogue::Reading reading, const std::optional<FullDelta>& kept, std::uint64_t epoch);
    asio::awaitable<void> wait_for_workers();
    asio::awaitable<void> wait_for_static_file();
    void listen_to_users();
    MetricsExporter& exporter();  // made when first asked for

    // control_process.cpp
    void on_master(PacketReader<MasterHead>& packet);
    void on_worker_event(const WorkerEvent& event);
    void take_error_log(UniqueFd file);
    asio::awaitable<control::Answer> handle(control::Request request);
    asio::awaitable<void> on_signal();
    asio::awaitable<void> end_changes();
    void take_charge();
    asio::awaitable<void> leave();
    asio::awaitable<void> poll();
    void tell_master();
    void drop_idle_view();
    // control_change.cpp
    asio::awaitable<Outcome> apply(Catalogue::Reading reading, std::string by);
    asio::awaitable<std::string> apply_plan(const Plan& plan);
    asio::awaitable<Outcome> apply_edit(Catalogue::Edit edit, std::string by);
    void record(Outcome& outcome, const Published& published, std::size_t changes);
    Outcome refused(std::string by, std::vector<std::string> errors);
    void protect_disk(const KeyringPtr& before);
    void remember(const Outcome& outcome);

    ControlStart start_;
    asio::io_context loop_{1};
    asio::thread_pool builder_{1};
    MasterLink master_;
    Catalogue catalogue_;
    Situation situation_;
    Turnstile writes_;
    asio::steady_timer master_said_;  // cancelled when resources or a plan's answer arrive
    std::optional<shm::Segment> segment_;
    std::unique_ptr<LastGood> disk_;
    std::unique_ptr<Revisions> revisions_;
    std::unique_ptr<StatusPage> status_;
    std::unique_ptr<ControlServer> server_;
    std::unique_ptr<DebugFile> debug_file_;
    std::unique_ptr<admin::StatusApi> status_api_;
    std::unique_ptr<MetricsExporter> metrics_;
    UniqueFd users_, probers_,
        scrapers_;  // listeners of control socket, Status API and metrics until they are listened to
    std::optional<std::string> plan_answer_;  // of the last plan sent: "" or why not
    std::shared_ptr<const DocumentView> view_;
    std::chrono::steady_clock::time_point view_used_;
    Turnstile view_turn_;
    std::uint64_t told_revision_ = 0;
    bool reload_asked_ = false, static_file_good_ = false;
    bool in_charge_ = true;  // while a new binary starts, the old control answers questions and nobody changes anything
    int exit_status_ = 0;
};

// The commands of the control socket (control_commands.cpp).
struct ControlCommand {
    std::string_view name;
    asio::awaitable<control::Answer> (*run)(Control&, const control::Request&);
    bool while_loading = false;  // answers before the document is synchronised
    bool changes = false;        // only of a control that is in charge
};
std::span<const ControlCommand> control_commands();

}  // namespace gateway::process
