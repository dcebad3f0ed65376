// Which series an exchange counts in, remembered by what decides it, so that a known case costs no text.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/telemetry/series.hpp"

namespace gateway::plugins {

// Everything that the labels follow from. The route by its serial, texts that may differ within one route as they are.
struct SeriesCase {
    std::uint64_t route = 0;
    const char* pattern = nullptr;  // where the matched pattern stands in the route
    const char* source = nullptr;   // static text
    unsigned status = 0;
    std::array<std::string_view, 4> texts;  // host, node, consumer, values of extra labels

    std::uint64_t hash() const noexcept;
};

// The series of one case; null where the page was full.
struct SeriesSet {
    telemetry::Series* status = nullptr;
    telemetry::Series* latency = nullptr;
    telemetry::Series* bandwidth = nullptr;
};

// One thread. Grows with the cases it sees, up to a limit; then it is emptied and begins anew.
class SeriesCache {
public:
    static constexpr std::size_t most = 65'536;

    // Null if the case is not known. No allocation.
    const SeriesSet* find(const SeriesCase& wanted, std::uint64_t hash) const noexcept;
    const SeriesSet& add(const SeriesCase& known, std::uint64_t hash, const SeriesSet& set);
    std::size_t size() const noexcept { return count_; }

private:
    struct Entry {
        std::uint64_t hash = 0, route = 0;
        const char *pattern = nullptr, *source = nullptr;
        unsigned status = 0;
        std::array<std::string, 4> texts;
        SeriesSet set;
    };
    static bool matches(const Entry& entry, const SeriesCase& wanted) noexcept;
    void place(std::unique_ptr<Entry> entry) noexcept;
    void grow();

    std::vector<std::unique_ptr<Entry>> slots_;  // a power of two, at most half full
    std::size_t count_ = 0;
};

}  // namespace gateway::plugins
