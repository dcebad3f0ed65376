#include "libgateway/process/worker_table.hpp"

#include <memory>

#include "tests/support/catch.hpp"

using namespace gateway::process;

namespace {

constexpr std::int64_t second = 1'000 * ns_per_ms;

struct Slot {
    std::unique_ptr<WorkerTable> table = std::make_unique<WorkerTable>();
    std::unique_ptr<WorkerPage> page = std::make_unique<WorkerPage>();

    explicit Slot(WorkerState state) {
        (*table)[3].duty = Duty::serving;
        (*table)[3].pid = 100;
        (*table)[3].state = state;
        reset_page(*page, state, 1);
    }
    void tell(WorkerState state, std::int64_t heartbeat) {
        page->state = static_cast<std::uint32_t>(state);
        page->heartbeat_ns = heartbeat;
    }
};

}  // namespace

TEST_CASE("crash brake: the first early deaths cost nothing, then the wait doubles up to 30 s",
          "[process][worker_table]") {
    CrashBrake brake;
    std::vector<std::int64_t> waits;
    for (int i = 0; i < 14; ++i) waits.push_back(brake.died(i * second, second) / ns_per_ms);
    CHECK(waits ==
          std::vector<std::int64_t>{0, 100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000, 30000, 30000});
}

TEST_CASE("crash brake: a process that lived for a while is started again at once", "[process][worker_table]") {
    CrashBrake brake;
    for (int i = 0; i < 6; ++i) brake.died(0, 0);
    CHECK(brake.died(10 * second, 6 * second) == 0);
    CHECK(brake.died(11 * second, second) == 0);
    CHECK(brake.died(12 * second, second) == 100 * ns_per_ms);
}

TEST_CASE("crash brake: deaths older than a minute are not counted", "[process][worker_table]") {
    CrashBrake brake;
    brake.died(0, 0);
    brake.died(50 * second, 0);
    CHECK(brake.in_last_minute(55 * second) == 2);
    CHECK(brake.in_last_minute(70 * second) == 1);
    CHECK(brake.in_last_minute(200 * second) == 0);
}

TEST_CASE("worker table: a page moves the state from starting over ready to lagging and back",
          "[process][worker_table]") {
    Slot slot(WorkerState::starting);
    CHECK_FALSE(slot.table->observe(3, *slot.page, 0));
    slot.tell(WorkerState::ready, second);
    CHECK(slot.table->observe(3, *slot.page, second) == WorkerState::ready);
    CHECK(slot.table->live()[3]);
    CHECK_FALSE(slot.table->observe(3, *slot.page, second + lag_after_ns));
    CHECK(slot.table->observe(3, *slot.page, second + lag_after_ns + 1) == WorkerState::lagging);
    CHECK_FALSE(slot.table->live()[3]);
    slot.tell(WorkerState::ready, 9 * second);
    CHECK(slot.table->observe(3, *slot.page, 9 * second) == WorkerState::ready);
}

TEST_CASE("worker table: a page cannot claim what is the master's to say", "[process][worker_table]") {
    Slot slot(WorkerState::ready);
    for (const std::uint32_t raw : {0u, 4u, 5u, 6u, 0xFFFFFFFFu}) {
        slot.page->state = raw;
        CHECK_FALSE(slot.table->observe(3, *slot.page, 0));
        CHECK((*slot.table)[3].state == WorkerState::ready);
    }
}

TEST_CASE("worker table: one that retires is draining, whatever its page says", "[process][worker_table]") {
    Slot slot(WorkerState::ready);
    (*slot.table)[3].duty = Duty::retiring;
    CHECK(slot.table->observe(3, *slot.page, 0) == WorkerState::draining);
    CHECK_FALSE(slot.table->live()[3]);
    CHECK_FALSE(slot.table->observe(3, *slot.page, 100 * second));
}

TEST_CASE("worker table: slots are found by pid and given out while free", "[process][worker_table]") {
    Slot slot(WorkerState::ready);
    CHECK(slot.table->find(100) == 3u);
    CHECK_FALSE(slot.table->find(0));
    CHECK(slot.table->free_slot() == 0u);
    for (std::size_t i = 0; i < max_workers; ++i) (*slot.table)[i].duty = Duty::retiring;
    CHECK_FALSE(slot.table->free_slot());
}

TEST_CASE("worker table: counts leave out the processes of the old binary", "[process][worker_table]") {
    Slot slot(WorkerState::ready);
    CHECK(slot.table->serving() == 1);
    CHECK(slot.table->ready() == 1);
    (*slot.table)[3].previous = true;
    CHECK(slot.table->serving() == 0);
    CHECK(slot.table->ready() == 0);
    CHECK(slot.table->running() == 1);
    CHECK(slot.table->live()[3]);
}

TEST_CASE("worker table: the dead become nothing but starting", "[process][worker_table]") {
    for (const WorkerState dead : {WorkerState::stopped, WorkerState::crashed}) {
        CHECK(may_become(dead, WorkerState::starting));
        CHECK_FALSE(may_become(dead, WorkerState::ready));
    }
    CHECK_FALSE(may_become(WorkerState::draining, WorkerState::ready));
    CHECK_FALSE(may_become(WorkerState::ready, WorkerState::starting));
    CHECK_FALSE(may_become(static_cast<WorkerState>(9), WorkerState::ready));
}

TEST_CASE("worker page: a reset keeps state and incarnation only", "[process][worker_table]") {
    WorkerPage page{};
    page.requests = 7;
    page.revision = 8;
    page.pid = 9;
    reset_page(page, WorkerState::crashed, 4);
    CHECK(page.requests == 0);
    CHECK(page.revision == 0);
    CHECK(page.pid == 0);
    CHECK(page.incarnation == 4);
    CHECK(page.state == static_cast<std::uint32_t>(WorkerState::crashed));
}
