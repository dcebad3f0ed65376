#include "libgateway/shm/gauge.hpp"

#include <algorithm>

namespace gateway::shm {

namespace {

constexpr std::size_t most_leases = 65535;
constexpr std::uint32_t nobody = 255;  // writer: whoever takes back
constexpr unsigned writer_shift = 36, count_shift = 44, cell_shift = 37;
constexpr std::uint64_t number_mask = (std::uint64_t{1} << writer_shift) - 1;
constexpr std::uint64_t most_running = (std::uint64_t{1} << (64 - count_shift)) - 1;

std::uint64_t count_of(std::uint64_t word) noexcept {
    return word >> count_shift;
}
std::uint32_t writer_of(std::uint64_t word) noexcept {
    return static_cast<std::uint32_t>(word >> writer_shift & 0xff);
}
std::uint64_t word_of(std::uint64_t count, std::uint32_t writer, std::uint64_t number) noexcept {
    return count << count_shift | std::uint64_t{writer} << writer_shift | number;
}

// What a process is about to do: the cell, whether it enters, the number of the change.
std::uint64_t intent_of(std::uint64_t cell, bool enters, std::uint64_t number) noexcept {
    return cell << cell_shift | std::uint64_t{enters} << writer_shift | number;
}

}  // namespace

struct LeaseBook {
    std::atomic<std::uint64_t> number;        // of the last change that was begun; goes on across incarnations
    std::atomic<std::uint64_t> intent;        // 0: none
    std::atomic<std::uint32_t> intent_lease;  // belongs to `intent`
    std::atomic<std::uint32_t> highest;       // leases up to here were ever used
    alignas(
        64) std::atomic<std::uint64_t> applied;  // written by others: this change was seen before it was overwritten
    alignas(64) std::array<std::atomic<std::uint32_t>, most_leases + 1> cells;  // by lease: cell + 1, or 0
};

std::size_t Gauges::zone_size(std::size_t processes) noexcept {
    return sizeof(LeaseBook) * processes;
}

Gauges::Gauges(const Table& table, std::span<std::byte> books, const Claimant& who) : table_(table), who_(who) {
    const std::size_t count = books.size() / sizeof(LeaseBook);
    if (!table || who.slot >= count || table.capacity() >= std::uint64_t{1} << (64 - cell_shift)) return;
    books_ = reinterpret_cast<LeaseBook*>(books.data());
    book_count_ = count;
}

bool Gauges::in_use(const Cell& cell) noexcept {
    return running(cell) != 0;
}

std::uint64_t Gauges::running(const Cell& cell) noexcept {
    return count_of(cell.words[0].load(std::memory_order_relaxed));
}

// Before a change of another process is overwritten it is noted in its book, so that the note is there whenever the
// word does not tell any more.
void Gauges::note_applied(std::uint64_t word) noexcept {
    const std::uint32_t writer = writer_of(word);
    if (writer == who_.slot || writer >= book_count_) return;
    std::atomic<std::uint64_t>& applied = books_[writer].applied;
    std::uint64_t known = applied.load(std::memory_order_relaxed);
    const std::uint64_t number = word & number_mask;
    while (known < number && !applied.compare_exchange_weak(known, number, std::memory_order_seq_cst)) continue;
}

std::int64_t Gauges::change(Cell& cell, int by, std::uint64_t limit, std::uint64_t number) noexcept {
    const std::uint32_t writer = number == 0 ? nobody : who_.slot;
    std::uint64_t word = cell.words[0].load(std::memory_order_acquire);
    for (;;) {
        const std::uint64_t count = count_of(word);
        if (by > 0 ? count >= limit : count == 0) return -1;
        note_applied(word);
        const std::uint64_t next = by > 0 ? count + 1 : count - 1;
        if (cell.words[0].compare_exchange_weak(word, word_of(next, writer, number), std::memory_order_seq_cst))
            return static_cast<std::int64_t>(next);
    }
}

Entered Gauges::enter(Cell& cell, std::uint64_t limit, std::int64_t now_ms) noexcept {
    limit = std::min(limit, most_running);
    LeaseBook& book = books_[who_.slot];
    Entered out;
    if (running(cell) >= limit) return out;
    LeaseId lease = 0;
    if (!free_.empty()) {
        lease = free_.back();
        free_.pop_back();
    } else if (book.highest.load(std::memory_order_relaxed) < most_leases) {
        lease = book.highest.load(std::memory_order_relaxed) + 1;
        if (free_.capacity() < lease) free_.reserve(std::size_t{lease} * 2 + 64);
        book.highest.store(lease, std::memory_order_relaxed);
    } else {
        return out;
    }
    const std::uint64_t index = table_.index_of(cell),
                        number = (book.number.load(std::memory_order_relaxed) + 1) & number_mask;
    book.number.store(number, std::memory_order_relaxed);
    book.intent_lease.store(lease, std::memory_order_relaxed);
    book.intent.store(intent_of(index, true, number), std::memory_order_seq_cst);
    const std::int64_t running_now = change(cell, 1, limit, number);
    if (running_now > 0) {
        out.admitted = true;
        out.running = static_cast<std::uint64_t>(running_now);
        book.cells[lease].store(static_cast<std::uint32_t>(index + 1), std::memory_order_seq_cst);
        out.lease = lease;
        Cell::put(cell.used_ms, now_ms);
    } else {
        free_.push_back(lease);
    }
    book.intent.store(0, std::memory_order_seq_cst);
    return out;
}

void Gauges::leave(LeaseId lease, std::int64_t now_ms) noexcept {
    LeaseBook& book = books_[who_.slot];
    if (lease == 0 || lease > most_leases) return;
    const std::uint32_t named = book.cells[lease].load(std::memory_order_relaxed);
    Cell* cell = named == 0 ? nullptr : table_.cell_at(named - 1);
    if (!cell) return;
    const std::uint64_t number = (book.number.load(std::memory_order_relaxed) + 1) & number_mask;
    book.number.store(number, std::memory_order_relaxed);
    book.intent_lease.store(lease, std::memory_order_relaxed);
    book.intent.store(intent_of(named - 1, false, number), std::memory_order_seq_cst);
    change(*cell, -1, 0, number);
    book.cells[lease].store(0, std::memory_order_seq_cst);
    book.intent.store(0, std::memory_order_seq_cst);
    Cell::put(cell->expires_ms, now_ms);
    free_.push_back(lease);
}

// The word is read before the note: a change that is overwritten in between was noted before.
bool Gauges::was_applied(const Cell& cell, std::uint32_t slot, std::uint64_t number) const noexcept {
    const std::uint64_t word = cell.words[0].load(std::memory_order_seq_cst);
    if (writer_of(word) == slot && (word & number_mask) == number) return true;
    return books_[slot].applied.load(std::memory_order_seq_cst) >= number;
}

// Brings the list of what was held up to date with a change that was under way.
void Gauges::settle_intent(std::uint32_t slot) noexcept {
    LeaseBook& book = books_[slot];
    const std::uint64_t intent = book.intent.load(std::memory_order_acquire);
    if (intent == 0) return;
    const std::uint32_t lease = std::min<std::uint32_t>(book.intent_lease.load(), most_leases);
    const std::uint64_t index = intent >> cell_shift, number = intent & number_mask;
    const bool entering = (intent >> writer_shift & 1) != 0;
    const Cell* cell = table_.cell_at(index);
    if (cell && was_applied(*cell, slot, number))
        book.cells[lease].store(entering ? static_cast<std::uint32_t>(index + 1) : 0);
    book.intent.store(0);
}

void Gauges::bury(std::uint32_t slot) noexcept {
    if (!books_ || slot >= book_count_) return;
    settle_intent(slot);
    LeaseBook& book = books_[slot];
    const std::uint32_t highest = std::min<std::uint32_t>(book.highest.load(), most_leases);
    for (std::uint32_t lease = 1; lease <= highest; ++lease) {
        const std::uint32_t named = book.cells[lease].exchange(0);
        if (Cell* cell = named == 0 ? nullptr : table_.cell_at(named - 1)) change(*cell, -1, 0, 0);
    }
    book.highest.store(0);
}

}  // namespace gateway::shm
