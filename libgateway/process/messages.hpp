// Messages between the master and its children (SOCK_SEQPACKET pair), and between control and each worker. Fixed heads,
// sizes checked; descriptors travel beside them (SCM_RIGHTS). All processes are the same binary, except across SIGUSR2.
#pragma once

#include <array>
#include <cstdint>

#include "libgateway/config/delta.hpp"
#include "libgateway/process/plan.hpp"

namespace gateway::process {

enum class WorkerState : std::uint8_t { starting, ready, lagging, draining, stopped, crashed };
std::string_view name_of(WorkerState state) noexcept;

// ---- control -> master
// -------------------------------------------------------------------------------------------------
enum class ToMaster : std::uint32_t {
    plan = 1,  // body Plan: at boot and after a reload; the master answers plan_result
    journal,   // descriptor: newest full snapshot journal (memfd); number = revision. Master keeps it for new workers
    reload_started,   // for sd_notify RELOADING=1
    reload_finished,  // number = revision now active; text = "" or the first error; for sd_notify READY=1 and STATUS
    boot_failed,      // text: why there is no plan; the master prints it and exits 1
    reopen_logs,      // gatewayctl reopen: as SIGUSR1
    stop,             // gatewayctl stop: as SIGTERM
    quit,             // gatewayctl quit: as SIGQUIT
    changes_ended,    // answer to `changes` 0: what was accepted is on disk, nothing more is
};
// ---- master -> control
// -------------------------------------------------------------------------------------------------
enum class ToControl : std::uint32_t {
    resources = 101,  // descriptors in this order: shm segment, worker channel listener, unix control socket, then of
                      // status (number: 1), metrics (2), Admin API (4) and Control API (8) the listeners that there
                      // are; body Resources
    plan_result,      // text = "" (carried out) or why not; body Resources with the ports now bound
    reload,           // SIGHUP arrived
    worker_event,     // body WorkerEvent
    reopen_logs,      // descriptor: error log
    stop,             // end now
    upgrade_note,     // text: what became of the last SIGUSR2
    changes,  // number 1: this control is in charge; 0: a new binary is about to be: accept no more changes, and
              // answer changes_ended
};
// ---- master -> worker
// --------------------------------------------------------------------------------------------------
enum class ToWorker : std::uint32_t {
    drain = 201,      // graceful: accept what waits, Connection: close, then exit 0; number = limit in ms, text "quit":
                      // the whole gateway ends
    stop,             // exit now
    reopen_logs,      // descriptors: access log, error log (each only if it is a file; order kept, flags in number: 1
                      // access, 2 error)
    add_listener,     // descriptor; body ListenerPlan; number = listener slot
    remove_listener,  // number = listener slot: accept until the queue stays empty for 1 s, then close
    pause_accept,     // reserved
    take_queue,       // descriptor; body ListenerPlan: nobody serves this queue any more; accept what waits in it until
                      // it stays empty for 1 s, then close
};
// ---- worker -> master: nothing. Its state, heartbeat and revision are read from its WorkerPage (worker_page.hpp).

struct MasterHead {
    std::uint32_t type = 0;
    std::uint32_t size = 0;  // of the body that follows
    std::uint64_t number = 0;
    FixedText<400> text;
};
struct Resources {
    std::array<std::uint16_t, max_listeners> ports{};  // by listener, after binding
    std::uint16_t status_port = 0, metrics_port = 0;
    std::uint16_t admin_port = 0, inner_port = 0;
    FixedText<108> channel_address;  // of the worker channel: abstract unix address, first byte not NUL here
    std::uint32_t reserved2 = 0;
    std::uint64_t master_started_ms = 0;  // wall clock
};
struct WorkerEvent {
    std::int32_t pid = 0;
    std::uint32_t index = 0;        // slot: position of its WorkerPage and of its sockets in each listening group
    std::uint64_t incarnation = 0;  // counts processes of that slot
    WorkerState state = WorkerState::starting;
    std::uint8_t reserved[7] = {};
    std::int32_t exit_status = 0;  // as wait(2) gives it, for crashed and stopped
    std::uint32_t crashes = 0;     // of this slot, in the last minute
};

// ---- worker <-> control, over the worker channel
// -------------------------------------------------------------------------
enum class ToWorkerChannel : std::uint32_t {
    delta = 301,  // body: an encoded delta (config/delta.hpp) or, if it is larger than 64 KiB, a descriptor of a sealed
                  // memfd holding it
    explain,      // reserved
    list_connections,  // number = request; answered by `connections`
    metrics,  // answer to FromWorker::metrics: number = status; body: the text, or, if it is larger than 64 KiB, a
              // descriptor of a sealed memfd holding it
};
enum class FromWorker : std::uint32_t {
    hello = 401,  // number = revision held (0: none); body Hello
    prepared,     // number = revision prepared
    failed,       // number = revision; text = why
    adopted,      // number = revision now serving
    connections,  // number = request; body: JSON text
    metrics,      // what are the metrics of the machine; one question at a time is answered
};
struct ChannelHead {
    std::uint32_t type = 0;
    std::uint32_t size = 0;  // of the body that follows in the same packet
    std::uint64_t number = 0;
    FixedText<240> text;
};
struct Hello {
    std::uint32_t index = 0, pid = 0;
    std::uint64_t incarnation = 0;
    config::Digest digest;
};
inline constexpr std::size_t max_packet = 128 * 1024;

}  // namespace gateway::process
