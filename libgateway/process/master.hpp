// The master: opens sockets and shared memory, starts control and workers, starts again what dies, obeys signals.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libgateway/process/entry.hpp"
#include "libgateway/process/listening.hpp"
#include "libgateway/process/master_channel.hpp"
#include "libgateway/process/master_logs.hpp"
#include "libgateway/process/sd_notify.hpp"
#include "libgateway/process/signals.hpp"
#include "libgateway/process/upgrade.hpp"
#include "libgateway/process/worker_table.hpp"
#include "libgateway/shm/tables.hpp"

namespace gateway::process {

// One thread, one loop, no traffic, nothing parsed but fixed messages of control and pages of workers. Lives as long as
// the gateway; across SIGUSR2 a new image takes its place in the same process. Files: master.cpp the loop,
// master_boot.cpp from nothing (or from the old image) to serving, master_plan.cpp plans, master_children.cpp fork and
// death, master_control.cpp messages with control, master_stop.cpp the ways out and the new binary.
class Master {
public:
    explicit Master(const Options& options);
    int run();  // exit status of the program

private:
    enum class Phase : std::uint8_t {
        booting,  // no plan yet
        serving,
        stopping_workers,  // drained or stopped; nothing is started any more
        stopping_control,
        ended,
    };
    struct Control {
        pid_t pid = 0;
        MasterChannel channel;
        bool has_resources = false;
        std::int64_t started_ns = 0, start_at_ns = 0, kill_at_ns = 0;
        CrashBrake brake;
    };

    // master.cpp
    void turn();
    void wait_for_something();
    void tick();
    void observe_workers();
    void start_what_is_due();
    void kill_what_is_late();
    void steer();
    void hand_over_queues();
    void tell_systemd();
    std::string status_text() const;
    void on_signals(const SignalsSeen& seen);
    void ask_for_reload();
    void reopen_logs();
    void hand_out_logs(bool everything);

    // master_boot.cpp
    void open_machine(const Plan& plan);
    void make_segment();
    void open_extra(const Plan& plan);
    void take_over(const UpgradeState& state);
    void take_over_workers(const UpgradeState& state);
    void end_changes_of_old_control();
    void take_over_segment(UniqueFd fd);
    void write_pid_file();

    // master_plan.cpp
    struct Change;  // what a plan asks for, prepared; undone if it goes out of scope uncommitted
    std::string adopt_plan(Plan next);
    std::string prepare(const Plan& next, Change& change);
    std::string prepare_listeners(const Plan& next, Change& change);
    std::string prepare_workers(const Plan& next, Change& change);
    void commit(const Plan& next, Change& change);
    void change_limits(const Plan& before);
    void announce(ListeningGroup& group);
    void withdraw(std::uint32_t listener_slot);
    ListeningGroup* find_group(const ListenerPlan& plan) noexcept;
    std::optional<std::uint32_t> next_listener_slot(const Change& change) noexcept;
    void close_withdrawn();

    // master_children.cpp
    void start_control();
    [[noreturn]] void become_control(UniqueFd channel, int parent, bool drop);
    void start_worker(std::uint32_t slot);
    [[noreturn]] void become_worker(std::uint32_t slot, UniqueFd channel, int parent);
    void reap();
    void on_control_end(int status);
    void on_old_control_end();
    void on_worker_end(std::uint32_t slot, int status);
    void retire(std::uint32_t slot);
    void release_slot(std::uint32_t slot);
    WorkerPage* page_of(std::uint32_t slot) noexcept;

    // master_control.cpp
    void read_control(Control& control);
    void on_message(Control& control);
    void on_plan(Control& control);
    void on_first_plan(const Plan& plan);
    void answer_plan(Control& control, const std::string& refusal);
    void send_resources(Control& control);
    Resources resources() const;
    void report(std::uint32_t slot, int status = 0);
    void note(const std::string& text);
    void fail_boot(const std::string& text);

    // master_stop.cpp
    void quit();
    void stop();
    void stop_control();
    void end();
    void begin_upgrade();
    void on_upgrade_check(int status);
    void reexecute();
    UpgradeState state();
    void finish_take_over();

    Options options_;
    std::string program_;
    Signals signals_;
    SdNotify notify_;
    Plan plan_;
    UniqueFd lock_;
    std::optional<shm::Segment> segment_;
    std::optional<shm::Tables> tables_;  // in the segment
    bool segment_is_new_ = false;        // workers of the old binary keep pages in another one
    LogFiles logs_;
    UniqueFd journal_, control_socket_, status_listener_, metrics_listener_, admin_listener_, inner_listener_,
        channel_listener_;
    FixedText<108> channel_address_;
    std::vector<std::unique_ptr<ListeningGroup>> groups_;
    std::uint32_t last_listener_slot_ = max_listeners - 1;
    WorkerTable workers_;
    Control control_, old_control_;  // old: of the binary from before SIGUSR2, until the new one serves
    PacketReader<MasterHead> reader_;
    std::optional<UpgradeCheck> upgrade_;
    Phase phase_ = Phase::booting;
    int exit_status_ = 0;
    std::uint32_t told_open_files_ = 0;
    std::int64_t now_ns_ = 0;
    std::uint64_t started_ms_ = 0, revision_ = 0;
    SlotSet steered_{};
    std::int64_t queues_looked_ns_ = 0;
    bool steer_again_ = false, taking_over_ = false, pending_reload_ = false, reloading_ = false, ready_told_ = false;
    bool boot_again_ = false, has_pid_file_ = false;
    bool reload_asked_ = false;  // and not yet begun: a further HUP is covered by it
};

}  // namespace gateway::process
