// Metrics with labels in shared memory: one page per worker, written by that worker only, added up by control.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "libgateway/telemetry/counters.hpp"

namespace gateway::telemetry {

enum class SeriesKind : std::uint16_t {
    http_status = 1,      // one cell
    http_latency,         // histograms by type: request, upstream, apisix
    bandwidth,            // cells: ingress, egress
    batch_entries,        // gauge
    plugin_seconds,       // one histogram, nanoseconds
    route_plugin_times,   // of one route: how often, and nanoseconds together
    log_entries_dropped,  // one cell
    route_traffic         // route_traffic.hpp; in pages of their own
};
constexpr bool is_gauge(SeriesKind kind) noexcept {
    return kind == SeriesKind::batch_entries;
}

// Label values of one series, each preceded by its length (16 bits), so that any byte may be in them.
void append_label(std::string& labels, std::string_view value);
// Takes the first value off; false if there is none, or the text is damaged.
bool next_label(std::string_view& labels, std::string_view& value) noexcept;

// What makes a series the same one. `variant` tells apart what the configuration may change (bounds of buckets, names
// of labels): cells of another variant are not added.
struct SeriesName {
    SeriesKind kind = SeriesKind::http_status;
    std::uint32_t variant = 0;
    std::uint32_t cells = 1;
    std::string_view labels;
};

// One series in a page. Names never change once it is published; cells are plain counters.
class Series {
public:
    Counter& cell(std::size_t index) noexcept { return reinterpret_cast<Counter*>(this + 1)[index]; }
    // `second`: of CLOCK_MONOTONIC, for series that expire.
    void touch(std::uint32_t second) noexcept { touched_.store(second, std::memory_order_relaxed); }

private:
    friend class SeriesWriter;
    friend class SeriesReader;
    std::uint32_t size_, cells_, variant_, label_bytes_;
    std::uint16_t kind_, reserved_;
    std::atomic<std::uint32_t> touched_;
};
static_assert(sizeof(Series) == 24 && alignof(Series) <= 8);

// Begins each page. `used`: bytes of whole series behind it, published with release.
struct SeriesHead {
    std::atomic<std::uint64_t> version, used, count, refused;
};

// A worker's side; also takes up what an earlier worker of the slot has left, so that counters never go back. A series
// that was half written when that worker died was not published, and is written over.
class SeriesWriter {
public:
    static constexpr std::uint64_t current_version = 1;
    static constexpr std::size_t most_series = 100'000;

    // `page` must be 8-aligned and outlive the writer; empty: every series is refused.
    explicit SeriesWriter(std::span<std::byte> page);
    // Looks up by the whole name, or adds. Null, counted as refused, if the page is full; the series of a page are
    // never moved, so the pointer may be kept. Allocates when it adds.
    Series* find_or_add(const SeriesName& name);
    std::uint64_t refused() const noexcept { return refused_; }

private:
    void take_over();
    Series* add(const SeriesName& name, std::uint64_t hash);
    static std::uint64_t hash_of(const SeriesName& name) noexcept;
    static SeriesName name_of(const Series& series) noexcept;

    std::span<std::byte> page_;
    SeriesHead* head_ = nullptr;
    std::uint64_t refused_ = 0;
    std::unordered_multimap<std::uint64_t, Series*> known_;
};

// Control's side: goes over the published series of one page. Trusts nothing in it: whatever does not add up ends the
// walk.
class SeriesReader {
public:
    explicit SeriesReader(std::span<const std::byte> page) noexcept;
    // False at the end. The view of the labels lives as long as the page.
    bool next() noexcept;
    const SeriesName& name() const noexcept { return name_; }
    std::uint64_t cell(std::size_t index) const noexcept;
    std::uint32_t touched() const noexcept { return current_->touched_.load(std::memory_order_relaxed); }
    std::uint64_t refused() const noexcept { return refused_; }
    // Bytes in use, of all that the page has.
    std::uint64_t used() const noexcept { return used_; }

private:
    std::span<const std::byte> page_;
    std::uint64_t used_ = 0, refused_ = 0;
    std::size_t at_ = sizeof(SeriesHead);
    const Series* current_ = nullptr;
    SeriesName name_;
};

}  // namespace gateway::telemetry
