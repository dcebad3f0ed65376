#include "libgateway/shm/window.hpp"

#include <algorithm>
#include <cmath>

namespace gateway::shm {

namespace {

constexpr unsigned count_bits = 40;
constexpr std::uint64_t most = (std::uint64_t{1} << count_bits) - 1;  // a count stays there
constexpr std::int64_t longest_window_ms = std::int64_t{1} << 52;
constexpr std::int64_t clock_slack_ms = 1000;  // clocks of processes differ by less

std::uint64_t count_of(std::uint64_t word) noexcept {
    return word & most;
}
std::uint64_t plus(std::uint64_t count, std::uint64_t cost) noexcept {
    return std::min(most, count + std::min(cost, most));
}

// --- fixed: word 0 the end, word 1 low bits of the end and the count, word 2 the length

std::uint64_t mark_of(std::int64_t end) noexcept {
    return static_cast<std::uint64_t>(end) << count_bits;
}

// Ends after at most its length from now on: a clock that was set back would otherwise hold a window open for long.
bool is_open(const Cell& cell, std::int64_t end, std::int64_t window, std::int64_t now) noexcept {
    const auto length = static_cast<std::int64_t>(cell.words[2].load(std::memory_order_relaxed));
    return now < end && end - now <= std::max(window, length) + clock_slack_ms;
}

// The end of the window that counts now, opened if there is none.
std::int64_t end_of_window(Cell& cell, std::int64_t window, std::int64_t now) noexcept {
    std::uint64_t word = cell.words[0].load(std::memory_order_acquire);
    for (;;) {
        if (is_open(cell, static_cast<std::int64_t>(word), window, now)) return static_cast<std::int64_t>(word);
        std::int64_t end = now + window;
        // The count of the last window must not be taken for one of this.
        if (mark_of(end) == (cell.words[1].load(std::memory_order_relaxed) & ~most)) ++end;
        cell.words[2].store(static_cast<std::uint64_t>(window), std::memory_order_relaxed);
        if (!cell.words[0].compare_exchange_strong(word, static_cast<std::uint64_t>(end), std::memory_order_acq_rel))
            continue;
        Cell::put(cell.expires_ms, end);
        return end;
    }
}

}  // namespace

WindowCount take_fixed(Cell& cell, std::uint64_t limit, std::int64_t window_ms, std::uint64_t cost,
                       std::int64_t now_ms) noexcept {
    window_ms = std::min(window_ms, longest_window_ms);
    for (;;) {
        const std::int64_t end = end_of_window(cell, window_ms, now_ms);
        std::uint64_t word = cell.words[1].load(std::memory_order_acquire);
        const std::uint64_t used = (word & ~most) == mark_of(end) ? count_of(word) : 0;
        const std::uint64_t next = plus(used, cost);
        if (!cell.words[1].compare_exchange_weak(word, mark_of(end) | next, std::memory_order_acq_rel)) continue;
        const bool admitted = next <= limit || next == most;
        return {admitted, admitted ? limit - std::min(next, limit) : 0, std::min(end - now_ms, window_ms)};
    }
}

// --- sliding: words 0 and 1 by the parity of the window's number: number, closed, count

namespace {

constexpr std::uint64_t closed = std::uint64_t{1} << count_bits;
constexpr unsigned number_shift = count_bits + 1;

std::uint64_t numbered(std::int64_t window_number) noexcept {
    return static_cast<std::uint64_t>(window_number) << number_shift;
}
bool is_of(std::uint64_t word, std::int64_t window_number) noexcept {
    return word >> number_shift == numbered(window_number) >> number_shift;
}
// Whether a word belongs to the window after `window_number`'s next, that is: this process is late.
bool is_ahead(std::uint64_t word, std::int64_t window_number) noexcept {
    return word != 0 && is_of(word, window_number + 2);
}

// The count of the window before, which nobody can add to any more.
std::uint64_t close_previous(std::atomic<std::uint64_t>& place, std::int64_t window_number) noexcept {
    std::uint64_t word = place.load(std::memory_order_acquire);
    for (;;) {
        const std::uint64_t count = is_of(word, window_number) ? count_of(word) : 0;
        const std::uint64_t shut = numbered(window_number) | closed | count;
        if (word == shut || place.compare_exchange_weak(word, shut, std::memory_order_acq_rel)) return count;
    }
}

std::int64_t up_to_10(double ms) noexcept {
    return static_cast<std::int64_t>(std::ceil(ms / 10)) * 10;
}

}  // namespace

double SlidingView::part() const noexcept {
    return static_cast<double>(std::min(previous, limit)) * static_cast<double>(left_ms) /
           static_cast<double>(window_ms);
}

WindowCount SlidingView::refused() const noexcept {
    WindowCount out;
    out.reset_ms = up_to_10(static_cast<double>(left_ms));
    if (current >= limit || previous == 0) return out;
    const double per_ms = static_cast<double>(std::min(previous, limit)) / static_cast<double>(window_ms);
    const double wait = static_cast<double>(left_ms) - static_cast<double>(limit - current) / per_ms;
    out.reset_ms = wait > 0 ? up_to_10(wait) : 0;
    return out;
}

WindowCount SlidingView::admitted() const noexcept {
    const double rest = std::floor(static_cast<double>(limit) - static_cast<double>(current) - part());
    return {true, rest > 0 ? static_cast<std::uint64_t>(rest) : 0, up_to_10(static_cast<double>(left_ms))};
}

WindowCount take_sliding(Cell& cell, std::uint64_t limit, std::int64_t window_ms, std::uint64_t cost,
                         std::int64_t now_ms) noexcept {
    window_ms = std::clamp<std::int64_t>(window_ms, 1, longest_window_ms);
    std::int64_t number = now_ms / window_ms, left = window_ms - now_ms % window_ms;
    for (;;) {
        auto& place = cell.words[static_cast<std::size_t>(number & 1)];
        std::uint64_t word = place.load(std::memory_order_acquire);
        const bool present = word != 0 && is_of(word, number);
        if ((present && (word & closed)) || is_ahead(word, number)) {  // the next window has begun elsewhere
            ++number;
            left = window_ms;
            continue;
        }
        const std::uint64_t before = close_previous(cell.words[static_cast<std::size_t>(~number & 1)], number - 1);
        SlidingView view{limit, before, present ? count_of(word) : 0, window_ms, left};
        if (view.current >= limit || view.part() + static_cast<double>(view.current) >= static_cast<double>(limit))
            return view.refused();
        view.current = plus(view.current, cost);
        if (!place.compare_exchange_weak(word, numbered(number) | view.current, std::memory_order_acq_rel)) continue;
        Cell::put(cell.expires_ms, (number + 2) * window_ms);
        return view.admitted();
    }
}

// "Empty at" says as much as excess and time of the last request together, and fits into one word: nanoseconds.
Drip take_leaky(Cell& cell, double rate, double burst, std::int64_t now_ms) noexcept {
    constexpr double second = 1e9, tolerance = 1e-6;
    const std::int64_t now = now_ms * 1'000'000;
    std::uint64_t word = cell.words[0].load(std::memory_order_acquire);
    for (;;) {
        const double ahead = static_cast<double>(static_cast<std::int64_t>(word) - now) / second;
        const bool first = word == 0 || ahead > burst / rate + 1;  // or the clock was set back
        const double excess = first ? 0 : std::max(ahead * rate + 1, 0.0);
        if (excess > burst + tolerance) return {false, excess};
        const double empty_in = std::min(excess / rate, 1e9);
        const auto next = static_cast<std::uint64_t>(now + std::llround(empty_in * second));
        if (!cell.words[0].compare_exchange_weak(word, next, std::memory_order_acq_rel)) continue;
        Cell::put(cell.expires_ms, now_ms + static_cast<std::int64_t>(empty_in * 1000) + 1000);
        return {true, excess};
    }
}

}  // namespace gateway::shm
