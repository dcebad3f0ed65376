#include "libgateway/shm/table.hpp"

#include <set>
#include <string>

#include "tests/support/alloc_count.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/log_lines.hpp"

using namespace gateway;
using namespace gateway::shm;

namespace {

constexpr std::int64_t now = 1'000'000, hour = 3'600'000;

struct Zone {
    explicit Zone(std::size_t size = 64 << 10) : memory(size), bytes(memory.bytes().first(size)) {
        REQUIRE(Table::format(bytes, {1, 2}));
    }
    Table as(std::uint32_t slot, std::uint64_t incarnation = 1, bool (*in_use)(const Cell&) = nullptr) {
        return Table(bytes, {slot, incarnation}, "plugin-test", in_use);
    }
    OwnZone memory;
    std::span<std::byte> bytes;
};

Hash128 key(std::size_t number) {
    return place128(std::to_string(number));
}

}  // namespace

TEST_CASE("table: an entry is found again by every process, and starts with zeroes", "[shm][table]") {
    Zone zone;
    const Table one = zone.as(0), other = zone.as(1);
    CHECK(one.find(key(1), now) == nullptr);
    Cell* cell = one.find_or_add(key(1), now, hour);
    REQUIRE(cell);
    CHECK(cell->words[0] == 0);
    cell->words[0] = 7;
    CHECK(other.find(key(1), now) == cell);
    CHECK(other.find_or_add(key(1), now, hour) == cell);
    CHECK(other.find(key(2), now) == nullptr);
    CHECK(one.entries() == 1);
    CHECK(one.cell_at(one.index_of(*cell)) == cell);
    CHECK(one.cell_at(one.capacity()) == nullptr);
}

TEST_CASE("table: takes nearly as many entries as it has room for before it evicts", "[shm][table]") {
    Zone zone(1 << 20);
    const Table table = zone.as(0);
    std::size_t added = 0;
    while (table.evictions() == 0 && added < table.capacity()) REQUIRE(table.find_or_add(key(added++), now, hour));
    INFO(added << " of " << table.capacity());
    CHECK(added > table.capacity() * 7 / 10);
    std::set<Cell*> cells;
    for (std::size_t i = 0; i + 1 < added; ++i) cells.insert(table.find(key(i), now));
    CHECK(cells.size() >= added - 2);
}

TEST_CASE("table: a full one gives up what was not used for longest, and says so once a second", "[shm][table]") {
    Zone zone(4096 + 512);  // one bucket
    const Table table = zone.as(0);
    const test::LogLines lines;
    for (std::size_t i = 0; i < 7; ++i) REQUIRE(table.find_or_add(key(i), now + static_cast<std::int64_t>(i), hour));
    REQUIRE(table.find(key(0), now + 100));
    CHECK(lines.all().empty());
    REQUIRE(table.find_or_add(key(7), now + 101, hour));
    CHECK(table.find(key(1), now + 101) == nullptr);
    CHECK(table.find(key(0), now + 101) != nullptr);
    REQUIRE(table.find_or_add(key(8), now + 102, hour));
    CHECK(table.evictions() == 2);
    CHECK(lines.all() == std::vector<std::string>{"warn: shared memory zone plugin-test is full: 1 entries were given "
                                                  "up before their time so far"});
    REQUIRE(table.find_or_add(key(9), now + 1000, hour));
    CHECK(lines.all().size() == 2);
    CHECK(table.entries() == 7);
}

TEST_CASE("table: expired entries make room first, entries in use never", "[shm][table]") {
    Zone zone(4096 + 512);
    const test::LogLines lines;
    const Table table = zone.as(0, 1, [](const Cell& cell) { return cell.words[0] != 0; });
    for (std::size_t i = 0; i < 7; ++i) table.find_or_add(key(i), now, i == 3 ? 10 : hour);
    REQUIRE(table.find_or_add(key(7), now + 10, hour));
    CHECK(table.find(key(3), now) == nullptr);
    CHECK(table.evictions() == 0);
    for (std::size_t i = 0; i < 8; ++i) {
        if (Cell* cell = table.find(key(i), now)) cell->words[0] = 1;
    }
    CHECK(table.find_or_add(key(8), now, hour) == nullptr);
    CHECK(table.entries() == 7);
}

TEST_CASE("table: whoever died while adding holds up nobody", "[shm][table]") {
    Zone zone(4096 + 512);
    zone.as(5, 9);
    const Table other = zone.as(6);
    auto* lock = reinterpret_cast<std::atomic<std::uint64_t>*>(zone.bytes.data() + 4096);
    const std::uint64_t held = std::uint64_t{5 + 1} << 56 | 9;
    SECTION("reaped by the master") {
        *lock = held;
        other.bury(5);
        REQUIRE(other.find_or_add(key(1), now, hour));
    }
    SECTION("followed by another incarnation") {
        *lock = held;
        zone.as(5, 10);
        REQUIRE(other.find_or_add(key(1), now, hour));
    }
    SECTION("not reaped yet: after some patience") {
        *lock = held;
        REQUIRE(other.find_or_add(key(1), now, hour));
    }
    SECTION("nonsense in the lock") {
        *lock = ~std::uint64_t{0};
        REQUIRE(other.find_or_add(key(1), now, hour));
    }
    CHECK(*lock == 0);
    CHECK(other.find(key(1), now) != nullptr);
}

TEST_CASE("table: a zone that is too small or was not laid out is no table", "[shm][table]") {
    OwnZone small(4096), fresh(64 << 10);
    CHECK_FALSE(Table::format(small.bytes(), {}));
    CHECK_FALSE(Table(small.bytes(), {}, "x"));
    CHECK_FALSE(Table(fresh.bytes(), {}, "x"));
    CHECK_FALSE(Table(fresh.bytes(), {max_claimants, 1}, "x"));
    CHECK_FALSE(Table());
}

TEST_CASE("table: looking up and adding allocates nothing", "[shm][table]") {
    Zone zone;
    const Table table = zone.as(0);
    // The first round fills the zone; that it is full is told once a second, which takes memory.
    for (std::uint64_t i = 0; i < 2000; ++i) table.find_or_add({i << 40, i}, now, hour);
    const test::AllocCount count;
    for (std::uint64_t i = 2000; i < 4000; ++i) table.find_or_add({i << 40, i}, now, hour);
    CHECK(count.count() == 0);
}
