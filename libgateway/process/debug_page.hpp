// debug.yaml as control has read it, where all workers see it: a text in shared memory with a version around it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gateway::process {

// One writer, control; made of zeroes, which is an empty text. Whoever dies while writing leaves the version odd: the
// next control writes anew.
class DebugPage {
public:
    static constexpr std::size_t room = 4096;

    std::uint64_t version() const noexcept { return version_.load(std::memory_order_acquire); }
    // False: too long, nothing changed.
    bool write(std::string_view text) noexcept;
    // Nothing while it is being written; else the text and its version.
    std::optional<std::string> read(std::uint64_t& version) const;

private:
    std::atomic<std::uint64_t> version_;  // odd: being written
    std::atomic<std::uint64_t> size_;
    std::array<std::atomic<std::uint64_t>, room / 8> words_;
};

}  // namespace gateway::process
