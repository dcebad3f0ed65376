// The control process: reads the sources, makes revisions of them, answers gatewayctl and the Status API.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libgateway/admin/status_api.hpp"
#include "libgateway/process/control_admin.hpp"
#include "libgateway/process/control_async.hpp"
#include "libgateway/process/control_catalogue.hpp"
#include "libgateway/process/control_debug.hpp"
#include "libgateway/process/control_draft.hpp"
#include "libgateway/process/control_etcd.hpp"
#include "libgateway/process/control_explain.hpp"
#include "libgateway/process/control_last_good.hpp"
#include "libgateway/process/control_link.hpp"
#include "libgateway/process/control_metrics.hpp"
#include "libgateway/process/control_revisions.hpp"
#include "libgateway/process/control_server.hpp"
#include "libgateway/process/control_status.hpp"
#include "libgateway/process/control_store.hpp"
#include "libgateway/process/control_tickets.hpp"
#include "libgateway/process/control_trial.hpp"
#include "libgateway/process/entry.hpp"
#include "libgateway/shm/segment.hpp"

namespace gateway::process {

// What the master hands over; the listeners may be empty.
struct Received {
    UniqueFd segment, channel, socket, status, metrics, admin, inner;
};

// One per control process. Four threads: the loop (all of this), a builder (reading files, folding journals, routers
// for explain), the disk (last good revision) and the store. Everything that changes the document holds a pass of
// `writes_` and ends in publish(); traffic does not notice when this process dies.
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
        store::WriteStatus write = store::WriteStatus::ok;  // of a change of objects of the store
        std::vector<store::StoredPtr> objects;              // that it made
    };
    // Why objects of the store are changed, for the history and for what goes with it.
    struct Cause {
        std::string action;  // as in store::Revision
        store::Author author;
        std::string source{};
        // Asked when no other change can come between; a text refuses the change.
        std::function<std::string()> precondition{};
        bool only_changes = false;  // objects that would stay as they are are left out
        Owned owned = Owned::refuse;
        std::optional<store::Trial> trial{};
        bool ends_trial = false;
    };
    // Both files again, or only the route file; `by` says who asked, for the record.
    asio::awaitable<Outcome> reload(std::string by, Catalogue::Files files);
    // Edits of objects of the store as one revision, all or nothing. When it returns `ok` they are on disk and in force
    // in every worker that lives, but for those that lag.
    asio::awaitable<store::Written> write(std::vector<store::Edit> edits, store::Author author,
                                          std::function<std::string()> precondition = {});
    // The same, as a command sees it.
    asio::awaitable<Outcome> change(std::vector<store::Edit> edits, Cause cause);
    // The same by a caller that holds the pass for writes.
    asio::awaitable<Outcome> change_now(std::vector<store::Edit> edits, Cause cause);
    // Standalone API mode: `next` in the place of `before`; a conflict if that is not in force any more. `ok`: it is in
    // force in every worker that lives, but for those that lag, and in the snapshot.
    asio::awaitable<store::Written> replace_whole(admin::Configuration next, admin::Configuration before,
                                                  store::Author author);
    asio::awaitable<Turnstile::Pass> enter_writes() { return writes_.enter(); }
    // Ends the trial that is under way and keeps what it tried; why not, or nothing.
    asio::awaitable<std::string> confirm();

    // The document in force, to look into on the builder thread; kept until the revision changes.
    asio::awaitable<std::shared_ptr<const DocumentView>> view();

    asio::io_context& loop() noexcept { return loop_; }
    // False while a new binary starts: nothing may be changed by this one.
    bool in_charge() const noexcept { return in_charge_; }
    // A command of the control socket; refused while it cannot be carried out.
    asio::awaitable<control::Answer> handle(control::Request request);
    asio::thread_pool& builder() noexcept { return builder_; }
    const Situation& situation() const noexcept { return situation_; }
    // Null until the master has sent the resources.
    StatusPage* status() noexcept { return status_.get(); }
    // Null until the master has sent the resources.
    const shm::Segment* segment() const noexcept { return segment_ ? &*segment_ : nullptr; }
    Revisions& revisions() noexcept { return *revisions_; }
    std::uint64_t revision() const noexcept { return revisions_->revision(); }
    std::uint64_t store_revision() const { return etcd_ ? etcd_->gauges().store : revision(); }
    // Objects are in etcd: revisions count there, and what is written is compared with them.
    bool with_etcd() const noexcept { return etcd_ != nullptr; }
    const Catalogue& catalogue() const noexcept { return catalogue_; }
    // Objects that are not in force because the checks refuse them, of file, store or etcd.
    std::vector<Catalogue::LeftOut> left_out() const;
    MasterLink& master() noexcept { return master_; }
    StoreThread& store() noexcept { return store_; }
    const std::optional<store::Trial>& trial() const noexcept { return trial_; }

private:
    // control_boot.cpp
    asio::awaitable<void> boot();
    bool read_static_file();
    void attach(Received received);
    asio::awaitable<void> first_document();
    std::optional<FullDelta> kept_document(std::uint64_t epoch) const;
    void begin_with(FullDelta document);
    Outcome begin_anew(Catalogue::Reading reading, const std::optional<FullDelta>& kept, std::uint64_t epoch);
    asio::awaitable<std::optional<std::vector<store::Entry>>> open_store();
    void put_store_off();
    asio::awaitable<void> wait_for_workers();
    asio::awaitable<void> wait_for_static_file();
    void listen_to_users();
    MetricsExporter& exporter();         // made when first asked for
    MetricsFacts metrics_facts() const;  // control_gauges.cpp
    void open_doors();
    void refresh_doors();

    // control_process.cpp
    void on_master(PacketReader<MasterHead>& packet);
    void on_worker_event(const WorkerEvent& event);
    void take_error_log(UniqueFd file);
    asio::awaitable<void> on_signal();
    asio::awaitable<void> end_changes();
    void take_charge();
    asio::awaitable<void> leave();
    asio::awaitable<void> poll();
    void tell_master();
    void drop_idle_view();
    void forget_view();
    // control_change.cpp
    asio::awaitable<Outcome> apply(Catalogue::Reading reading, std::string by);
    asio::awaitable<std::string> apply_plan(const Plan& plan);
    void record(Outcome& outcome, const Published& published, std::size_t changes);
    Outcome refused(std::string by, std::vector<std::string> errors);
    void protect_disk(const KeyringPtr& before);
    void note_whole();
    void remember(const Outcome& outcome);
    // control_write.cpp
    std::string no_writes() const;
    asio::awaitable<Outcome> carry_out(std::shared_ptr<Draft> draft, Cause cause);
    asio::awaitable<std::string> keep_draft(std::shared_ptr<Draft> draft, const Cause& cause, std::uint64_t number);
    asio::awaitable<std::string> keep_reading(const Catalogue::Reading& reading, std::string by, std::uint64_t number);
    asio::awaitable<std::string> commit(store::Store::Write write);
    void note_store();
    std::vector<std::uint32_t> pids_of(const std::vector<std::uint32_t>& workers) const;
    // control_standalone.cpp
    asio::awaitable<void> keep_snapshot(admin::Configuration whole);
    // control_incoming.cpp
    void follow_etcd();
    void begin_without_etcd(bool kept, Outcome& outcome);
    asio::awaitable<void> take(std::vector<Incoming> objects, bool whole);
    asio::awaitable<std::string> take_batch(const std::vector<Incoming>& batch, Outcome& outcome);
    // control_etcd_history.cpp
    asio::awaitable<void> open_history();
    asio::awaitable<void> keep_in_history(const Draft& draft, store::Revision revision);
    asio::awaitable<std::string> keep_incoming(const Draft& draft, std::uint64_t newest, std::uint64_t number);
    asio::awaitable<void> catch_up();
    asio::awaitable<void> catch_up_later();
    asio::awaitable<std::string> keep_difference(store::Store::Write write);
    // control_trial.cpp
    asio::awaitable<void> expire();
    asio::awaitable<void> watch_trial();
    asio::awaitable<void> revert(std::string why);
    asio::awaitable<std::string> confirm_now();

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
    StoreThread store_;
    std::unique_ptr<EtcdSource> etcd_;           // null: not the provider
    std::uint64_t kept_number_ = 0;              // the newest revision in the store
    std::string kept_digest_;                    // and its digest
    std::optional<store::Store::Write> unkept_;  // a first revision of a control that is not in charge yet
    bool behind_ = false;                        // the history of what etcd holds lacks something
    std::chrono::steady_clock::time_point next_catch_up_;
    std::optional<store::Trial> trial_;
    ResponseWatch answers_;
    std::unique_ptr<StatusPage> status_;
    std::unique_ptr<ControlServer> server_;
    std::unique_ptr<DebugFile> debug_file_;
    std::unique_ptr<TicketRotation> tickets_;
    std::unique_ptr<admin::StatusApi> status_api_;
    std::unique_ptr<MetricsExporter> metrics_;
    std::unique_ptr<AdminDoor> admin_;
    std::unique_ptr<InnerDoor> inner_;
    // Listeners of control socket, Status API, metrics, Admin API and Control API until they are listened to.
    UniqueFd users_, probers_, scrapers_, admins_, inners_;
    std::optional<std::string> plan_answer_;  // of the last plan sent: "" or why not
    std::shared_ptr<const DocumentView> view_;
    std::chrono::steady_clock::time_point view_used_;
    Turnstile view_turn_;
    std::uint64_t told_revision_ = 0;
    bool reload_asked_ = false, static_file_good_ = false;
    bool in_charge_ = true;  // while a new binary starts, the old control answers questions and nobody changes anything
    int exit_status_ = 0;
};

// The row of the history for a reading of the files (control_write.cpp).
store::Store::Write write_of(const Catalogue::Reading& reading, store::Revision revision);

// The commands of the control socket (control_commands.cpp).
struct ControlCommand {
    std::string_view name;
    asio::awaitable<control::Answer> (*run)(Control&, const control::Request&);
    bool while_loading = false;  // answers before the document is synchronised
    bool changes = false;        // only of a control that is in charge
};
std::span<const ControlCommand> control_commands();

}  // namespace gateway::process
