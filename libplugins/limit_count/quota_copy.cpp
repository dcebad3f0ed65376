#include "libplugins/limit_count/quota_copy.hpp"

#include <algorithm>
#include <cstdlib>

namespace gateway::plugins {
namespace {

using Word = std::atomic<std::uint64_t>;

constexpr unsigned count_bits = 40;
constexpr std::uint64_t most = (std::uint64_t{1} << count_bits) - 1;  // a count stays there
constexpr std::int64_t clock_slack_ms = 1000;

enum Place : std::size_t { end_word, consumed_word, untold_word, failing_word, previous_word };

std::uint64_t mark_of(std::int64_t end) noexcept {
    return static_cast<std::uint64_t>(end) << count_bits;
}
bool is_of(std::uint64_t word, std::int64_t end) noexcept {
    return (word & ~most) == mark_of(end);
}
std::uint64_t count_in(std::uint64_t word, std::int64_t end) noexcept {
    return is_of(word, end) ? word & most : 0;
}
std::uint64_t plus(std::uint64_t a, std::uint64_t b) noexcept {
    return std::min(most, a + std::min(b, most));
}
// A clock that was set back does not hold a window open for long.
bool is_open(std::int64_t end, std::int64_t window, std::int64_t now) noexcept {
    return now < end && end - now <= window + clock_slack_ms;
}

// Not below `count` from now on, if the word is of that window or an earlier one.
void raise(Word& to, std::int64_t end, std::uint64_t count) noexcept {
    std::uint64_t word = to.load(std::memory_order_acquire);
    for (;;) {
        const std::uint64_t next = mark_of(end) | std::max(count_in(word, end), std::min(count, most));
        if (word == next || to.compare_exchange_weak(word, next, std::memory_order_acq_rel)) return;
    }
}
// Nothing if the word is of another window by now.
void change(Word& to, std::int64_t end, std::uint64_t more, std::uint64_t less) noexcept {
    std::uint64_t word = to.load(std::memory_order_acquire);
    while (is_of(word, end)) {
        const std::uint64_t count = plus(word & most, more);
        const std::uint64_t next = mark_of(end) | (count - std::min(count, less));
        if (to.compare_exchange_weak(word, next, std::memory_order_acq_rel)) return;
    }
}

// The request counted with `current` others, if the quota has room for it.
shm::WindowCount judge(const Quota& quota, std::uint64_t current, std::uint64_t previous, std::int64_t left) noexcept {
    if (!quota.sliding) {
        const std::uint64_t next = current + 1;
        if (next > quota.count) return {false, 0, std::min(left, quota.window_ms)};
        return {true, quota.count - next, std::min(left, quota.window_ms)};
    }
    shm::SlidingView view{quota.count, previous, current, quota.window_ms, left};
    if (current >= quota.count || view.part() + static_cast<double>(current) >= static_cast<double>(quota.count))
        return view.refused();
    ++view.current;
    return view.admitted();
}

}  // namespace

QuotaCopy::Decision QuotaCopy::take(const Quota& quota, std::int64_t now_ms) noexcept {
    const auto end = static_cast<std::int64_t>(cell_.words[end_word].load(std::memory_order_acquire));
    const std::uint64_t consumed = cell_.words[consumed_word].load(std::memory_order_acquire);
    if (!is_open(end, quota.window_ms, now_ms) || !is_of(consumed, end))
        return {failing() ? State::failing : State::unknown, {}};
    const std::uint64_t previous = count_in(cell_.words[previous_word].load(std::memory_order_relaxed), end);
    Word& place = cell_.words[untold_word];
    std::uint64_t word = place.load(std::memory_order_acquire);
    for (;;) {
        const std::uint64_t untold = count_in(word, end);
        const shm::WindowCount count = judge(quota, plus(consumed & most, untold), previous, end - now_ms);
        if (!count.admitted) return {State::decided, count};
        const std::uint64_t next = mark_of(end) | plus(untold, 1);
        if (place.compare_exchange_weak(word, next, std::memory_order_acq_rel)) return {State::decided, count};
    }
}

QuotaCopy::Untold QuotaCopy::take_untold(std::int64_t window_ms, bool sliding, std::int64_t now_ms) noexcept {
    Word& place = cell_.words[untold_word];
    if ((place.load(std::memory_order_acquire) & most) == 0) return {};
    const std::uint64_t word = place.exchange(0, std::memory_order_acq_rel);
    std::int64_t end = 0;
    if (sliding) {
        end = (now_ms / window_ms + 1) * window_ms;
        if (!is_of(word, end)) end -= window_ms;
    } else {
        end = static_cast<std::int64_t>(cell_.words[end_word].load(std::memory_order_acquire));
        if (!is_open(end, window_ms, now_ms)) return {};
    }
    const Untold untold{count_in(word, end), end};
    change(cell_.words[consumed_word], end, untold.amount, 0);
    return untold;
}

void QuotaCopy::give_back(const Untold& untold) noexcept {
    change(cell_.words[consumed_word], untold.end_ms, 0, untold.amount);
    Word& place = cell_.words[untold_word];
    std::uint64_t word = place.load(std::memory_order_acquire);
    for (;;) {
        if ((word & most) != 0 && !is_of(word, untold.end_ms)) return;  // the next window has begun
        const std::uint64_t next = mark_of(untold.end_ms) | plus(count_in(word, untold.end_ms), untold.amount);
        if (place.compare_exchange_weak(word, next, std::memory_order_acq_rel)) return;
    }
}

// Ends that differ by less than half a window are of the same one: how long an answer travels shifts them.
void QuotaCopy::renew(const Remote& remote, std::int64_t window_ms, bool sliding, std::int64_t now_ms) noexcept {
    Word& place = cell_.words[end_word];
    std::uint64_t word = place.load(std::memory_order_acquire);
    std::int64_t end = remote.end_ms;
    for (;;) {
        const auto old = static_cast<std::int64_t>(word);
        end = remote.end_ms;
        if (is_open(old, window_ms, now_ms)) {
            if (sliding && end < old) return;
            if (std::abs(end - old) < window_ms / 2) {
                end = old;
                break;
            }
        }
        // The counts of the last window must not be taken for those of this.
        if (!sliding && end != old && mark_of(end) == mark_of(old)) ++end;
        if (place.compare_exchange_weak(word, static_cast<std::uint64_t>(end), std::memory_order_acq_rel)) break;
    }
    raise(cell_.words[previous_word], end, remote.previous);
    raise(cell_.words[consumed_word], end, remote.consumed);
    shm::Cell::put(cell_.expires_ms, end + window_ms);
}

void QuotaCopy::set_failing(bool failing) noexcept {
    if (this->failing() != failing) cell_.words[failing_word].store(failing ? 1 : 0, std::memory_order_relaxed);
}

}  // namespace gateway::plugins
