// Makes the Nth operation of a run fail, for N = 0, 1, 2 … until a run meets no failure: every error path is walked.
#pragma once

#include <cstddef>

namespace gateway::test {

// Asked before each operation of the code under test (by a fake stream, a scripted answer, an injected function).
class FailAfter {
public:
    explicit FailAfter(std::size_t operations) noexcept : left_(operations) {}
    // True exactly once: for the operation after `operations` good ones.
    [[nodiscard]] bool fails() noexcept {
        if (failed_ || left_-- > 0) return false;
        failed_ = true;
        return true;
    }
    bool failed() const noexcept { return failed_; }

private:
    std::size_t left_;
    bool failed_ = false;
};

// Runs `story(fail)` with the failure one operation later each time; ends with the first run that met none.
// Returns how many runs met a failure; `limit` guards against a story that never ends well.
template <class Story>
std::size_t for_each_failure(Story&& story, std::size_t limit = 10000) {
    for (std::size_t operations = 0; operations < limit; ++operations) {
        FailAfter fail(operations);
        story(fail);
        if (!fail.failed()) return operations;
    }
    return limit;
}

}  // namespace gateway::test
