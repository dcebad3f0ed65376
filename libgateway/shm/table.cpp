#include "libgateway/shm/table.hpp"

#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "libgateway/base/clock.hpp"
#include "libgateway/base/log.hpp"

namespace gateway::shm {

namespace {

constexpr std::uint64_t magic_value = 0x3130454C42415447;  // "GTABLE01"
constexpr std::size_t ways = 7;
__extension__ typedef unsigned __int128 Wide;
constexpr std::uint64_t incarnation_mask = (std::uint64_t{1} << 56) - 1;
constexpr std::int64_t patience_ns = 50'000'000;  // a holder that lives but does not go on is overruled then

}  // namespace

// The first page of a zone.
struct TableHeader {
    std::atomic<std::uint64_t> magic;
    std::uint64_t bucket_count;
    HashKey key;
    std::atomic<std::uint64_t> entries, evictions;
    std::atomic<std::int64_t> warned_second;
    std::array<std::atomic<std::uint64_t>, max_claimants> incarnations;  // of the living, by slot
};
constexpr std::size_t header_size = 4096;
static_assert(sizeof(TableHeader) <= header_size);

// Tags of a bucket share one line with its lock, so that a miss costs two lines.
struct alignas(64) Bucket {
    std::atomic<std::uint64_t> lock;                    // slot + 1 and incarnation of the holder, or 0
    std::array<std::atomic<std::uint64_t>, ways> tags;  // upper half of the key, never 0; 0: free
    std::array<Cell, ways> cells;
};
static_assert(sizeof(Bucket) == 512);

namespace {

std::uint64_t tag_of(const Hash128& key) noexcept {
    return key.high | 1;
}

std::uint64_t spread(std::uint64_t hash) noexcept {
    return (hash ^ hash >> 29) * 0x9E3779B97F4A7C15;
}

Cell* find_in(Bucket& bucket, std::uint64_t tag, std::uint64_t low) noexcept {
    for (std::size_t way = 0; way < ways; ++way) {
        if (bucket.tags[way].load(std::memory_order_acquire) != tag) continue;
        Cell& cell = bucket.cells[way];
        if (cell.key_low.load(std::memory_order_relaxed) == low) return &cell;
    }
    return nullptr;
}

}  // namespace

// Holds the locks of two buckets, taken in the order of their addresses.
class Table::Lock {
public:
    Lock(const Table& table, Bucket& one, Bucket& other) noexcept
        : table_(table),
          word_(std::uint64_t{table.who_.slot + 1} << 56 | (table.who_.incarnation & incarnation_mask)),
          first_(std::min(&one, &other)),
          second_(&one == &other ? nullptr : std::max(&one, &other)) {
        take(*first_);
        if (second_) take(*second_);
    }
    ~Lock() {
        if (second_) give(*second_);
        give(*first_);
    }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

private:
    void take(Bucket& bucket) noexcept {
        std::int64_t since = 0;
        for (unsigned tries = 0;; ++tries) {
            std::uint64_t holder = bucket.lock.load(std::memory_order_relaxed);
            const bool free = holder == 0 || dead(holder) || (tries % 64 == 63 && overdue(since));
            if (free && bucket.lock.compare_exchange_strong(holder, word_, std::memory_order_acquire)) return;
            if (tries % 64 == 63) ::sched_yield();
        }
    }
    // Not if somebody overruled this process meanwhile.
    void give(Bucket& bucket) noexcept {
        std::uint64_t mine = word_;
        bucket.lock.compare_exchange_strong(mine, 0, std::memory_order_release);
    }
    bool dead(std::uint64_t holder) const noexcept {
        const std::uint64_t slot = (holder >> 56) - 1;
        if (slot >= max_claimants) return true;
        const std::uint64_t living = table_.header_->incarnations[slot].load(std::memory_order_acquire);
        return (living & incarnation_mask) != (holder & incarnation_mask);
    }
    static bool overdue(std::int64_t& since) noexcept {
        const std::int64_t now = monotonic_ns();
        if (since == 0) since = now;
        return now - since > patience_ns;
    }

    const Table& table_;
    std::uint64_t word_;
    Bucket *first_, *second_;
};

bool Table::format(std::span<std::byte> zone, const HashKey& key) noexcept {
    if (zone.size() < header_size + sizeof(Bucket)) return false;
    auto* header = reinterpret_cast<TableHeader*>(zone.data());
    header->bucket_count = (zone.size() - header_size) / sizeof(Bucket);
    header->key = key;
    header->magic.store(magic_value, std::memory_order_release);
    return true;
}

// The header can be written by every process: its numbers are believed only within the zone.
Table::Table(std::span<std::byte> zone, const Claimant& who, std::string_view name,
             bool (*in_use)(const Cell&)) noexcept
    : who_(who), name_(name), in_use_(in_use) {
    if (zone.size() < header_size + sizeof(Bucket) || who.slot >= max_claimants) return;
    auto* header = reinterpret_cast<TableHeader*>(zone.data());
    if (header->magic.load(std::memory_order_acquire) != magic_value) return;
    header_ = header;
    buckets_ = reinterpret_cast<Bucket*>(zone.data() + header_size);
    bucket_count_ = std::clamp<std::uint64_t>(header->bucket_count, 1, (zone.size() - header_size) / sizeof(Bucket));
    header_->incarnations[who.slot].store(who.incarnation, std::memory_order_release);
}

HashKey Table::key() const noexcept {
    return header_->key;
}

Bucket& Table::bucket_at(std::uint64_t hash) const noexcept {
    return buckets_[static_cast<std::uint64_t>(static_cast<Wide>(hash) * bucket_count_ >> 64)];
}

Cell* Table::scan(const Hash128& key, std::int64_t now_ms) const noexcept {
    const std::uint64_t tag = tag_of(key);
    Cell* found = find_in(bucket_at(key.low), tag, key.low);
    if (!found) found = find_in(bucket_at(spread(key.low)), tag, key.low);
    if (found) Cell::put(found->used_ms, now_ms);
    return found;
}

Cell* Table::find(const Hash128& key, std::int64_t now_ms) const noexcept {
    return scan(key, now_ms);
}

namespace {

struct Ranked {
    std::size_t way = ways;
    int rank = 3;  // 0 free, 1 expired, 2 alive, 3 in use
    std::int64_t used = INT64_MAX;
    std::size_t room = 0;  // places that are free or expired
};

Ranked best_of(Bucket& bucket, std::int64_t now_ms, bool (*in_use)(const Cell&)) noexcept {
    Ranked best;
    for (std::size_t way = 0; way < ways; ++way) {
        const Cell& cell = bucket.cells[way];
        int rank = 2;
        if (bucket.tags[way].load(std::memory_order_relaxed) == 0) {
            rank = 0;
        } else if (in_use && in_use(cell)) {
            continue;
        } else if (cell.expires_ms.load(std::memory_order_relaxed) <= now_ms) {
            rank = 1;
        }
        if (rank < 2) ++best.room;
        const std::int64_t used = rank == 2 ? cell.used_ms.load(std::memory_order_relaxed) : 0;
        if (rank < best.rank || (rank == best.rank && used < best.used)) {
            best.way = way;
            best.rank = rank;
            best.used = used;
        }
    }
    return best;
}

}  // namespace

// The emptier of the two buckets keeps both fit for long; both locks are held.
Table::Place Table::choose(Bucket& first, Bucket& second, std::int64_t now_ms) const noexcept {
    const Ranked one = best_of(first, now_ms, in_use_), other = best_of(second, now_ms, in_use_);
    const bool rather_other = one.room != other.room
                                  ? other.room > one.room
                                  : other.rank < one.rank || (other.rank == one.rank && other.used < one.used);
    const Ranked& best = rather_other ? other : one;
    if (best.rank == 2) count_eviction(now_ms);
    if (best.rank == 0) header_->entries.fetch_add(1, std::memory_order_relaxed);
    return {rather_other ? &second : &first, best.way};
}

Cell* Table::find_or_add(const Hash128& key, std::int64_t now_ms, std::int64_t ttl_ms) const noexcept {
    if (Cell* found = scan(key, now_ms)) return found;
    Bucket &first = bucket_at(key.low), &second = bucket_at(spread(key.low));
    const Lock lock(*this, first, second);
    if (Cell* found = scan(key, now_ms)) return found;
    const Place place = choose(first, second, now_ms);
    if (place.way == ways) return nullptr;
    // The tag is the last to come and the first to go: a death in between leaves a place that is free.
    place.bucket->tags[place.way].store(0, std::memory_order_seq_cst);
    Cell& cell = place.bucket->cells[place.way];
    for (auto& word : cell.words) word.store(0, std::memory_order_relaxed);
    cell.key_low.store(key.low, std::memory_order_relaxed);
    cell.used_ms.store(now_ms, std::memory_order_relaxed);
    cell.expires_ms.store(now_ms + ttl_ms, std::memory_order_relaxed);
    place.bucket->tags[place.way].store(tag_of(key), std::memory_order_release);
    return &cell;
}

void Table::count_eviction(std::int64_t now_ms) const noexcept {
    const std::uint64_t count = header_->evictions.fetch_add(1, std::memory_order_relaxed) + 1;
    std::int64_t last = header_->warned_second.load(std::memory_order_relaxed);
    if (last == now_ms / 1000 || !header_->warned_second.compare_exchange_strong(last, now_ms / 1000)) return;
    log::warn("shared memory zone {} is full: {} entries were given up before their time so far", name_, count);
}

std::uint64_t Table::evictions() const noexcept {
    return header_ ? header_->evictions.load(std::memory_order_relaxed) : 0;
}
std::uint64_t Table::entries() const noexcept {
    return header_ ? header_->entries.load(std::memory_order_relaxed) : 0;
}
std::uint64_t Table::capacity() const noexcept {
    return bucket_count_ * ways;
}

std::uint64_t Table::index_of(const Cell& cell) const noexcept {
    const auto offset = static_cast<std::uint64_t>(reinterpret_cast<const std::byte*>(&cell) -
                                                   reinterpret_cast<const std::byte*>(buckets_));
    return offset / sizeof(Bucket) * ways + (offset % sizeof(Bucket) - offsetof(Bucket, cells)) / sizeof(Cell);
}

Cell* Table::cell_at(std::uint64_t index) const noexcept {
    if (index >= capacity()) return nullptr;
    return &buckets_[index / ways].cells[index % ways];
}

void Table::bury(std::uint32_t slot) const noexcept {
    if (header_ && slot < max_claimants) header_->incarnations[slot].store(0, std::memory_order_release);
}

OwnZone::OwnZone(std::size_t size) : size_((size + 4095) / 4096 * 4096) {
    auto* memory = static_cast<std::byte*>(std::aligned_alloc(4096, size_));
    if (!memory) throw std::bad_alloc();
    std::memset(memory, 0, size_);
    memory_.reset(memory);
}

void OwnZone::Free::operator()(std::byte* memory) const noexcept {
    std::free(memory);
}

}  // namespace gateway::shm
