#include "libgateway/proxy/laters.hpp"

#include <memory>

#include "tests/support/catch.hpp"

using namespace gateway;

namespace {

Task<void> note(std::shared_ptr<int> count) {
    ++*count;
    co_return;
}

}  // namespace

TEST_CASE("laters: work begins at its time", "[proxy][laters]") {
    net::Reactor reactor;
    proxy::Laters laters(reactor);
    const auto count = std::make_shared<int>(0);
    CHECK(laters.add(Milliseconds(1), note(count)));
    CHECK(laters.busy());
    int turns = 0;
    reactor.set_longest_sleep(20);
    reactor.run([&](std::int64_t) {
        if (*count == 1 || ++turns > 1000) reactor.stop();
    });
    CHECK(*count == 1);
    CHECK_FALSE(laters.busy());
}

TEST_CASE("laters: when the worker leaves all begin, and nothing more is taken", "[proxy][laters]") {
    net::Reactor reactor;
    proxy::Laters laters(reactor);
    const auto count = std::make_shared<int>(0);
    CHECK(laters.add(Milliseconds(100'000), note(count)));
    CHECK(laters.add(Milliseconds(200'000), note(count)));
    laters.drain();
    CHECK(*count == 2);
    CHECK_FALSE(laters.busy());
    CHECK_FALSE(laters.add(Milliseconds(1), note(count)));
    CHECK(*count == 2);
}

TEST_CASE("laters: work that has not begun is dropped with what it holds", "[proxy][laters]") {
    net::Reactor reactor;
    const auto count = std::make_shared<int>(0);
    {
        proxy::Laters laters(reactor);
        CHECK(laters.add(Milliseconds(100'000), note(count)));
        CHECK(count.use_count() == 2);
    }
    CHECK(count.use_count() == 1);
    CHECK(*count == 0);
}
