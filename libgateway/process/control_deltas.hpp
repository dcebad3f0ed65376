// The newest deltas as they travel to workers: encoded once, shared by all channels, bounded in number and bytes.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "libgateway/base/unique_fd.hpp"

namespace gateway::process {

// One encoded delta. Small ones travel in the packet, larger ones as one sealed memfd for all workers.
class Payload {
public:
    static constexpr std::size_t largest_in_packet = 64 * 1024;
    // Throws std::system_error if a memfd is needed and cannot be made.
    Payload(std::vector<char> bytes, std::uint64_t from, std::uint64_t to);

    std::uint64_t from() const noexcept { return from_; }
    std::uint64_t to() const noexcept { return to_; }
    std::size_t size() const noexcept { return size_; }
    // Empty if the delta is in the descriptor.
    const std::vector<char>& bytes() const noexcept { return bytes_; }
    int fd() const noexcept { return memfd_.get(); }

private:
    std::vector<char> bytes_;
    UniqueFd memfd_;
    std::size_t size_;
    std::uint64_t from_, to_;
};
using PayloadPtr = std::shared_ptr<const Payload>;

// A channel keeps a revision, not bytes: what it still has to send is looked up here. What has fallen out of the window
// can only be made good by a full delta.
class DeltaWindow {
public:
    static constexpr std::size_t most_deltas = 64, most_bytes = 16 << 20;

    void push(PayloadPtr delta);
    // Takes back the newest one (vetoed).
    void pop();
    // The delta that follows `revision`; null if it is not (or no longer) here.
    PayloadPtr after(std::uint64_t revision) const;

private:
    std::deque<PayloadPtr> deltas_;
    std::size_t bytes_ = 0;
};

}  // namespace gateway::process
