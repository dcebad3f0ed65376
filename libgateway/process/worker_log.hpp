// The access log and the error log of a worker: rings filled by the traffic thread, written by a log thread.
#pragma once

#include <memory>

#include "libgateway/base/unique_fd.hpp"
#include "libgateway/proxy/site.hpp"

namespace gateway::process {

class WorkerLog final : public proxy::ExchangeLog {
public:
    // Empty descriptors: that log is off (error log: stderr).
    WorkerLog(UniqueFd access, UniqueFd error);
    ~WorkerLog() override;
    void ended(proxy::ProxyExchange& exchange) noexcept override;
    void reopen(UniqueFd access, UniqueFd error);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace gateway::process
