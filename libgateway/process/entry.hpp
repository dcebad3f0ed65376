// Where each kind of process begins. The master forks; none of these returns to main with work left.
#pragma once

#include <string>
#include <vector>

#include "libgateway/base/unique_fd.hpp"
#include "libgateway/process/plan.hpp"
#include "libgateway/shm/segment.hpp"

namespace gateway::process {

struct Options {
    std::string config_path;             // absolute
    std::vector<std::string> arguments;  // argv as started, for re-execution
};

// Supervises until a signal ends it; the exit status of the program.
int run_master(const Options& options);

struct ControlStart {
    Options options;
    UniqueFd master;          // SEQPACKET pair: messages.hpp
    UniqueFd journal;         // what workers start from; empty at the first boot
    bool respawned = false;   // the machine serves already: synchronise with the workers by digest before answering
    bool takes_over = false;  // the control of an older binary is in charge until the master says `changes` 1
    bool has_plan = false;    // `plan` is in force: what counts if the static file has become bad meanwhile
    Plan plan;
};
int run_control(ControlStart start);

struct WorkerListener {
    UniqueFd socket;  // empty: unused slot
    ListenerPlan plan;
};
struct WorkerStart {
    std::uint32_t index = 0;
    std::uint64_t incarnation = 0;
    Plan plan;
    std::vector<WorkerListener> listeners;  // by listener slot
    UniqueFd master;                        // SEQPACKET pair
    FixedText<108> channel_address;         // abstract unix SEQPACKET address of control
    UniqueFd journal;                       // newest full snapshot, may be empty (first boot)
    UniqueFd access_log, error_log;         // empty: off / stderr
    const shm::Segment* segment = nullptr;
};
// Privileges are already dropped, signals blocked, PDEATHSIG set.
int run_worker(WorkerStart start);

}  // namespace gateway::process
