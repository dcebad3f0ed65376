// The metrics endpoint of control: adds up what the workers keep in shared memory and serves it as text.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "libgateway/admin/http_server.hpp"
#include "libgateway/admin/series_sum.hpp"
#include "libgateway/process/control_async.hpp"
#include "libgateway/process/control_channel.hpp"
#include "libgateway/process/control_gauges.hpp"
#include "libgateway/process/worker_page.hpp"
#include "libgateway/shm/segment.hpp"

namespace gateway::process {

// Made and destroyed on control's loop, works on two threads of its own that give way to everything else: one makes the
// text every `refresh_interval`, from the first scraper that may come or the first question of a worker on; the other
// serves it, for at most two of them. Neither a change of the configuration nor a request waits for a scraper, whatever
// the size of the text. No worker is asked or disturbed.
class MetricsExporter {
public:
    // `ask` runs on `control_loop`; that and the segment outlive this object.
    MetricsExporter(asio::io_context& control_loop, const shm::Segment& segment, std::function<MetricsFacts()> ask);
    ~MetricsExporter();
    void listen(UniqueFd listener);
    // For a worker: 404 if the plugin is not loaded. Waits for the first text.
    asio::awaitable<WorkerChannels::MetricsAnswer> tell();

private:
    void start();
    // All below: on loop_.
    bool fresh() const noexcept;
    std::optional<WorkerChannels::MetricsAnswer> told();
    asio::awaitable<void> refresh();
    asio::awaitable<admin::Reply> answer(admin::Request request);
    admin::Reply reply_to(const admin::Request& request) const;

    asio::io_context& control_loop_;
    const shm::Segment& segment_;
    const std::function<MetricsFacts()> ask_;
    asio::io_context loop_;
    admin::HttpServer server_;
    std::shared_ptr<const std::string> text_;
    std::chrono::steady_clock::time_point good_until_;
    std::string uri_;
    PayloadPtr payload_;                             // of payload_of_, for workers
    std::shared_ptr<const std::string> payload_of_;  // null: of none
    bool started_ = false;                           // the threads; on control's loop
    bool tried_ = false;                             // to make a text
    asio::thread_pool renderer_{1};
    std::thread thread_;
};

// What the plugins of a route took, in all workers.
std::vector<admin::PluginTime> plugin_times(const shm::Segment& segment, std::string_view route);

// The whole text, from the pages of all worker slots.
std::string render_metrics(const shm::Segment& segment, const MetricsFacts& facts);

}  // namespace gateway::process
