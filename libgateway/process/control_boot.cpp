// How control comes to its first document: the static file, the plan, what the master sends back, the sources.
#include <boost/asio/detached.hpp>

#include "libgateway/base/clock.hpp"
#include "libgateway/base/log.hpp"
#include "libgateway/config/debug_config.hpp"
#include "libgateway/plugin/registry.hpp"
#include "libgateway/process/control_plan.hpp"
#include "libgateway/process/control_process.hpp"

namespace gateway::process {

namespace {

constexpr auto worker_wait = std::chrono::seconds(2);
// For the first full read: where a last good revision can serve, and where nothing can.
constexpr auto etcd_wait = std::chrono::milliseconds(500), etcd_wait_empty = std::chrono::milliseconds(3'000);

void log_all(const config::Diagnostics& found) {
    for (const config::Diagnostic& one : found.list()) {
        log::at(one.severity == config::Severity::error ? LogLevel::error : LogLevel::warn, "{}", one.text());
    }
}

std::string summary(const config::Diagnostics& found) {
    for (const config::Diagnostic& one : found.list()) {
        if (one.severity == config::Severity::error)
            return found.errors() == 1 ? one.text()
                                       : fmt::format("{} errors, the first: {}", found.errors(), one.text());
    }
    return "the static file cannot be read";
}

}  // namespace

asio::awaitable<void> Control::boot() {
    if (!read_static_file()) co_return;
    while (!segment_) {
        master_said_.expires_at(asio::steady_timer::time_point::max());
        co_await master_said_.async_wait(quietly);
    }
    co_await first_document();
    asio::co_spawn(loop_, poll(), asio::detached);
}

// False: this process has no reason to live. A control that is started again needs no good file: the plan in force
// stays.
bool Control::read_static_file() {
    const config::Diagnostics found = catalogue_.read_static();
    log_all(found);
    situation_.source = catalogue_.source();
    std::string problem = found.ok() ? make_plan(catalogue_.settings(), situation_.plan) : summary(found);
    if (problem.empty()) problem = plugin_registry().problem();
    static_file_good_ = problem.empty();
    if (!static_file_good_ && start_.has_plan) {
        log::error("{}; the settings in force stay", problem);
        situation_.plan = start_.plan;
    } else if (!static_file_good_) {
        master_.send(ToMaster::boot_failed, 0, problem);
        master_.flush();
        exit_status_ = 1;
        loop_.stop();
        return false;
    }
    log::set_level(static_cast<LogLevel>(situation_.plan.error_log_level));
    if (start_.has_plan) keep_until_restart(start_.plan, situation_.plan);
    master_.send(ToMaster::plan, 0, {}, bytes_of(situation_.plan));
    return true;
}

void Control::attach(Received received) {
    segment_ = shm::Segment::attach(std::move(received.segment));
    auto* pages = segment_->zone_as<WorkerPages>(workers_zone);
    auto* page = segment_->zone_as<ControlPage>(control_zone);
    if (!pages || !page) throw std::runtime_error("shared memory lacks the zones of workers or control");
    disk_ = std::make_unique<LastGood>(std::string(situation_.plan.data_dir.view()) + "/last-good");
    revisions_ = std::make_unique<Revisions>(
        loop_, builder_, *disk_, Revisions::Shared{pages, page}, Revisions::Limits{},
        [this](int fd, std::uint64_t revision) { master_.send(ToMaster::journal, revision, {}, {}, fd); });
    status_ =
        std::make_unique<StatusPage>(situation_, *revisions_, *pages, shm::Tables(*segment_, {max_workers + 1, 1}));
    revisions_->channels().serve_metrics([this] { return exporter().tell(); });
    revisions_->channels().listen(std::move(received.channel));
    debug_file_ = std::make_unique<DebugFile>(
        config::debug_file_of(start_.options.config_path, config::process_environment()), page->debug);
    if (in_charge_) debug_file_->poll();
    tickets_ = std::make_unique<TicketRotation>(page->ticket_keys);
    if (in_charge_) tickets_->poll();
    users_ = std::move(received.socket);
    probers_ = std::move(received.status);
    scrapers_ = std::move(received.metrics);
    admins_ = std::move(received.admin);
    inners_ = std::move(received.inner);
    if (in_charge_) listen_to_users();
}

void Control::listen_to_users() {
    if (users_) {
        server_ = std::make_unique<ControlServer>(
            loop_, [this](control::Request request) { return handle(std::move(request)); });
        server_->listen(std::move(users_));
    }
    if (probers_) {
        status_api_ = std::make_unique<admin::StatusApi>(loop_, [this] { return status_->not_ready(); });
        status_api_->listen(std::move(probers_));
    }
    open_doors();
    if (scrapers_) exporter().listen(std::move(scrapers_));
}

MetricsExporter& Control::exporter() {
    if (!metrics_) metrics_ = std::make_unique<MetricsExporter>(loop_, *segment_, [this] { return metrics_facts(); });
    return *metrics_;
}

// Where workers live, the journal holds what was committed last; the disk may be a moment behind.
std::optional<FullDelta> Control::kept_document(std::uint64_t epoch) const {
    auto kept = start_.journal && epoch != 0 ? fold_committed(start_.journal.get()) : std::nullopt;
    return kept && kept->revision == epoch ? std::move(kept) : disk_->load();
}

asio::awaitable<void> Control::first_document() {
    const Turnstile::Pass pass = co_await writes_.enter();
    if (static_file_good_) log_all(catalogue_.complete_keyring());
    disk_->protect(catalogue_.keyring());
    const std::uint64_t epoch = revisions_->epoch();
    auto kept = co_await on_thread(builder_, [this, epoch] { return kept_document(epoch); });
    start_.journal.reset();
    if (kept && epoch == 0 && catalogue_.forgets_last_good()) kept.reset();
    if (kept && !catalogue_.adopt(*kept)) kept.reset();
    if (!static_file_good_ && !(kept && catalogue_.adopt_settings(*kept))) co_await wait_for_static_file();
    disk_->protect(catalogue_.keyring());
    // Workers that live hold this very document: what changed since goes to them as a difference.
    const bool resumes = kept && epoch != 0 && kept->revision == epoch;
    if (resumes) {
        begin_with(*kept);
        catalogue_.note_file_revision(kept->revision);
        co_await wait_for_workers();
    }
    catalogue_.note_reading();
    const auto stored = co_await open_store();
    auto work = [this, &stored] { return catalogue_.read(Catalogue::Files::routes_only, stored ? &*stored : nullptr); };
    Catalogue::Reading reading = co_await on_thread(builder_, work);
    Outcome outcome;
    if (stored && !reading.shelf) put_store_off();
    if (resumes && !reading.document) {
        // Workers hold what is kept; the store may know better all the same.
        outcome = refused("start", reading.errors());
        catalogue_.fall_back(reading);
        co_await apply(std::move(reading), "start");
    } else if (resumes) {
        outcome = co_await apply(std::move(reading), "start");
    } else {
        outcome = begin_anew(std::move(reading), kept, epoch);
        co_await wait_for_workers();
    }
    if (etcd_ && !stored) begin_without_etcd(kept.has_value(), outcome);
    if (etcd_) {
        co_await catch_up();
    } else if (unkept_ && in_charge_) {
        store::Store::Write first = std::move(*unkept_);
        unkept_.reset();
        co_await commit(std::move(first));
    }
    remember(outcome);
    situation_.synchronised = true;
    refresh_doors();
    if (in_charge_) open_doors();
    tell_master();
}

// What the store holds; nothing if it cannot be used: the objects of the last good revision stay in force then.
asio::awaitable<std::optional<std::vector<store::Entry>>> Control::open_store() {
    const config::StaticConfig& settings = catalogue_.settings();
    follow_etcd();
    if (etcd_) {
        co_await open_history();
        const bool empty = catalogue_.document().size() == 0;
        const auto limit = empty ? etcd_wait_empty : etcd_wait;
        // Without keys nothing can be taken in; what comes waits for them.
        auto objects = co_await etcd_->first(catalogue_.keyring() ? limit : limit.zero());
        note_store();
        co_return objects;
    }
    situation_.store = settings.deployment.local.path;
    if (!settings.local_provider()) {
        store_.disable(settings.standalone_api()
                           ? "standalone API mode: the configuration comes as a whole, by PUT /apisix/admin/configs"
                           : "this gateway has no store: its config_provider is not `local`");
        situation_.store.clear();
        co_return std::vector<store::Entry>();
    }
    const config::HistorySettings& history = settings.gateway.history;
    auto contents = co_await store_.open(situation_.store, {history.revisions, history.bytes.bytes});
    note_store();
    if (!contents) {
        log::error("the store cannot be used: {}; objects of the last good revision stay", store_.problem());
        co_return std::nullopt;
    }
    kept_number_ = contents->last;
    kept_digest_ = std::move(contents->last_digest);
    trial_ = std::move(contents->trial);
    note_store();
    revisions_->number_above(kept_number_);
    co_return std::move(contents->objects);
}

// It is open, but its objects could not be taken in: nobody may write to it.
void Control::put_store_off() {
    store_.disable("the store waits for a good configuration: it is taken in by the next reload");
    trial_.reset();
    note_store();
}

// Neither the file nor what is kept tells the settings: workers serve on with what they have, control answers
// `loading`.
asio::awaitable<void> Control::wait_for_static_file() {
    asio::steady_timer tick(loop_);
    while (!catalogue_.read_static().ok()) {
        tick.expires_after(std::chrono::seconds(1));
        co_await tick.async_wait(quietly);
    }
}

// The first document of this machine, or one that its workers have to be sent whole. Numbers go on from the last ones.
Control::Outcome Control::begin_anew(Catalogue::Reading reading, const std::optional<FullDelta>& kept,
                                     std::uint64_t epoch) {
    Outcome outcome;
    outcome.record.by = "start";
    outcome.record.warnings = reading.warnings();
    outcome.record.errors = reading.errors();
    outcome.record.result = reading.document ? "applied" : "refused";
    const bool has_routes = reading.document || kept;
    if (!has_routes) situation_.missing = "configuration has not been loaded: " + summary(reading.found);
    if (!reading.document && kept)
        outcome.record.warnings.push_back(fmt::format("the last good revision {} is used", kept->revision));
    if (!reading.document) catalogue_.fall_back(reading);
    const std::uint64_t last = std::max({kept ? kept->revision : 0, epoch, kept_number_});
    const std::string digest = reading.document->digest().text();
    const bool as_kept = kept && kept->digest == reading.document->digest() && kept->revision == last;
    const bool same = as_kept || (kept_number_ == last && kept_digest_ == digest);
    const std::uint64_t number = same ? last : last + 1;
    begin_with(encode_full(*reading.document, number));
    catalogue_.note_file_revision(number);
    if (digest != kept_digest_ && store_.usable())
        unkept_ = write_of(reading, {number,
                                     wall_ms(),
                                     {etcd_ ? "etcd" : "file", ""},
                                     "start",
                                     etcd_ ? etcd_->address() : situation_.source,
                                     digest,
                                     0});
    outcome.changes = reading.document->size();
    catalogue_.accept(std::move(reading));
    note_whole();
    return outcome;
}

void Control::begin_with(FullDelta document) {
    situation_.changed_ms = wall_ms();
    revisions_->start(std::move(document));
}

// Until every worker that serves has said which document it holds, or it is clear that one will not.
asio::awaitable<void> Control::wait_for_workers() {
    if (start_.takes_over) co_return;  // they hold to the control of their own binary
    const auto deadline = std::chrono::steady_clock::now() + worker_wait;
    asio::steady_timer tick(loop_);
    while (!revisions_->all_introduced() && std::chrono::steady_clock::now() < deadline) {
        tick.expires_after(std::chrono::milliseconds(10));
        co_await tick.async_wait(quietly);
    }
}

}  // namespace gateway::process
