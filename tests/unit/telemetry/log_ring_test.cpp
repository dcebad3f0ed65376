#include "libgateway/telemetry/log_ring.hpp"

#include <cstring>
#include <string>
#include <thread>

#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::telemetry;

namespace {

// The oldest record, taken out; "-" if there is none.
std::string take(LogRing& ring) {
    LogRecord record;
    if (!ring.front(record)) return "-";
    const std::string text(record.text);
    ring.pop();
    return text;
}

}  // namespace

TEST_CASE("log ring: records come out in order with level and time", "[telemetry][log_ring]") {
    LogRing ring(8192);
    REQUIRE(ring.write("one", LogLevel::warn, 42));
    REQUIRE(ring.write(""));
    REQUIRE(ring.write("three"));
    LogRecord record;
    REQUIRE(ring.front(record));
    REQUIRE(record.text == "one");
    REQUIRE(record.level == LogLevel::warn);
    REQUIRE(record.time_ms == 42);
    ring.pop();
    REQUIRE(take(ring).empty());
    REQUIRE(take(ring) == "three");
    REQUIRE(take(ring) == "-");
}

TEST_CASE("log ring: a record may be shorter than what was reserved", "[telemetry][log_ring]") {
    LogRing ring(8192);
    char* room = ring.reserve(2000);
    REQUIRE(room);
    std::memcpy(room, "abc", 3);
    ring.commit(3);
    REQUIRE(ring.write("def"));
    REQUIRE(take(ring) == "abc");
    REQUIRE(take(ring) == "def");
}

TEST_CASE("log ring: a full ring drops, counts, and takes records again once read", "[telemetry][log_ring]") {
    LogRing ring(8192);
    const std::string line(100, 'x');
    int written = 0;
    while (ring.write(line)) ++written;
    REQUIRE(written >= 60);
    REQUIRE(ring.dropped() == 1);
    REQUIRE_FALSE(ring.write(line));
    REQUIRE(ring.dropped() == 2);
    for (int i = 0; i < written; ++i) REQUIRE(take(ring) == line);
    REQUIRE(take(ring) == "-");
    REQUIRE(ring.write("again"));
    REQUIRE(take(ring) == "again");
}

TEST_CASE("log ring: the largest record fits an empty ring at every place", "[telemetry][log_ring]") {
    LogRing ring(8192);
    const std::string large(ring.most(), 'y');
    for (int i = 0; i < 2000; ++i) {
        REQUIRE(ring.write("step" + std::to_string(i)));
        REQUIRE(take(ring) == "step" + std::to_string(i));
        REQUIRE(ring.write(large));
        REQUIRE(take(ring) == large);
    }
    REQUIRE_FALSE(ring.write(std::string(9000, 'z')));
}

TEST_CASE("log ring: two threads exchange every record once and whole", "[telemetry][log_ring]") {
    constexpr int count = 50000;
    LogRing ring(16384);
    std::thread producer([&ring] {
        for (int i = 0; i < count;) {
            const std::string line = std::to_string(i) + std::string(static_cast<std::size_t>(i % 97), 'p');
            if (ring.write(line)) {
                ++i;
            } else {
                std::this_thread::yield();
            }
        }
    });
    int next = 0;
    bool same = true;
    while (next < count) {
        LogRecord record;
        if (!ring.front(record)) {
            std::this_thread::yield();
            continue;
        }
        same &= record.text == std::to_string(next) + std::string(static_cast<std::size_t>(next % 97), 'p');
        ring.pop();
        ++next;
    }
    producer.join();
    REQUIRE(same);
    REQUIRE(take(ring) == "-");
}
