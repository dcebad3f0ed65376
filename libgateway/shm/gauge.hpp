// How many of something are under way now, per key and for the whole machine, right even when a process is killed.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "libgateway/shm/table.hpp"

namespace gateway::shm {

// One unit that a process holds; 0: none.
using LeaseId = std::uint32_t;

struct Entered {
    bool admitted = false;
    std::uint64_t running = 0;  // this one included, if admitted
    LeaseId lease = 0;
};

struct LeaseBook;

// The gauges of one table, and per process a book of what it holds there. Before each change of a gauge the process
// notes what it is about to do, and whoever overwrites a change notes that it had happened; so after a death it is
// always known what to take back.
//
// Word 0 of a cell: count, slot of the last writer, number of its change.
class Gauges {
public:
    static std::size_t zone_size(std::size_t processes) noexcept;

    Gauges() noexcept = default;
    // `books`: a zone of zone_size(n) bytes, zeroed when new.
    Gauges(const Table& table, std::span<std::byte> books, const Claimant& who);
    explicit operator bool() const noexcept { return books_ != nullptr; }
    // For Table: a gauge that is not 0.
    static bool in_use(const Cell& cell) noexcept;
    static std::uint64_t running(const Cell& cell) noexcept;

    // One more, if not more than `limit` are then under way. Not admitted also when this process holds too many.
    Entered enter(Cell& cell, std::uint64_t limit, std::int64_t now_ms) noexcept;
    void leave(LeaseId lease, std::int64_t now_ms) noexcept;

    // Takes back all that the dead process of `slot` held. By whoever reaps it, before the slot is used again.
    void bury(std::uint32_t slot) noexcept;

private:
    // The count afterwards; -1 if it may not be changed so. Number 0: a change that nobody has to know of.
    std::int64_t change(Cell& cell, int by, std::uint64_t limit, std::uint64_t number) noexcept;
    void note_applied(std::uint64_t word) noexcept;
    bool was_applied(const Cell& cell, std::uint32_t slot, std::uint64_t number) const noexcept;
    void settle_intent(std::uint32_t slot) noexcept;

    Table table_;
    LeaseBook* books_ = nullptr;
    std::size_t book_count_ = 0;
    Claimant who_;
    std::vector<LeaseId> free_;
};

}  // namespace gateway::shm
