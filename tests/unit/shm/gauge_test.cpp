#include "libgateway/shm/gauge.hpp"

#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::shm;

namespace {

constexpr std::int64_t now = 1'000'000;

struct Machine {
    Machine() : table_zone(64 << 10), books(Gauges::zone_size(4)) { Table::format(table_zone.bytes(), {}); }
    Table table(std::uint32_t slot) { return Table(table_zone.bytes(), {slot, 1}, "conn", &Gauges::in_use); }
    Gauges gauges(std::uint32_t slot) { return Gauges(table(slot), books.bytes(), {slot, 1}); }
    Cell& cell(std::uint64_t key = 1) { return *table(3).find_or_add({key, key}, now, 1000); }
    OwnZone table_zone, books;
};

}  // namespace

TEST_CASE("gauge: counts what is under way in all processes", "[shm][gauge]") {
    Machine machine;
    Gauges one = machine.gauges(0), other = machine.gauges(1);
    Cell& cell = machine.cell();
    const Entered first = one.enter(cell, 2, now), second = other.enter(cell, 2, now);
    CHECK((first.admitted && first.running == 1));
    CHECK((second.admitted && second.running == 2));
    CHECK_FALSE(one.enter(cell, 2, now).admitted);
    other.leave(second.lease, now);
    CHECK(Gauges::running(cell) == 1);
    CHECK(one.enter(cell, 2, now).running == 2);
    one.leave(first.lease, now);
    one.leave(first.lease, now);  // twice changes nothing
    CHECK(Gauges::running(cell) == 1);
}

TEST_CASE("gauge: what a dead process held is taken back, and nothing else", "[shm][gauge]") {
    Machine machine;
    Gauges dead = machine.gauges(0), living = machine.gauges(1), master = machine.gauges(3);
    Cell &cell = machine.cell(1), &other = machine.cell(2);
    dead.enter(cell, 9, now);
    dead.leave(dead.enter(cell, 9, now).lease, now);
    dead.enter(cell, 9, now);
    dead.enter(other, 9, now);
    const Entered kept = living.enter(cell, 9, now);
    master.bury(0);
    CHECK(Gauges::running(cell) == 1);
    CHECK(Gauges::running(other) == 0);
    master.bury(0);
    CHECK(Gauges::running(cell) == 1);
    Gauges again = machine.gauges(0);
    CHECK(again.enter(cell, 9, now).running == 2);
    living.leave(kept.lease, now);
    CHECK(Gauges::running(cell) == 1);
}

TEST_CASE("gauge: without books there are none", "[shm][gauge]") {
    OwnZone zone(64 << 10), books(Gauges::zone_size(1));
    Table::format(zone.bytes(), {});
    const Table table(zone.bytes(), {1, 1}, "conn");
    CHECK_FALSE(Gauges(table, books.bytes(), {1, 1}));
    CHECK_FALSE(Gauges(Table(), books.bytes(), {0, 1}));
    Gauges none;
    none.bury(0);
}
