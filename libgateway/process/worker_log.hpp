// The access log and the error log of a worker: rings filled by the traffic thread, written by a log thread.
#pragma once

#include <deque>
#include <memory>

#include "libgateway/base/unique_fd.hpp"
#include "libgateway/expr/variable.hpp"
#include "libgateway/proxy/site.hpp"
#include "libgateway/snapshot/snapshot.hpp"
#include "libgateway/telemetry/access_log.hpp"
#include "libgateway/telemetry/log_thread.hpp"

namespace gateway::process {

class WorkerLog final : public proxy::ExchangeLog {
public:
    // Empty descriptors: that log is off (error log: stderr).
    WorkerLog(UniqueFd access, UniqueFd error, telemetry::CounterPage& counters);
    ~WorkerLog() override;
    void ended(proxy::ProxyExchange& exchange) noexcept override;
    // Empty descriptors stay as they are.
    void reopen(UniqueFd access, UniqueFd error);
    // Lines lost to full rings so far.
    std::uint64_t dropped() const noexcept;
    // Format and level of the static file; cheap when they are those in use.
    void configure(const WorkerSettings& settings);

private:
    telemetry::CounterPage& counters_;
    std::shared_ptr<telemetry::LogRing> access_, error_;
    std::size_t access_log_ = 0, error_log_ = 0;
    std::unique_ptr<telemetry::AccessFormat> format_;
    std::deque<expr::Variable> variables_;  // that the format's pieces point to
    std::string format_text_, escape_text_;
    telemetry::LogThread thread_;
};

}  // namespace gateway::process
