#include "libgateway/base/task.hpp"

#include <stdexcept>

#include "tests/support/catch.hpp"

using namespace gateway;

namespace {

struct Pause {  // suspends; the test resumes by hand
    std::coroutine_handle<>& slot;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle) const noexcept { slot = handle; }
    void await_resume() const noexcept {}
};

Task<int> answer(std::coroutine_handle<>& slot) {
    co_await Pause{slot};
    co_return 42;
}

Task<void> ask(std::coroutine_handle<>& slot, int& result) {
    const int value = co_await answer(slot);
    result = value;
}

Task<void> throws() {
    throw std::runtime_error("no");
    co_return;
}

Task<void> catches(bool& caught) {
    try {
        co_await throws();
    } catch (const std::runtime_error&) {
        caught = true;
    }
}

}  // namespace

TEST_CASE("task: a spawned chain waits where its innermost task waits and ends with its value", "[base][task]") {
    std::coroutine_handle<> slot;
    int result = 0;
    spawn(ask(slot, result));
    REQUIRE(result == 0);
    slot.resume();
    REQUIRE(result == 42);
}

TEST_CASE("task: an exception reaches the awaiting coroutine", "[base][task]") {
    bool caught = false;
    spawn(catches(caught));
    REQUIRE(caught);
}

TEST_CASE("frame pool: a freed block of a size class is handed out again", "[base][frame_pool]") {
    void* first = FramePool::take(200);
    FramePool::give(first, 200);
    void* again = FramePool::take(210);
    REQUIRE(again == first);
    FramePool::give(again, 210);
}
