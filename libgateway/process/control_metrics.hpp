// The metrics endpoint of control: adds up what the workers keep in shared memory and serves it as text.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/admin/series_sum.hpp"
#include "libgateway/admin/small_server.hpp"
#include "libgateway/process/control_async.hpp"
#include "libgateway/process/control_catalogue.hpp"
#include "libgateway/process/control_channel.hpp"
#include "libgateway/process/worker_page.hpp"
#include "libgateway/shm/segment.hpp"

namespace gateway::process {

// Loop thread of control; from the first scraper that may come, or the first question of a worker, on text is made on a
// thread of its own every `refresh_interval`, so that no change of the configuration waits for it, and served from
// here, for at most two of them. No worker is asked or disturbed. What it refers to must outlive the process's loop.
class MetricsExporter {
public:
    MetricsExporter(asio::io_context& loop, const shm::Segment& segment, const Catalogue& catalogue);
    void listen(UniqueFd listener);
    // For a worker: 404 if the plugin is not loaded. Waits for the first text.
    asio::awaitable<WorkerChannels::MetricsAnswer> tell();

private:
    void start();
    bool fresh() const noexcept;
    asio::awaitable<void> refresh();
    admin::SmallReply answer(std::string_view method, std::string_view target) const;

    asio::io_context& loop_;
    const shm::Segment& segment_;
    const Catalogue& catalogue_;
    admin::SmallServer server_;
    std::shared_ptr<const std::string> text_;
    std::chrono::steady_clock::time_point good_until_;
    std::string uri_;
    PayloadPtr payload_;                             // of payload_of_, for workers
    std::shared_ptr<const std::string> payload_of_;  // null: of none
    bool started_ = false, tried_ = false;           // to make a text
    asio::thread_pool renderer_{1};
};

// What the plugins of a route took, in all workers.
std::vector<admin::PluginTime> plugin_times(const shm::Segment& segment, std::string_view route);

// The whole text, from the pages of all worker slots.
std::string render_metrics(const shm::Segment& segment, const config::MetricsAttr& attr);

}  // namespace gateway::process
