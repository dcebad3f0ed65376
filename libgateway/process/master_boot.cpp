#include <fcntl.h>

#include <cerrno>
#include <stdexcept>

#include "libgateway/base/log.hpp"
#include "libgateway/process/instance_lock.hpp"
#include "libgateway/process/master.hpp"
#include "libgateway/process/privileges.hpp"

namespace gateway::process {

namespace {

// How long an old control may take to bring its last changes to disk.
constexpr std::int64_t last_changes_ns = 5'000 * ns_per_ms;

constexpr std::size_t metrics_per_worker = 64 * 1024;

std::vector<shm::ZoneRequest> zones_of(const Plan& plan) {
    const std::size_t series_size = plan.series_size == 0 ? default_series_size : plan.series_size;
    std::vector<shm::ZoneRequest> zones{{workers_zone, sizeof(WorkerPages)},
                                        {control_zone, sizeof(ControlPage)},
                                        {metrics_zone, metrics_per_worker * max_workers},
                                        {series_zone, series_size * max_workers},
                                        {routes_zone, routes_page_size * max_workers},
                                        {shm::lease_zone, shm::Gauges::zone_size(max_workers + 1)}};
    for (std::size_t id = 0; id < shm::table_zones.size(); ++id) {
        const shm::TableZone& zone = shm::table_zones[id];
        zones.push_back({zone.name, plan.table_sizes[id] == 0 ? zone.size : plan.table_sizes[id]});
    }
    return zones;
}

}  // namespace

// Everything that can fail at start and is not a listener; listeners and workers follow by the same way as at a reload.
void Master::open_machine(const Plan& plan) {
    prepare_data_dir(plan);
    lock_ = lock_instance(std::string(plan.data_dir.view()));
    LogFiles logs = LogFiles::open(plan);
    channel_listener_ = open_channel_listener(channel_address_);
    if (plan.status) status_listener_ = open_interface(plan.status);
    open_extra(plan);
    const std::string socket(plan.socket_path.view());
    prepare_parent(socket, plan);
    control_socket_ = open_control_socket(socket, plan);
    plan_ = plan;
    plan_.worker_count = 0;
    plan_.listener_count = 0;
    make_segment();
    logs_ = std::move(logs);
    logs_.use_for_master(plan);
}

namespace {

// These addresses have defaults, so several gateways on one machine meet there: traffic does not depend on them.
void open_if_free(UniqueFd& listener, const PlanAddress& where, std::string_view without) try {
    if (where) listener = open_interface(where);
} catch (const std::exception& error) {
    log::alert("{}: {}", without, error.what());
}

}  // namespace

void Master::open_extra(const Plan& plan) {
    open_if_free(metrics_listener_, plan.metrics, "no metrics are exported");
    open_if_free(inner_listener_, plan.inner, "no Control API (apisix.control, apisix.enable_control)");
    if (plan.admin_required && plan.admin) {
        admin_listener_ = open_interface(plan.admin);
    } else {
        open_if_free(admin_listener_, plan.admin, "no Admin API (deployment.admin.admin_listen, apisix.enable_admin)");
    }
}

void Master::make_segment() {
    const auto zones = zones_of(plan_);
    segment_ = shm::Segment::create(zones);
    if (!shm::Tables::format(*segment_)) throw std::runtime_error("shared memory: a table is too small");
    tables_.emplace(*segment_, shm::Claimant{max_workers, 1});
}

void Master::write_pid_file() {
    const std::string path(plan_.pid_file.view());
    if (path.empty()) return;
    prepare_parent(path, plan_);
    const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
    const std::string line = std::to_string(::getpid()) + "\n";
    if (!file || ::write(file.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
        throw_path_error("write", path, errno);
    }
}

// This image follows another one in the same process: its children, sockets and memory are ours from here on.
void Master::take_over(const UpgradeState& state) {
    plan_ = state.plan;
    started_ms_ = state.master_started_ms;
    last_listener_slot_ = state.next_listener_slot;
    lock_.reset(state.lock);
    control_socket_.reset(state.control_socket);
    status_listener_.reset(state.status_listener);
    metrics_listener_.reset(state.metrics_listener);
    admin_listener_.reset(state.admin_listener);
    inner_listener_.reset(state.inner_listener);
    const UniqueFd journal(state.journal);  // of the old binary: the new control writes its own
    for (const ListeningGroup::Saved& saved : state.groups) {
        if (saved.used) groups_.push_back(std::make_unique<ListeningGroup>(saved));
    }
    take_over_segment(UniqueFd(state.segment));
    take_over_workers(state);
    old_control_.pid = state.control_pid;
    old_control_.channel.adopt(UniqueFd(state.control_channel));
    old_control_.has_resources = true;
    channel_listener_ =
        open_channel_listener(channel_address_);  // old workers know the old one, and stay with old control
    reopen_logs();
    has_pid_file_ = true;
    taking_over_ = true;
    steer_again_ = true;
    phase_ = Phase::serving;
    plan_.worker_count = 0;
    log::notice("new binary {} runs; old workers drain as soon as new ones are ready", GATEWAY_VERSION);
    end_changes_of_old_control();
}

// The new control begins with what the old one left on disk: a change that was accepted must be there, and none may be
// accepted afterwards.
void Master::end_changes_of_old_control() {
    control_.start_at_ns = now_ns_;
    if (old_control_.pid > 0 && old_control_.channel.send(ToControl::changes, 0))
        control_.start_at_ns += last_changes_ns;
}

void Master::take_over_segment(UniqueFd fd) {
    try {
        segment_ = shm::Segment::attach(std::move(fd));
        bool fits = true;
        for (const shm::ZoneRequest& zone : zones_of(plan_))
            fits = fits && segment_->zone(zone.name).size() >= zone.size;
        if (fits) {
            tables_.emplace(*segment_, shm::Claimant{max_workers, 1});
            return;
        }
        log::notice("shared memory of the old binary has another layout: counters begin anew");
    } catch (const std::exception& error) {
        log::notice("{}: counters begin anew", error.what());
    }
    make_segment();
    segment_is_new_ = true;
}

void Master::take_over_workers(const UpgradeState& state) {
    for (std::uint32_t slot = 0; slot < max_workers; ++slot) {
        const UpgradeState::Worker& saved = state.workers[slot];
        WorkerRecord& record = workers_[slot];
        record.incarnation = saved.incarnation;
        if (saved.pid <= 0) continue;
        record.pid = saved.pid;
        record.channel.adopt(UniqueFd(saved.channel));
        record.duty = saved.duty == static_cast<std::uint8_t>(Duty::retiring) ? Duty::retiring : Duty::serving;
        record.state = saved.state <= static_cast<std::uint8_t>(WorkerState::draining)
                           ? static_cast<WorkerState>(saved.state)
                           : WorkerState::starting;
        record.kill_at_ns = saved.kill_at_ns;
        record.previous = true;
        record.started_ns = now_ns_;
    }
}

}  // namespace gateway::process
