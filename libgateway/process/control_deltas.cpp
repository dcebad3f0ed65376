#include "libgateway/process/control_deltas.hpp"

#include "libgateway/process/control_journal.hpp"

namespace gateway::process {

Payload::Payload(std::vector<char> bytes, std::uint64_t from, std::uint64_t to)
    : bytes_(std::move(bytes)), size_(bytes_.size()), from_(from), to_(to) {
    if (size_ <= largest_in_packet) return;
    memfd_ = sealed_memfd(bytes_);
    bytes_ = {};
}

void DeltaWindow::push(PayloadPtr delta) {
    bytes_ += delta->size();
    deltas_.push_back(std::move(delta));
    while (deltas_.size() > 1 && (deltas_.size() > most_deltas || bytes_ > most_bytes)) {
        bytes_ -= deltas_.front()->size();
        deltas_.pop_front();
    }
}

void DeltaWindow::pop() {
    bytes_ -= deltas_.back()->size();
    deltas_.pop_back();
}

PayloadPtr DeltaWindow::after(std::uint64_t revision) const {
    // Newest first: a channel is nearly always at the end.
    for (auto at = deltas_.rbegin(); at != deltas_.rend(); ++at) {
        if ((*at)->from() == revision) return *at;
        if ((*at)->to() <= revision) return nullptr;
    }
    return nullptr;
}

}  // namespace gateway::process
