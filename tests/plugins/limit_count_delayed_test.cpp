// Delayed synchronisation of limit-count on a scripted Redis, with time that stands still.
#include "libplugins/limit_count/delayed.hpp"

#include <map>

#include "libplugins/common/limit_key.hpp"
#include "tests/support/alloc_count.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_exchange.hpp"
#include "tests/support/log_lines.hpp"

using namespace gateway;
using namespace gateway::plugins;
using namespace gateway::test;

namespace {

constexpr std::int64_t begin_ms = 1'800'000'000'000;  // a multiple of 60 s

// What the scripts of limit-count do, at once. Time is the test's.
class ScriptedRedis final : public redis::Database {
public:
    Task<redis::Answer> eval(const redis::Script& script, std::string_view key,
                             std::span<const std::string_view> arguments) override {
        asked.emplace_back(key);
        redis::Answer answer;
        answer.failure = failure;
        if (!answer) co_return answer;
        if (script.source().find("'PTTL'") != std::string_view::npos) {
            answer.reply = fixed(counters[std::string(key)], arguments);
        } else if (script.source().find("'GET'") != std::string_view::npos) {
            answer.reply = sliding(counters[std::string(key)], arguments);
        } else {
            answer.reply = pair(counters[std::string(key)].count += number(arguments[0]), 0);
        }
        co_return answer;
    }
    Task<redis::Answer> command(std::span<const std::string_view> words, std::size_t) override {
        asked.emplace_back(words[1]);
        redis::Answer answer;
        answer.failure = failure;
        const auto found = counters.find(std::string(words[1]));
        answer.reply.kind = redis::Reply::Kind::text;
        if (found != counters.end()) answer.reply.text = std::to_string(found->second.count);
        co_return answer;
    }

    struct Counter {
        std::int64_t count = 0, end_ms = 0;
    };
    std::map<std::string, Counter> counters;
    std::vector<std::string> asked;
    std::string failure;  // empty: it works
    std::int64_t now = begin_ms;

private:
    static std::int64_t number(std::string_view text) { return std::stoll(std::string(text)); }
    static redis::Reply pair(std::int64_t first, std::int64_t second) {
        redis::Reply reply;
        reply.kind = redis::Reply::Kind::array;
        reply.items.resize(2);
        reply.items[0].kind = reply.items[1].kind = redis::Reply::Kind::integer;
        reply.items[0].integer = first;
        reply.items[1].integer = second;
        return reply;
    }
    redis::Reply fixed(Counter& counter, std::span<const std::string_view> arguments) const {
        if (counter.end_ms <= now) counter = {0, now + number(arguments[1])};
        return pair(counter.count += number(arguments[0]), counter.end_ms - now);
    }
    static redis::Reply sliding(Counter& counter, std::span<const std::string_view> arguments) {
        const std::int64_t limit = number(arguments[0]);
        if (counter.count >= limit ||
            static_cast<double>(counter.count) + std::stod(std::string(arguments[1])) >= static_cast<double>(limit))
            return pair(0, counter.count);
        return pair(1, counter.count += number(arguments[2]));
    }
};

// One worker of a machine: the machine's tables, its own list of keys.
class Worker {
public:
    Worker(shm::Tables& tables, ScriptedRedis& redis, bool sliding = false)
        : redis_(redis), sliding_(sliding), delayed(std::make_shared<Delayed>(1.0, sliding)) {
        exchange.own_services.shared = &tables;
    }
    ~Worker() { exchange.own_services.laters.clear(); }

    // What one request is told. `waited`: whether Redis was asked for it.
    struct Told {
        bool admitted = false, waited = false;
        std::uint64_t remaining = 0;
        std::string failure;
    };
    Told ask(std::uint64_t count, std::string_view key = "k", std::int64_t window_ms = 60'000) {
        exchange.own_services.now = redis_.now;
        const CounterPlace::Found found = place_.find(exchange, key, redis_.now, 2 * window_ms, 1);
        const std::string full = "p:" + std::string(key);
        const DelayedLimit limit{{full, count, window_ms, sliding_}, found.place, found.cell};
        const QuotaCopy::Decision decision = delayed->decide(exchange.own_services, redis_, limit);
        state = decision.state;
        if (state == QuotaCopy::State::decided) return {decision.count.admitted, false, decision.count.remaining, {}};
        RemoteCount result;
        if (state == QuotaCopy::State::unknown) spawn(synchronise(limit, result));
        return {result.count.admitted, state == QuotaCopy::State::unknown, result.count.remaining, result.failure};
    }
    // The end of an interval; false: nothing was to be told.
    bool interval() {
        exchange.own_services.now = redis_.now;
        return exchange.own_services.begin_laters();
    }
    bool armed() const { return !exchange.own_services.laters.empty(); }

    FakeExchange exchange;
    QuotaCopy::State state{};

private:
    Task<void> synchronise(const DelayedLimit& limit, RemoteCount& result) {
        result = co_await delayed->synchronise(exchange, redis_, limit);
    }
    ScriptedRedis& redis_;
    bool sliding_;
    CounterPlace place_{shm::TableId::limit_count, "p:"};

public:
    std::shared_ptr<Delayed> delayed;
};

const std::string fixed_key = "plugin-limit-count:v1:p:k";
std::string sliding_key(std::int64_t number) {
    return "plugin-limit-count:p:k." + std::to_string(number) + ".counter";
}

}  // namespace

TEST_CASE("delayed: the first request asks Redis, the next are decided at once", "[plugins][limit_count]") {
    shm::Tables tables;
    ScriptedRedis redis;
    Worker worker(tables, redis);
    const auto first = worker.ask(3);
    CHECK((first.admitted && first.waited && first.remaining == 2));
    const auto second = worker.ask(3), third = worker.ask(3), fourth = worker.ask(3);
    CHECK((second.admitted && !second.waited && second.remaining == 1));
    CHECK((third.admitted && third.remaining == 0));
    CHECK_FALSE((fourth.admitted || fourth.waited));
    CHECK(redis.counters[fixed_key].count == 1);
    CHECK(worker.interval());
    CHECK(redis.counters[fixed_key].count == 3);
    CHECK(redis.asked.size() == 2);
    CHECK_FALSE(worker.armed());
}

TEST_CASE("delayed: workers of a machine share the copy, and each tells what nobody told yet",
          "[plugins][limit_count]") {
    shm::Tables tables;
    ScriptedRedis redis;
    Worker one(tables, redis), other(tables, redis);
    CHECK(one.ask(4).remaining == 3);
    CHECK(other.ask(4).remaining == 2);
    CHECK(one.ask(4).remaining == 1);
    CHECK(one.interval());
    CHECK(other.interval());
    CHECK(redis.counters[fixed_key].count == 3);
    CHECK(redis.asked.size() == 2);
    CHECK(other.ask(4).remaining == 0);
    CHECK_FALSE(one.ask(4).admitted);
}

TEST_CASE("delayed: machines admit too much for one interval, and learn of each other then", "[plugins][limit_count]") {
    shm::Tables here, there;
    ScriptedRedis redis;
    const bool sliding = GENERATE(false, true);
    Worker one(here, redis, sliding), other(there, redis, sliding);
    CHECK(one.ask(5).remaining == 4);
    CHECK(other.ask(5).remaining == 3);
    for (int i = 0; i < 3; ++i) CHECK(one.ask(5).admitted);
    for (int i = 0; i < 2; ++i) CHECK(other.ask(5).admitted);
    one.interval();
    other.interval();
    CHECK_FALSE(other.ask(5).admitted);
    one.ask(5);
    one.interval();
    CHECK_FALSE(one.ask(5).admitted);
}

TEST_CASE("delayed: a window that is over is unknown, and what was not told of it is forgotten",
          "[plugins][limit_count]") {
    shm::Tables tables;
    ScriptedRedis redis;
    Worker worker(tables, redis);
    worker.ask(3);
    worker.ask(3);
    redis.now += 60'000;
    const auto next = worker.ask(3);
    CHECK((next.waited && next.remaining == 2));
    CHECK(worker.interval());
    CHECK(redis.counters[fixed_key].count == 1);
}

TEST_CASE("delayed: a sliding window takes what was not told along into the next", "[plugins][limit_count]") {
    shm::Tables tables;
    ScriptedRedis redis;
    Worker worker(tables, redis, true);
    const std::int64_t number = begin_ms / 60'000;
    for (int i = 0; i < 4; ++i) CHECK(worker.ask(4).admitted);
    redis.now += 90'000;
    SECTION("by the first request") {
        const auto next = worker.ask(4);
        CHECK((next.admitted && next.waited));
        CHECK(next.remaining == 1);  // 4 - 1 - half of 4
        CHECK(redis.counters[sliding_key(number)].count == 4);
        CHECK(redis.counters[sliding_key(number + 1)].count == 1);
        CHECK(worker.ask(4).remaining == 0);
        CHECK_FALSE(worker.ask(4).admitted);
    }
    SECTION("or at the end of the interval") {
        CHECK(worker.interval());
        CHECK(redis.counters[sliding_key(number)].count == 4);
        CHECK(worker.ask(4).remaining == 1);
    }
}

TEST_CASE("delayed: when Redis fails the copy is used to its end, then this machine counts alone",
          "[plugins][limit_count]") {
    shm::Tables tables;
    ScriptedRedis redis;
    const LogLines lines;
    Worker worker(tables, redis);
    worker.ask(4);
    worker.ask(4);
    redis.failure = "connection lost";
    CHECK(worker.interval());
    const auto third = worker.ask(4);
    CHECK((third.admitted && third.remaining == 1));
    redis.now += 60'000;
    CHECK_FALSE(worker.ask(4).waited);
    CHECK(worker.state == QuotaCopy::State::failing);
    // Each interval tries again, also without a request.
    const std::size_t before = redis.asked.size();
    CHECK(worker.interval());
    CHECK(worker.interval());
    CHECK(redis.asked.size() == before + 2);
    redis.failure.clear();
    CHECK(worker.interval());
    CHECK_FALSE(worker.armed());
    const auto after = worker.ask(4);
    CHECK((after.waited && after.remaining == 3));
}

TEST_CASE("delayed: what could not be told is told when Redis is back within the window", "[plugins][limit_count]") {
    shm::Tables tables;
    ScriptedRedis redis;
    const LogLines lines;
    Worker worker(tables, redis, GENERATE(false, true));
    for (int i = 0; i < 3; ++i) worker.ask(9);
    redis.failure = "timeout";
    worker.interval();
    worker.ask(9);
    redis.failure.clear();
    worker.interval();
    CHECK(redis.counters.begin()->second.count == 4);
    CHECK(worker.ask(9).remaining == 4);
}

TEST_CASE("delayed: a failure of the first question is told to the caller, later ones wait for nothing",
          "[plugins][limit_count]") {
    shm::Tables tables;
    ScriptedRedis redis;
    const LogLines lines;
    Worker worker(tables, redis);
    redis.failure = "connection refused";
    CHECK(worker.ask(4).failure == "connection refused");
    CHECK_FALSE(worker.ask(4).waited);
    CHECK(worker.state == QuotaCopy::State::failing);
    CHECK(redis.asked.size() == 1);
}

TEST_CASE("delayed: a server that says nothing is asked for a few keys only, the others wait",
          "[plugins][limit_count]") {
    shm::Tables tables(std::size_t{4} << 20);
    ScriptedRedis redis;
    const LogLines lines;
    Worker worker(tables, redis);
    for (int i = 0; i < 200; ++i) {
        worker.ask(9, std::to_string(i));
        worker.ask(9, std::to_string(i));
    }
    redis.asked.clear();
    redis.failure = "timeout";
    worker.interval();
    CHECK(redis.asked.size() <= 8);
    redis.failure.clear();
    redis.asked.clear();
    worker.interval();
    CHECK(redis.asked.size() == 200);
}

TEST_CASE("delayed: what is untold when the configuration is dropped is told once", "[plugins][limit_count]") {
    shm::Tables tables;
    ScriptedRedis redis;
    const LogLines lines;
    Worker worker(tables, redis);
    worker.ask(9);
    worker.ask(9);
    const std::weak_ptr<Delayed> watch = worker.delayed;
    worker.delayed->drop();
    worker.delayed.reset();
    REQUIRE_FALSE(watch.expired());
    redis.failure = GENERATE("", "timeout");
    CHECK(worker.interval());
    CHECK(redis.counters[fixed_key].count == (redis.failure.empty() ? 2 : 1));
    CHECK(watch.expired());
    CHECK_FALSE(worker.armed());
}

TEST_CASE("delayed: deciding allocates nothing once warm", "[plugins][limit_count]") {
    shm::Tables tables;
    ScriptedRedis redis;
    Worker worker(tables, redis);
    const CounterPlace place(shm::TableId::limit_count, "p:");
    const CounterPlace::Found found = place.find(worker.exchange, "k", redis.now, 120'000, 1);
    const DelayedLimit limit{{"p:k", 1000, 60'000, false}, found.place, found.cell};
    // Both lists have been in use.
    for (int i = 0; i < 3; ++i) {
        worker.ask(1000);
        worker.ask(1000);
        worker.interval();
    }
    worker.ask(1000);
    const AllocCount count;
    const QuotaCopy::Decision decision = worker.delayed->decide(worker.exchange.own_services, redis, limit);
    CHECK(decision.count.admitted);
    CHECK(count.count() == 0);
}

TEST_CASE("touched keys: each is listed once, up to a bound", "[plugins][limit_count]") {
    TouchedKeys keys;
    for (std::uint64_t i = 0; i < TouchedKeys::most; ++i) REQUIRE(keys.add({i * 7, i}, std::to_string(i), 1000));
    CHECK_FALSE(keys.add({1, 1}, "more", 1000));
    CHECK(keys.add({7, 1}, "1", 1000));
    CHECK(keys.size() == TouchedKeys::most);
    CHECK(keys.text_of(keys[4711]) == "4711");
    keys.clear();
    CHECK(keys.add({1, 1}, "more", 1000));
    CHECK_FALSE(keys.add({2, 2}, std::string(TouchedKeys::most_bytes, 'x'), 1000));
    CHECK(keys.size() == 1);
}

TEST_CASE("delayed: keys beyond the bound are told later, with one warning in ten seconds", "[plugins][limit_count]") {
    shm::Tables tables(std::size_t{16} << 20);
    ScriptedRedis redis;
    const LogLines lines;
    Worker worker(tables, redis);
    for (std::size_t i = 0; i < TouchedKeys::most + 5; ++i) {
        worker.ask(9, std::to_string(i));
        worker.ask(9, std::to_string(i));
    }
    REQUIRE(lines.all().size() == 1);
    CHECK(lines.all()[0].find("warn: limit-count: more keys than can be synchronised") == 0);
    worker.interval();
    const std::string last = std::to_string(TouchedKeys::most + 4);
    CHECK(redis.counters["plugin-limit-count:v1:p:" + last].count == 1);
    worker.ask(9, last);
    worker.interval();
    CHECK(redis.counters["plugin-limit-count:v1:p:" + last].count == 3);
}
