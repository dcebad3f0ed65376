#include "libgateway/proxy/laters.hpp"

#include <exception>
#include <utility>

#include "libgateway/base/log.hpp"

namespace gateway::proxy {

bool Laters::add(Milliseconds after, Task<void> work) {
    if (draining_) return false;
    const auto later = waiting_.emplace(waiting_.end(), *this, std::move(work));
    later->self = later;
    reactor_.arm(*later, after);
    return true;
}

void Laters::drain() {
    draining_ = true;
    while (!waiting_.empty()) begin(waiting_.begin());
}

void Laters::begin(std::list<Later>::iterator later) {
    Task<void> work = std::move(later->work);
    waiting_.erase(later);
    ++running_;
    spawn(run(*this, std::move(work)));
}

Task<void> Laters::run(Laters& laters, Task<void> work) {
    try {
        co_await work;
    } catch (const std::exception& error) {
        log::error("work of a plugin beside the exchanges failed: {}", error.what());
    }
    --laters.running_;
}

}  // namespace gateway::proxy
