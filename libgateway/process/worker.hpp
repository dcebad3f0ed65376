// A worker process: accepts, serves, takes over new configuration while it does, and leaves without breaking anything.
#pragma once

#include <cstdlib>
#include <deque>
#include <memory>
#include <vector>

#include "libgateway/net/reactor.hpp"
#include "libgateway/net/wait.hpp"
#include "libgateway/process/entry.hpp"
#include "libgateway/process/heap_pages.hpp"
#include "libgateway/process/messages.hpp"
#include "libgateway/process/packet.hpp"
#include "libgateway/process/worker_acceptor.hpp"
#include "libgateway/process/worker_config.hpp"
#include "libgateway/process/worker_log.hpp"
#include "libgateway/process/worker_page.hpp"
#include "libgateway/proxy/site.hpp"

namespace gateway::process {

class Worker {
public:
    explicit Worker(WorkerStart start);
    ~Worker();
    int run();

private:
    Task<void> obey_master();
    // False: the master is gone.
    bool take_orders();
    void take_order();
    void begin_drain(Milliseconds limit, bool quit);
    void turn(std::int64_t length_ns);
    void count_turn(std::int64_t length_ns) noexcept;
    void publish(std::int64_t now_ns) noexcept;
    void take_queue();
    bool accepting() const noexcept;
    void finish_if_empty();

    WorkerStart start_;
    WorkerPage& page_;
    const ControlPage& control_;
    net::Reactor reactor_;
    WorkerLog log_;
    telemetry::SeriesWriter series_;
    shm::Tables tables_;
    std::unique_ptr<proxy::Site> site_;
    std::unique_ptr<WorkerConfig> config_;
    std::vector<std::unique_ptr<Acceptor>> acceptors_;  // by listener slot; null: unused
    std::vector<std::unique_ptr<Acceptor>> queues_;     // of workers that are gone; each until it is empty
    net::Descriptor master_;
    PacketReader<MasterHead> orders_;
    bool draining_ = false, quitting_ = false;
    std::int64_t drain_until_ms_ = 0, idle_checked_ms_ = 0, published_ns_ = 0;
    HeapPages heap_pages_;
    // Set in the environment by the bench: turns count by their CPU time, so that stalls of a busy host do not.
    const bool turns_by_cpu_ = std::getenv("GATEWAY_TURNS_BY_CPU") != nullptr;
    std::int64_t cpu_seen_ns_ = 0;
    std::int64_t longest_turn_ns_ = 0;
    std::uint64_t told_accepted_ = 0;
};

}  // namespace gateway::process
