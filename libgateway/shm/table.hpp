// A fixed-size hash table in shared memory: keyed 128-bit hashes to cells of atomics that all processes of the machine
// change.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "libgateway/base/hash.hpp"

namespace gateway::shm {

// Who claims places in a table. `incarnation` tells apart the processes that had a slot one after the other.
struct Claimant {
    std::uint32_t slot = 0;  // below max_claimants
    std::uint64_t incarnation = 1;
};
inline constexpr std::uint32_t max_claimants = 136;  // workers, and the master behind them

// One entry. The words are zero when it is new; what they mean is the business of the user, who changes each with one
// atomic operation at a time, so that a process may die between any two of them. An entry is taken away by eviction
// only, hence a reference stays valid memory for ever, but may become another key's: users make their words such that a
// late compare-and-swap then fails.
struct alignas(64) Cell {
    std::atomic<std::uint64_t> key_low;
    std::atomic<std::int64_t> expires_ms;  // may be evicted without a warning from then on
    std::atomic<std::int64_t> used_ms;
    std::array<std::atomic<std::uint64_t>, 5> words;

    // A store only where it changes something, since the line is shared.
    static void put(std::atomic<std::int64_t>& to, std::int64_t value) noexcept {
        if (to.load(std::memory_order_relaxed) != value) to.store(value, std::memory_order_relaxed);
    }
};
static_assert(sizeof(Cell) == 64 && std::atomic<std::uint64_t>::is_always_lock_free);

struct TableHeader;
struct Bucket;

// A view of one zone; copied freely, one per process and zone. Looking up takes no lock. Adding locks the key's two
// buckets; the lock names its holder, so that others go on after a holder's death.
class Table {
public:
    // Lays out a zeroed zone. Once, by the master, before anybody attaches. False if the zone is too small.
    static bool format(std::span<std::byte> zone, const HashKey& key) noexcept;

    Table() noexcept = default;
    // Empty if the zone was not formatted. `in_use`: entries that must not be evicted; may be null.
    Table(std::span<std::byte> zone, const Claimant& who, std::string_view name,
          bool (*in_use)(const Cell&) = nullptr) noexcept;
    explicit operator bool() const noexcept { return header_ != nullptr; }

    // For hash128: secret, the same in all processes.
    HashKey key() const noexcept;
    // Null if there is none.
    Cell* find(const Hash128& key, std::int64_t now_ms) const noexcept;
    // The entry of that key, made if it is not there, expiring after `ttl_ms` unless its user says otherwise. Full:
    // takes the place of the least recently used of the places where the key may be, and warns once a second. Null if
    // all of them are in use.
    Cell* find_or_add(const Hash128& key, std::int64_t now_ms, std::int64_t ttl_ms) const noexcept;

    // Of live entries, since the zone was made.
    std::uint64_t evictions() const noexcept;
    std::uint64_t entries() const noexcept;  // living or expired
    std::uint64_t capacity() const noexcept;

    // Cells by number, for tables that are named by other shared memory. Null if there is no such cell.
    std::uint64_t index_of(const Cell& cell) const noexcept;
    Cell* cell_at(std::uint64_t index) const noexcept;

    // The process that had `slot` is dead: what it was about to add is free for others. By whoever reaps it.
    void bury(std::uint32_t slot) const noexcept;

private:
    class Lock;
    struct Place {
        Bucket* bucket;
        std::size_t way;
    };
    Bucket& bucket_at(std::uint64_t hash) const noexcept;
    Cell* scan(const Hash128& key, std::int64_t now_ms) const noexcept;
    Place choose(Bucket& first, Bucket& second, std::int64_t now_ms) const noexcept;
    void count_eviction(std::int64_t now_ms) const noexcept;

    TableHeader* header_ = nullptr;
    Bucket* buckets_ = nullptr;
    std::uint64_t bucket_count_ = 0;
    Claimant who_;
    std::string_view name_;
    bool (*in_use_)(const Cell&) = nullptr;
};

// Memory of a table that belongs to one process, for tests and tools.
class OwnZone {
public:
    explicit OwnZone(std::size_t size);
    std::span<std::byte> bytes() const noexcept { return {memory_.get(), size_}; }

private:
    struct Free {
        void operator()(std::byte* memory) const noexcept;
    };
    std::unique_ptr<std::byte[], Free> memory_;
    std::size_t size_;
};

}  // namespace gateway::shm
