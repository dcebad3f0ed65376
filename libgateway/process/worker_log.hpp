// The access log and the error log of a worker: rings filled by the traffic thread, written by a log thread.
#pragma once

#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "libgateway/base/unique_fd.hpp"
#include "libgateway/expr/variable.hpp"
#include "libgateway/proxy/site.hpp"
#include "libgateway/snapshot/snapshot.hpp"
#include "libgateway/telemetry/access_log.hpp"
#include "libgateway/telemetry/log_thread.hpp"
#include "libgateway/telemetry/series.hpp"

namespace gateway::process {

class WorkerLog final : public proxy::ExchangeLog {
public:
    // Empty descriptors: that log is off (error log: stderr). `routes`: the page of counts by route.
    WorkerLog(UniqueFd access, UniqueFd error, telemetry::CounterPage& counters, std::span<std::byte> routes);
    ~WorkerLog() override;
    void ended(proxy::ProxyExchange& exchange) noexcept override;
    // Empty descriptors stay as they are.
    void reopen(UniqueFd access, UniqueFd error);
    // Lines lost to full rings so far.
    std::uint64_t dropped() const noexcept;
    // Format and level of the static file; cheap when they are those in use.
    void configure(const WorkerSettings& settings);

private:
    void count_route(const proxy::ProxyExchange& exchange) noexcept;
    telemetry::Series* traffic_of(std::string_view route) noexcept;

    telemetry::CounterPage& counters_;
    telemetry::SeriesWriter routes_;
    telemetry::Series* other_routes_ = nullptr;  // of those that found no room; null: nothing is counted
    std::string label_;                          // keeps its memory
    std::shared_ptr<telemetry::LogRing> access_, error_;
    std::size_t access_log_ = 0, error_log_ = 0;
    std::unique_ptr<telemetry::AccessFormat> format_;
    std::deque<expr::Variable> variables_;  // that the format's pieces point to
    std::string format_text_, escape_text_;
    telemetry::LogThread thread_;
};

}  // namespace gateway::process
