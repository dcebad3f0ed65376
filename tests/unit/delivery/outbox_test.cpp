#include "libgateway/delivery/outbox.hpp"

#include "libgateway/base/log.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/delivery_rig.hpp"
#include "tests/support/log_lines.hpp"

using namespace gateway;
using namespace gateway::delivery;
using gateway::test::DeliveryRig;
using gateway::test::LogLines;

namespace {

// What was delivered; fails as often as it is told to, and says how far it came.
struct Script {
    std::vector<std::vector<std::string>> delivered;
    int failures = 0;
    std::size_t done_before_failure = 0;
    int under_way = 0, most_under_way = 0;
    bool throws = false;
};

class ScriptedSender final : public Sender {
public:
    ScriptedSender(net::Reactor& reactor, Script& script) : reactor_(reactor), script_(script) {}
    Task<Sent> send(const Batch& batch) override {
        script_.most_under_way = std::max(script_.most_under_way, ++script_.under_way);
        co_await reactor_.sleep(Milliseconds(1));
        --script_.under_way;
        if (script_.throws) throw std::runtime_error("thrown");
        if (script_.failures > 0) {
            --script_.failures;
            co_return Sent{"no", script_.done_before_failure};
        }
        std::vector<std::string> entries;
        for (std::size_t i = 0; i < batch.size(); ++i) entries.emplace_back(batch[i]);
        script_.delivered.push_back(std::move(entries));
        co_return Sent();
    }

private:
    net::Reactor& reactor_;
    Script& script_;
};

struct Story {
    DeliveryRig rig;
    LogLines lines;
    Script script;
    OutboxCounts counts;
    std::shared_ptr<Outbox> outbox;

    explicit Story(std::size_t size, std::uint32_t retries = 0) {
        OutboxLimits limits;
        limits.name = "test";
        limits.batch_max_size = size;
        limits.inactive_timeout = Milliseconds(50);
        limits.buffer_duration = Milliseconds(200);
        limits.retry_delay = Milliseconds(1);
        limits.max_retry_count = retries;
        outbox = Outbox::make(rig.dispatch, limits, std::make_unique<ScriptedSender>(rig.reactor, script), counts);
    }
    [[nodiscard]] bool quiet() {
        return rig.until([&] { return !rig.dispatch.busy(); });
    }
};

using Batches = std::vector<std::vector<std::string>>;

}  // namespace

TEST_CASE("outbox: a full batch leaves at once, the rest after the pause", "[delivery][outbox]") {
    Story story(2);
    for (const char* entry : {"a", "b", "c"}) story.outbox->push(entry, 100);
    REQUIRE(story.quiet());
    CHECK(story.script.delivered == Batches{{"a", "b"}, {"c"}});
    CHECK(story.counts.processed == 3);
}

TEST_CASE("outbox: nothing is delivered within push", "[delivery][outbox]") {
    Story story(1);
    story.outbox->push("a", 100);
    CHECK(story.script.most_under_way == 0);
    REQUIRE(story.quiet());
    CHECK(story.script.delivered == Batches{{"a"}});
}

TEST_CASE("outbox: what failed is tried again without what was done", "[delivery][outbox]") {
    Story story(3, 2);
    story.script.failures = 1;
    story.script.done_before_failure = 1;
    for (const char* entry : {"a", "b", "c"}) story.outbox->push(entry, 100);
    REQUIRE(story.quiet());
    CHECK(story.script.delivered == Batches{{"b", "c"}});
    CHECK(story.counts.processed == 3);
}

TEST_CASE("outbox: too many failures drop the batch, also when the sender throws", "[delivery][outbox]") {
    Story story(1, 2);
    SECTION("failures") {
        story.script.failures = 3;
    }
    SECTION("throws") {
        story.script.throws = true;
    }
    story.outbox->push("a", 100);
    REQUIRE(story.quiet());
    CHECK(story.script.delivered.empty());
    CHECK(story.counts.processed == 1);
    REQUIRE(story.lines.all().size() == 4);
    CHECK(story.lines.all()[3] == "error: Batch Processor[test] exceeded the max_retry_count[2] dropping the entries");
}

TEST_CASE("outbox: more than may wait is discarded, room comes back", "[delivery][outbox]") {
    Story story(1);
    for (int i = 0; i < 20; ++i) story.outbox->push("a", 10);
    CHECK(story.counts.pushed == 10);
    CHECK(story.counts.discarded == 10);
    REQUIRE(story.quiet());
    CHECK(story.script.delivered.size() == 10);
    CHECK(story.script.most_under_way == 8);
    story.outbox->push("b", 10);
    REQUIRE(story.quiet());
    CHECK(story.script.delivered.size() == 11);
}

TEST_CASE("outbox: what waits is bounded in bytes too", "[delivery][outbox]") {
    Story story(1);
    const std::string large(Outbox::most_bytes / 4, 'x');
    for (int i = 0; i < 6; ++i) story.outbox->push(large, 100);
    CHECK(story.counts.pushed == 4);
    CHECK(story.counts.discarded == 2);
    REQUIRE(story.quiet());
    CHECK(story.counts.bytes == 0);
    story.outbox->push(large, 100);
    CHECK(story.counts.pushed == 5);
    REQUIRE(story.quiet());
}

TEST_CASE("outbox: draining delivers at once and only once", "[delivery][outbox]") {
    Story story(100, 5);
    story.outbox->push("a", 100);
    story.script.failures = 1;
    story.rig.dispatch.drain();
    REQUIRE(story.quiet());
    CHECK(story.script.delivered.empty());
    CHECK(story.script.failures == 0);
    story.outbox->push("b", 100);
    REQUIRE(story.quiet());
    CHECK(story.script.delivered == Batches{{"b"}});
}

TEST_CASE("outbox: an owner that goes leaves what waits", "[delivery][outbox]") {
    Story story(100);
    story.outbox->push("a", 100);
    story.outbox.reset();
    REQUIRE(story.quiet());
    CHECK(story.script.delivered == Batches{{"a"}});
}
