// How control changes what is in force by its files: check, plan, publish, accept. Objects of the store: control_write.
#include "libgateway/base/clock.hpp"
#include "libgateway/base/log.hpp"
#include "libgateway/plugin/shared_objects.hpp"
#include "libgateway/process/control_plan.hpp"
#include "libgateway/process/control_process.hpp"

namespace gateway::process {

namespace {

constexpr auto plan_wait = std::chrono::seconds(10);

bool differ(const config::EtcdSettings& a, const config::EtcdSettings& b) {
    return a.password.text != b.password.text || !json::equal(config::write(a), config::write(b));
}

}  // namespace

asio::awaitable<Control::Outcome> Control::reload(std::string by, Catalogue::Files files) {
    const Turnstile::Pass pass = co_await writes_.enter();
    const bool told = by == "SIGHUP" || by == "gatewayctl";
    if (told) master_.send(ToMaster::reload_started);
    Outcome outcome;
    std::string failure;
    try {
        catalogue_.note_reading();
        // A store that could not be used gets another chance.
        std::optional<std::vector<store::Entry>> fresh;
        if (!store_.usable() && !etcd_) fresh = co_await open_store();
        if (!store_.usable() && etcd_) co_await open_history();
        auto work = [this, files, &fresh] { return catalogue_.read(files, fresh ? &*fresh : nullptr); };
        Catalogue::Reading reading = co_await on_thread(builder_, work);
        outcome = co_await apply(std::move(reading), by);
        if (fresh && outcome.status == control::Status::refused) put_store_off();
    } catch (const std::exception& error) {
        failure = error.what();
    }
    if (!failure.empty()) outcome = refused(by, {failure});
    remember(outcome);
    if (told)
        master_.send(ToMaster::reload_finished, revisions_->revision(),
                     outcome.record.errors.empty() ? std::string_view() : outcome.record.errors[0]);
    co_return outcome;
}

Control::Outcome Control::refused(std::string by, std::vector<std::string> errors) {
    Outcome outcome;
    outcome.status = control::Status::refused;
    outcome.record.by = std::move(by);
    outcome.record.result = "refused";
    outcome.record.errors = std::move(errors);
    return outcome;
}

asio::awaitable<Control::Outcome> Control::apply(Catalogue::Reading reading, std::string by) {
    const std::vector<std::string> warnings = reading.warnings();
    Outcome outcome;
    if (!reading.document) {
        outcome = refused(by, reading.errors());
        outcome.record.warnings = warnings;
        co_return outcome;
    }
    if (reading.settings && reading.settings->etcd_provider() != (etcd_ != nullptr))
        co_return refused(by, {"deployment: etcd becomes the provider, or stops being it, by a restart only"});
    if (reading.settings && reading.settings->standalone_api() != catalogue_.settings().standalone_api())
        co_return refused(by, {"deployment: standalone API mode begins and ends by a restart only"});
    if (reading.settings) {
        outcome.needs_restart = SharedObjects::of_this_process().differences(reading.settings->gateway.plugins_dir);
    }
    if (reading.settings && etcd_ && differ(*reading.settings->deployment.etcd, *catalogue_.settings().deployment.etcd))
        outcome.needs_restart.push_back("deployment.etcd");
    const Plan before = situation_.plan;
    Plan wanted;
    std::string refusal = reading.settings ? make_plan(*reading.settings, wanted) : std::string();
    const bool new_plan = reading.settings && refusal.empty() && !same_plan(wanted, before);
    if (new_plan) {
        const std::string kept = needs_restart(before, wanted);
        if (!kept.empty()) outcome.needs_restart.push_back(kept);
        keep_until_restart(before, wanted);
        if (!same_plan(wanted, before)) refusal = co_await apply_plan(wanted);
    }
    if (!refusal.empty()) co_return refused(by, {refusal});

    const std::vector<config::Change> changes = sources::diff(catalogue_.document(), *reading.document);
    Published published;
    published.revision = revisions_->revision();
    const Revisions::Keep keep = [this, &reading, &by](std::uint64_t number) {
        return keep_reading(reading, by, number);
    };
    if (!changes.empty()) published = co_await revisions_->publish(changes, reading.document->digest(), keep);
    if (!published.veto.empty() && new_plan) co_await apply_plan(before);
    outcome.record.by = by;
    outcome.record.warnings = warnings;
    record(outcome, published, changes.size());
    if (outcome.status == control::Status::refused) co_return outcome;
    if (new_plan && changes.empty()) outcome.record.result = "applied";
    const KeyringPtr ring_before = catalogue_.keyring();
    catalogue_.accept(std::move(reading));
    if (!changes.empty()) catalogue_.note_file_revision(published.revision);
    protect_disk(ring_before);
    refresh_doors();
    situation_.source = etcd_ ? etcd_->address() : catalogue_.source();
    if (!etcd_ || etcd_->loaded()) situation_.missing.clear();
    note_whole();
    log::set_level(static_cast<LogLevel>(situation_.plan.error_log_level));
    co_return outcome;
}

// What is kept on disk is written anew when another key encrypts.
void Control::protect_disk(const KeyringPtr& before) {
    const KeyringPtr& now = catalogue_.keyring();
    const auto id_of = [](const KeyringPtr& ring) {
        const keyring::Keyring::Entry* writer = ring ? ring->writer() : nullptr;
        return writer ? writer->key.id() : std::string(ring ? "none" : "");
    };
    disk_->protect(now);
    if (id_of(before) != id_of(now)) revisions_->keep_again();
}

void Control::record(Outcome& outcome, const Published& published, std::size_t changes) {
    if (!published.veto.empty()) {
        outcome.status = control::Status::refused;
        outcome.record.result = "refused";
        outcome.record.errors.push_back(published.veto);
        return;
    }
    outcome.record.result = changes == 0 ? "unchanged" : "applied";
    outcome.changes = changes;
    outcome.lagging = published.lagging;
    if (!published.lagging.empty()) outcome.status = control::Status::not_ready;
    for (const std::uint32_t worker : published.lagging) {
        outcome.record.warnings.push_back(fmt::format("worker {} lags: it gets the change when it runs again", worker));
    }
}

// The master's answer to a plan: empty if it was carried out. The plan in force changes with it.
asio::awaitable<std::string> Control::apply_plan(const Plan& plan) {
    const Plan wanted = plan;
    plan_answer_.reset();
    master_.send(ToMaster::plan, 0, {}, bytes_of(wanted));
    const auto deadline = std::chrono::steady_clock::now() + plan_wait;
    while (!plan_answer_ && std::chrono::steady_clock::now() < deadline) {
        master_said_.expires_at(deadline);
        co_await master_said_.async_wait(quietly);
    }
    if (!plan_answer_) co_return std::string("the master does not answer");
    if (plan_answer_->empty()) situation_.plan = wanted;
    co_return *plan_answer_;
}

// Who waits for its configuration is not ready.
void Control::note_whole() {
    const bool waits = catalogue_.settings().standalone_api() && !catalogue_.whole();
    if (waits && situation_.missing.empty())
        situation_.missing = "configuration has not been loaded: none was put to /apisix/admin/configs";
}

void Control::remember(const Outcome& outcome) {
    situation_.last = outcome.record;
    situation_.last.at_ms = wall_ms();
    if (outcome.record.result == "applied") situation_.changed_ms = situation_.last.at_ms;
    for (const std::string& error : outcome.record.errors) log::error("{}", error);
    if (outcome.record.of_store) return;
    situation_.refused = outcome.record.result == "refused" ? situation_.last : ReloadRecord();
    for (const std::string& warning : outcome.record.warnings) log::warn("{}", warning);
    if (outcome.record.result != "applied") return;
    if (outcome.record.by == "start")
        log::notice("revision {}: {} objects", revisions_->revision(), outcome.changes);
    else
        log::warn("config file {} reloaded: revision {}, {} changes", situation_.source, revisions_->revision(),
                  outcome.changes);
}

}  // namespace gateway::process
