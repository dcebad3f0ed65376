// What a hook returns: an answer now, or a task that will answer. A ready step costs no allocation and no suspension.
#pragma once

#include <utility>

#include "libgateway/base/task.hpp"
#include "libgateway/plugin/phase.hpp"

namespace gateway {

class [[nodiscard]] Step {
public:
    Step(Verdict verdict) noexcept : verdict_(verdict) {}
    Step(Task<Verdict> pending) noexcept : pending_(std::move(pending)) {}
    Step(Step&&) noexcept = default;
    Step& operator=(Step&&) = delete;

    bool ready() const noexcept { return !pending_.valid(); }
    Verdict verdict() const noexcept { return verdict_; }
    Task<Verdict> wait() && { return std::move(pending_); }

private:
    Task<Verdict> pending_;
    Verdict verdict_ = Verdict::next;
};

}  // namespace gateway
