// How a worker comes to its configuration: the journal at its start, deltas from control from then on, both by the same
// builder.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "libgateway/base/task.hpp"
#include "libgateway/net/reactor.hpp"
#include "libgateway/net/wait.hpp"
#include "libgateway/process/entry.hpp"
#include "libgateway/process/messages.hpp"
#include "libgateway/process/packet.hpp"
#include "libgateway/process/worker_metrics.hpp"
#include "libgateway/process/worker_page.hpp"
#include "libgateway/process/worker_settings.hpp"
#include "libgateway/proxy/site.hpp"

namespace gateway::process {

class WorkerConfig {
public:
    WorkerConfig(proxy::Site& site, const WorkerStart& start, WorkerPage& page, const ControlPage& control,
                 std::function<void(const WorkerSettings&)> settings_changed);
    ~WorkerConfig();

    // Replays the journal, not in slices: nobody is served yet. False: there is nothing usable in it.
    bool load_journal();
    // Talks to control for the rest of the process's life; again after every end.
    void begin();
    // Takes over the newest prepared revision that the epoch allows. Cheap when there is none.
    void adopt();
    // Takes over what debug.yaml says if it changed, and new keys of tickets; costs a load each otherwise.
    void look_at_debug();
    bool has_configuration() const noexcept { return static_cast<bool>(site_.snapshot); }
    // True once after each turn in which a delta was prepared or adopted.
    bool worked() noexcept { return std::exchange(worked_, false); }

private:
    Task<void> talk();
    Task<void> serve_channel();
    Task<void> take_packet();
    Task<void> prepare(std::vector<char> own, UniqueFd shared);
    SnapshotPtr base_for(std::uint64_t from) const;
    bool connect();
    void say(FromWorker what, std::uint64_t number, std::string_view text = {}, std::span<const std::byte> body = {});
    void say_hello();
    void install(SnapshotPtr snapshot);
    void use_tls_settings(const config::SslSection& ssl);
    void look_at_tickets();
    std::string describe_connections() const;

    proxy::Site& site_;
    const WorkerStart& start_;
    WorkerPage& page_;
    const ControlPage& control_;
    net::Descriptor channel_;
    net::Sleeper sleeper_;
    PacketReader<ChannelHead> packets_;
    MetricsQuestions metrics_;
    std::deque<SnapshotPtr> prepared_;  // newer than what is served, oldest first
    std::function<void(const WorkerSettings&)> settings_changed_;
    const WorkerSettings* settings_of_ = nullptr;
    DebugState debug_;
    std::uint64_t debug_version_ = 0, tickets_version_ = 0;
    tls::ServerSettings tls_settings_;
    bool worked_ = false;
};

}  // namespace gateway::process
