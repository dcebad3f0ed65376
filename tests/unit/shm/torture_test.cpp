// Eight processes at once on the same cells, some of them killed in the middle.
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <numeric>
#include <vector>

#include "libgateway/base/clock.hpp"
#include "libgateway/shm/tables.hpp"
#include "libgateway/shm/window.hpp"
#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::shm;

namespace {

constexpr std::uint32_t processes = 8;
constexpr std::int64_t now = 1'800'000'000'000;

Segment make_machine() {
    std::vector<ZoneRequest> zones{{lease_zone, Gauges::zone_size(max_claimants)}, {"results", 4096}};
    for (const TableZone& zone : table_zones) zones.push_back({zone.name, 256u << 10});
    Segment segment = Segment::create(zones);
    REQUIRE(Tables::format(segment));
    return segment;
}

struct alignas(64) Result {
    std::atomic<std::uint64_t> admitted, done, begun;
};
using Results = std::array<Result, processes>;

class Crowd {
public:
    Crowd(const Segment& segment, const std::function<void(std::uint32_t, Tables&, Result&)>& work) {
        Results& results = *segment.zone_as<Results>("results");
        for (std::uint32_t slot = 0; slot < processes; ++slot) {
            pids_[slot] = ::fork();
            if (pids_[slot] != 0) continue;
            Tables tables(segment, {slot, 7});
            work(slot, tables, results[slot]);
            ::_exit(0);
        }
    }
    void kill(std::uint32_t slot) { ::kill(pids_[slot], SIGKILL); }
    void wait() {
        for (const pid_t pid : pids_) ::waitpid(pid, nullptr, 0);
    }

private:
    std::array<pid_t, processes> pids_{};
};

void wait_until(const std::atomic<std::uint64_t>& counter, std::uint64_t value) {
    while (counter.load() < value) ::usleep(200);
}

}  // namespace

TEST_CASE("torture: eight processes admit exactly as many as the limit, also while keys are added", "[shm][torture]") {
    const Segment segment = make_machine();
    constexpr std::uint64_t keys = 50, limit = 1000;
    Crowd crowd(segment, [&](std::uint32_t slot, Tables& tables, Result& result) {
        const Table& table = tables.table(TableId::limit_count);
        for (std::uint64_t i = 0; i < keys * 300; ++i) {
            const std::uint64_t number = (i + slot * 7) % keys;
            Cell* cell = table.find_or_add(place128(std::to_string(number), table.key()), now, 60'000);
            if (cell && take_fixed(*cell, limit, 60'000, 1, now).admitted) ++result.admitted;
            ++result.done;
        }
    });
    crowd.wait();
    std::uint64_t admitted = 0, done = 0;
    for (const Result& result : *segment.zone_as<Results>("results")) {
        admitted += result.admitted;
        done += result.done;
    }
    CHECK(done == processes * keys * 300);
    CHECK(admitted == keys * limit);
    CHECK(Tables(segment, {100, 1}).table(TableId::limit_count).entries() == keys);
}

TEST_CASE("torture: sliding windows admit exactly the limit while the current window lasts", "[shm][torture]") {
    const Segment segment = make_machine();
    Crowd crowd(segment, [&](std::uint32_t, Tables& tables, Result& result) {
        const Table& table = tables.table(TableId::limit_count);
        Cell* cell = table.find_or_add({1, 1}, now, 60'000);
        for (int i = 0; i < 20'000; ++i) {
            if (cell && take_sliding(*cell, 5000, 60'000, 1, now).admitted) ++result.admitted;
        }
    });
    crowd.wait();
    std::uint64_t admitted = 0;
    for (const Result& result : *segment.zone_as<Results>("results")) admitted += result.admitted;
    CHECK(admitted == 5000);
}

TEST_CASE("torture: kill -9 in the middle loses no count and blocks nobody", "[shm][torture]") {
    const Segment segment = make_machine();
    Results& results = *segment.zone_as<Results>("results");
    constexpr std::uint64_t rounds = 200'000;
    Crowd crowd(segment, [&](std::uint32_t slot, Tables& tables, Result& result) {
        const Table& table = tables.table(TableId::limit_count);
        for (std::uint64_t i = 0; slot < 4 || i < rounds; ++i) {
            ++result.begun;
            // One key for all, and keys that come and go in the places of others.
            Cell* cell = table.find_or_add({1, 1}, now, 60'000);
            if (cell) take_fixed(*cell, 1ull << 39, 60'000, 1, now);
            ++result.done;
            table.find_or_add({i * 0x9E3779B97F4A7C15 + slot, i}, now, -1);
        }
    });
    for (std::uint32_t slot = 0; slot < 4; ++slot) {
        wait_until(results[slot].done, 5'000);
        crowd.kill(slot);
    }
    crowd.wait();
    Tables master(segment, {128, 1});
    for (std::uint32_t slot = 0; slot < 4; ++slot) master.bury(slot);
    Cell* cell = master.table(TableId::limit_count).find({1, 1}, now);
    REQUIRE(cell);
    const std::uint64_t counted = (1ull << 39) - take_fixed(*cell, 1ull << 39, 60'000, 0, now).remaining;
    std::uint64_t done = 0, begun = 0;
    for (const Result& result : results) {
        done += result.done;
        begun += result.begun;
    }
    CHECK(counted >= done);
    CHECK(counted <= begun);
    CHECK(begun - done <= 4);
}

TEST_CASE("torture: gauges fall to zero whoever is killed", "[shm][torture]") {
    for (int round = 0; round < 20; ++round) {
        const Segment segment = make_machine();
        Results& results = *segment.zone_as<Results>("results");
        Crowd crowd(segment, [&](std::uint32_t slot, Tables& tables, Result& result) {
            Gauges& gauges = tables.connections();
            std::array<LeaseId, 3> held{};
            for (std::uint64_t i = 0; slot < 4 || i < 20'000; ++i) {
                Cell* cell = tables.table(TableId::limit_conn).find_or_add({i % 2 + 1, i % 2 + 1}, now, 60'000);
                gauges.leave(held[i % 3], now);
                held[i % 3] = gauges.enter(*cell, 12, now).lease;
                if (Gauges::running(*cell) > 12) ++result.admitted;
                ++result.done;
            }
            for (const LeaseId lease : held) gauges.leave(lease, now);
        });
        for (std::uint32_t slot = 0; slot < 4; ++slot) {
            wait_until(results[slot].done, 1000);
            crowd.kill(slot);
        }
        crowd.wait();
        Tables master(segment, {128, 1});
        for (std::uint32_t slot = 0; slot < 4; ++slot) master.bury(slot);
        for (const std::uint64_t key : {1u, 2u}) {
            Cell* cell = master.table(TableId::limit_conn).find({key, key}, now);
            REQUIRE(cell);
            CHECK(Gauges::running(*cell) == 0);
        }
        for (const Result& result : results) CHECK(result.admitted == 0);
    }
}
