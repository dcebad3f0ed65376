#include "libgateway/process/control_metrics.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "libgateway/admin/series_sum.hpp"
#include "libgateway/base/clock.hpp"
#include "libgateway/base/log.hpp"
#include "libgateway/process/messages.hpp"
#include "libgateway/process/scheduling.hpp"
#include "libgateway/telemetry/counters.hpp"

namespace gateway::process {

using admin::MetricFamily;
using admin::MetricType;
using telemetry::CounterPage;

namespace {

constexpr std::string_view no_data = R"({"message":"Failed to retrieve metrics: no data available"})";
constexpr int exporter_niceness = 19;
constexpr auto exporter_slice = std::chrono::milliseconds(100);

bool alive(const WorkerPage& page) noexcept {
    const auto state = static_cast<WorkerState>(page.state.load(std::memory_order_relaxed));
    return page.pid.load(std::memory_order_relaxed) != 0 && state != WorkerState::stopped &&
           state != WorkerState::crashed;
}

std::string labels(std::initializer_list<std::pair<std::string_view, std::string_view>> list) {
    return admin::label_text({list.begin(), list.size()});
}

// Sums over the plain counters of all slots; gauges of living workers only.
struct Totals {
    std::uint64_t accepted = 0, active = 0, exchanges = 0, requests = 0, workers = 0;
    std::uint64_t bytes_in = 0, bytes_out = 0, attempts = 0, retries = 0, lines_dropped = 0, longest_turn_ns = 0;
    std::array<std::uint64_t, 6> classes{};
    std::array<std::uint64_t, telemetry::reason_count> ended{};

    void add(const CounterPage& page, bool living) noexcept {
        using telemetry::get;
        accepted += get(page.connections_accepted);
        for (std::size_t i = 0; i < classes.size(); ++i) classes[i] += get(page.responses_by_class[i]);
        for (std::size_t i = 0; i < ended.size(); ++i) ended[i] += get(page.ended[i]);
        bytes_in += get(page.client_bytes_in);
        bytes_out += get(page.client_bytes_out);
        attempts += get(page.upstream_attempts);
        retries += get(page.upstream_retries);
        lines_dropped += get(page.log_lines_dropped);
        longest_turn_ns = std::max(longest_turn_ns, get(page.longest_turn_ns));
        if (!living) return;
        ++workers;
        active += get(page.connections_active);
        exchanges += get(page.requests_active);
    }
    std::uint64_t answered() const noexcept {
        std::uint64_t all = 0;
        for (const std::uint64_t count : classes) all += count;
        return all;
    }
};

using Families = std::vector<MetricFamily>;

void tell_node(Families& all, const std::string& prefix, const Totals& totals) {
    MetricFamily connections(prefix + "nginx_http_current_connections", "Number of HTTP connections",
                             MetricType::gauge);
    const std::uint64_t writing = std::min(totals.exchanges, totals.active);
    for (const auto& [state, count] :
         std::initializer_list<std::pair<std::string_view, std::uint64_t>>{{"active", totals.active},
                                                                           {"accepted", totals.accepted},
                                                                           {"handled", totals.accepted},
                                                                           {"reading", 0},
                                                                           {"writing", writing},
                                                                           {"waiting", totals.active - writing}}) {
        connections.add(labels({{"state", state}}), count);
    }
    MetricFamily requests(prefix + "http_requests_total", "The total number of client requests since APISIX started",
                          MetricType::gauge);
    requests.add("", totals.answered());
    std::array<char, 256> host{};
    ::gethostname(host.data(), host.size() - 1);
    MetricFamily info(prefix + "node_info", "Info of APISIX node", MetricType::gauge);
    info.add(labels({{"hostname", host.data()}, {"version", GATEWAY_VERSION}}), std::uint64_t{1});
    for (MetricFamily* family : {&connections, &requests, &info}) all.push_back(std::move(*family));
}

void tell_memory(Families& all, const std::string& prefix, const admin::SeriesSum& sum, std::uint64_t size) {
    const std::string name = labels({{"name", "prometheus-metrics"}});
    MetricFamily capacity(prefix + "shared_dict_capacity_bytes",
                          "The capacity of each nginx shared DICT since APISIX start", MetricType::gauge);
    capacity.add(name, size);
    MetricFamily free(prefix + "shared_dict_free_space_bytes",
                      "The free space of each nginx shared DICT since APISIX start", MetricType::gauge);
    free.add(name, size - std::min(size, sum.used()));
    MetricFamily errors(prefix + "nginx_metric_errors_total", "Number of nginx-lua-prometheus errors",
                        MetricType::counter);
    errors.add("", sum.refused());
    for (MetricFamily* family : {&capacity, &free, &errors}) all.push_back(std::move(*family));
}

void tell_own(Families& all, const std::string& prefix, const Totals& totals, const admin::SeriesSum& sum) {
    const auto one = [&](const char* name, const char* help, MetricType type, auto value) {
        all.emplace_back(prefix + name, help, type).add("", value);
    };
    one("workers", "Worker processes", MetricType::gauge, totals.workers);
    one("series", "Series kept by all workers, equal ones counted once", MetricType::gauge,
        static_cast<std::uint64_t>(sum.series()));
    one("series_refused_total", "Series that found no room", MetricType::counter, sum.refused());
    one("log_lines_dropped_total", "Lines of access and error logs lost to full buffers", MetricType::counter,
        totals.lines_dropped);
    one("upstream_attempts_total", "Tries at endpoints", MetricType::counter, totals.attempts);
    one("upstream_retries_total", "Tries after the first", MetricType::counter, totals.retries);
    one("longest_turn_seconds", "Longest turn of a worker's loop", MetricType::gauge,
        static_cast<double>(totals.longest_turn_ns) / 1e9);
    MetricFamily bytes(prefix + "client_bytes_total", "Bytes from and to clients", MetricType::counter);
    bytes.add(labels({{"direction", "in"}}), totals.bytes_in);
    bytes.add(labels({{"direction", "out"}}), totals.bytes_out);
    MetricFamily ended(prefix + "exchanges_ended_total", "Exchanges by the way they ended", MetricType::counter);
    for (std::size_t i = 0; i < totals.ended.size(); ++i) {
        if (totals.ended[i] == 0) continue;
        ended.add(labels({{"reason", telemetry::name_of(static_cast<telemetry::EndReason>(i))}}), totals.ended[i]);
    }
    all.push_back(std::move(bytes));
    all.push_back(std::move(ended));
}

// Null if there is no memory for it.
std::shared_ptr<const std::string> rendered(const shm::Segment& segment, const MetricsFacts& facts) try {
    return std::make_shared<const std::string>(render_metrics(segment, facts));
} catch (const std::exception& error) {
    log::error("metrics cannot be rendered: {}", error.what());
    return nullptr;
}

}  // namespace

std::vector<admin::PluginTime> plugin_times(const shm::Segment& segment, std::string_view route) {
    const config::MetricsAttr attr;
    admin::SeriesSum sum(attr, 0);
    const std::span<const std::byte> series = segment.zone(series_zone);
    for (std::size_t i = 0; i < max_workers; ++i) sum.add_page(slot_of(series, i), false);
    return sum.plugin_times(route);
}

std::string render_metrics(const shm::Segment& segment, const MetricsFacts& facts) {
    const config::MetricsAttr& attr = facts.attr;
    const auto* pages = segment.zone_as<WorkerPages>(workers_zone);
    const std::span<const std::byte> counters = segment.zone(metrics_zone), series = segment.zone(series_zone);
    admin::SeriesSum sum(attr, static_cast<std::uint32_t>(monotonic_ns() / 1'000'000'000));
    Totals totals;
    std::uint64_t used_pages = 0;
    for (std::size_t i = 0; pages && i < max_workers; ++i) {
        const bool living = alive((*pages)[i]);
        const auto page = slot_of(counters, i);
        if (page.size() >= sizeof(CounterPage)) totals.add(*reinterpret_cast<const CounterPage*>(page.data()), living);
        used_pages += (*pages)[i].incarnation.load(std::memory_order_relaxed) != 0 ? 1 : 0;
        sum.add_page(slot_of(series, i), living);
    }
    Families all = sum.families();
    tell_node(all, attr.metric_prefix, totals);
    tell_memory(all, attr.metric_prefix, sum, used_pages * slot_of(series, 0).size());
    tell_own(all, attr.own_metric_prefix, totals, sum);
    tell_control(all, facts);
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.name() < b.name(); });
    std::string text;
    for (MetricFamily& family : all) family.write(text);
    return text;
}

MetricsExporter::MetricsExporter(asio::io_context& control_loop, const shm::Segment& segment,
                                 std::function<MetricsFacts()> ask)
    : control_loop_(control_loop),
      segment_(segment),
      ask_(std::move(ask)),
      server_(loop_, {.request = [this](admin::Request request) { return answer(std::move(request)); }},
              admin::limits_of_probes()) {}

MetricsExporter::~MetricsExporter() {
    loop_.stop();
    if (thread_.joinable()) thread_.join();
    renderer_.join();
}

void MetricsExporter::listen(UniqueFd listener) {
    asio::post(loop_, [this, fd = std::move(listener)]() mutable { server_.listen(std::move(fd)); });
    start();
}

void MetricsExporter::start() {
    if (std::exchange(started_, true)) return;
    asio::co_spawn(loop_, refresh(), asio::detached);
    asio::post(renderer_, [] { step_back(exporter_niceness, exporter_slice); });
    thread_ = std::thread([this] {
        step_back(exporter_niceness, exporter_slice);
        loop_.run();
    });
}

bool MetricsExporter::fresh() const noexcept {
    return text_ && std::chrono::steady_clock::now() <= good_until_;
}

asio::awaitable<WorkerChannels::MetricsAnswer> MetricsExporter::tell() {
    if (!ask_().loaded) {
        WorkerChannels::MetricsAnswer none{404, std::make_shared<const Payload>(std::vector<char>(), 0, 0)};
        co_return none;
    }
    start();
    asio::steady_timer tick(control_loop_);
    for (;;) {
        auto look = [this] { return told(); };
        auto now = co_await on_thread(loop_, std::move(look));
        if (now) co_return std::move(*now);
        tick.expires_after(std::chrono::milliseconds(5));
        co_await tick.async_wait(quietly);
    }
}

// Nothing until the first text was tried.
std::optional<WorkerChannels::MetricsAnswer> MetricsExporter::told() {
    if (!tried_) return std::nullopt;
    const auto payload = [](std::string_view text) {
        return std::make_shared<const Payload>(std::vector<char>(text.begin(), text.end()), 0, 0);
    };
    if (!fresh()) return WorkerChannels::MetricsAnswer{500, payload(no_data)};
    if (payload_of_ != text_) {
        payload_ = payload(*text_);
        payload_of_ = text_;
    }
    return WorkerChannels::MetricsAnswer{200, payload_};
}

asio::awaitable<void> MetricsExporter::refresh() {
    asio::steady_timer tick(loop_);
    for (;;) {
        auto ask = ask_;
        const MetricsFacts facts = co_await on_thread(control_loop_, std::move(ask));
        uri_ = facts.attr.export_uri;
        auto work = [this, facts] { return rendered(segment_, facts); };
        auto text = co_await on_thread(renderer_, std::move(work));
        const auto interval = std::chrono::microseconds(static_cast<std::int64_t>(facts.attr.refresh_interval * 1e6));
        const auto now = std::chrono::steady_clock::now();
        if (text) {
            text_ = std::move(text);
            good_until_ = now + 2 * interval;
        }
        tried_ = true;
        tick.expires_at(now + interval);
        co_await tick.async_wait(quietly);
    }
}

asio::awaitable<admin::Reply> MetricsExporter::answer(admin::Request request) {
    admin::Reply reply = reply_to(request);
    reply.fields.emplace_back("Server", "gateway/" GATEWAY_VERSION);
    co_return reply;
}

admin::Reply MetricsExporter::reply_to(const admin::Request& request) const {
    const std::string_view target = request.target, path = target.substr(0, target.find('?'));
    if (request.method != "GET" || path != uri_) return {404, R"({"error_msg":"404 Route Not Found"})"};
    if (!fresh()) return {500, std::string(no_data)};
    return {200, {}, "text/plain; version=0.0.4", {}, text_};
}

}  // namespace gateway::process
