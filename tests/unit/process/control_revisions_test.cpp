#include "libgateway/process/control_revisions.hpp"

#include <boost/asio/post.hpp>
#include <future>

#include "tests/unit/process/control_fakes.hpp"

using namespace gateway;
using namespace gateway::process;
using namespace gateway::process::test;

namespace {

// One engine at revision 1 and a worker that holds it.
struct Story {
    explicit Story(Revisions::Limits limits = {}) : engine(limits) {
        engine.pages.alive(0);
        engine.revisions.start(base);
        engine.add(worker);
        worker.hello(1, base.digest);
        REQUIRE(engine.run([&] { return engine.revisions.channels().find(0) != nullptr; }));
    }
    // The delta sent next; waits until it is there.
    config::DeltaHeader next(FakeWorker& from) {
        config::DeltaHeader header;
        REQUIRE(engine.run([&] { return (header = from.receive()).to != 0; }));
        return header;
    }
    bool published() {
        return engine.run([&] { return engine.result.has_value(); });
    }
    FullDelta base = full_delta(1, {route_change("a", "1")});
    Engine engine;
    FakeWorker worker{0};
};

}  // namespace

TEST_CASE("revisions: the first document is in force at once and handed on", "[process][control_revisions]") {
    Engine engine;
    engine.revisions.start(full_delta(7, {route_change("a", "1")}));
    REQUIRE(engine.epoch() == 7);
    REQUIRE(engine.handed.size() == 1);
    REQUIRE(engine.handed[0].second == 7);
}

TEST_CASE("revisions: the epoch moves when every worker has prepared", "[process][control_revisions]") {
    Story story;
    story.engine.pages.alive(1);
    FakeWorker second(1);
    story.engine.add(second);
    second.hello(1, story.base.digest);
    REQUIRE(story.engine.run([&] { return story.engine.revisions.channels().find(1) != nullptr; }));
    story.engine.publish(route_change("b", "2", 2));
    REQUIRE(story.next(story.worker).to == 2);
    REQUIRE(story.next(second).from == 1);
    story.worker.say(FromWorker::prepared, 2);
    REQUIRE(story.engine.run([&] { return story.engine.revisions.channels().find(0)->prepared() == 2; }));
    REQUIRE(story.engine.epoch() == 1);
    second.say(FromWorker::prepared, 2);
    REQUIRE(story.published());
    REQUIRE(story.engine.epoch() == 2);
    REQUIRE(story.engine.result->veto.empty());
    REQUIRE(story.engine.result->lagging.empty());
}

namespace {

asio::awaitable<std::string> kept(std::vector<std::uint64_t>& asked, std::uint64_t revision, std::string why) {
    asked.push_back(revision);
    co_return why;
}

}  // namespace

TEST_CASE("revisions: what is kept is kept when all are ready, before anybody adopts it",
          "[process][control_revisions]") {
    Story story;
    std::vector<std::uint64_t> asked;
    const std::string why = GENERATE("", "the disk is full");
    story.engine.keep = [&](std::uint64_t revision) {
        CHECK(story.engine.epoch() == 1);
        return kept(asked, revision, why);
    };
    story.engine.publish(route_change("b", "2", 2));
    REQUIRE(story.next(story.worker).to == 2);
    CHECK(asked.empty());
    story.worker.say(FromWorker::prepared, 2);
    REQUIRE(story.published());
    CHECK(asked == std::vector<std::uint64_t>{2});
    CHECK(story.engine.epoch() == (why.empty() ? 2 : 1));
    CHECK(story.engine.result->veto == why);
    CHECK(story.engine.result->unkept == !why.empty());
    CHECK(story.engine.revisions.next_number() == 3);
}

TEST_CASE("revisions: what a worker vetoes is not kept", "[process][control_revisions]") {
    Story story;
    std::vector<std::uint64_t> asked;
    story.engine.keep = [&](std::uint64_t revision) { return kept(asked, revision, ""); };
    story.engine.publish(route_change("b", "2", 2));
    REQUIRE(story.next(story.worker).to == 2);
    story.worker.say(FromWorker::failed, 2, "no memory");
    REQUIRE(story.published());
    CHECK(asked.empty());
    CHECK_FALSE(story.engine.result->unkept);
}

TEST_CASE("revisions: numbers go on above what is kept elsewhere", "[process][control_revisions]") {
    Story story;
    story.engine.revisions.number_above(41);
    story.engine.publish(route_change("b", "2", 2));
    REQUIRE(story.next(story.worker).to == 42);
}

TEST_CASE("revisions: one failed worker vetoes, the number is not used again", "[process][control_revisions]") {
    Story story;
    story.engine.publish(route_change("b", "2", 2));
    REQUIRE(story.next(story.worker).to == 2);
    story.worker.say(FromWorker::failed, 2, "no such plugin");
    REQUIRE(story.published());
    REQUIRE(story.engine.result->veto == "worker 0 cannot build it: no such plugin");
    REQUIRE(story.engine.epoch() == 1);
    REQUIRE(story.engine.revisions.digest() == story.base.digest);

    story.engine.publish(route_change("c", "3", 3));
    const auto header = story.next(story.worker);
    REQUIRE(header.from == 1);
    REQUIRE(header.to == 3);
    story.worker.say(FromWorker::prepared, 3);
    REQUIRE(story.published());
    REQUIRE(story.engine.epoch() == 3);
}

TEST_CASE("revisions: a late answer to a vetoed revision changes nothing", "[process][control_revisions]") {
    Story story;
    story.engine.pages.alive(1);
    FakeWorker slow(1);
    story.engine.add(slow);
    slow.hello(1, story.base.digest);
    REQUIRE(story.engine.run([&] { return story.engine.revisions.channels().find(1) != nullptr; }));
    story.engine.publish(route_change("b", "2", 2));
    REQUIRE(story.next(story.worker).to == 2);
    story.worker.say(FromWorker::failed, 2, "no");
    REQUIRE(story.published());
    slow.say(FromWorker::prepared, 2);
    slow.say(FromWorker::adopted, 1);
    story.engine.publish(route_change("c", "3", 3));
    REQUIRE(story.next(slow).to == 2);
    REQUIRE(story.next(slow).from == 1);
    REQUIRE(story.next(story.worker).to == 3);
    story.worker.say(FromWorker::prepared, 3);
    slow.say(FromWorker::prepared, 3);
    REQUIRE(story.published());
    REQUIRE(story.engine.result->lagging.empty());
    REQUIRE(story.engine.revisions.revision() == 3);
}

TEST_CASE("revisions: a worker that does not run is not waited for and named", "[process][control_revisions]") {
    Story story;
    story.engine.pages.alive(1);
    FakeWorker frozen(1);
    story.engine.add(frozen);
    frozen.hello(1, story.base.digest);
    REQUIRE(story.engine.run([&] { return story.engine.revisions.channels().find(1) != nullptr; }));
    story.engine.publish(route_change("b", "2", 2));
    REQUIRE(story.next(story.worker).to == 2);
    story.worker.say(FromWorker::prepared, 2);
    story.engine.pages.stalled(1);
    REQUIRE(story.published());
    REQUIRE(story.engine.epoch() == 2);
    REQUIRE(story.engine.result->lagging == std::vector<std::uint32_t>{1});
    REQUIRE(story.engine.revisions.lagging_since(1) != 0);
    REQUIRE(story.engine.revisions.lagging_since(0) == 0);

    story.engine.pages.alive(0);
    story.engine.publish(route_change("c", "3", 3));
    REQUIRE(story.next(story.worker).to == 3);
    story.worker.say(FromWorker::prepared, 3);
    REQUIRE(story.published());
    REQUIRE(story.engine.result->lagging.empty());
}

TEST_CASE("revisions: a worker that catches up is no longer behind", "[process][control_revisions]") {
    Story story({std::chrono::milliseconds(20), std::chrono::milliseconds(60'000)});
    story.engine.publish(route_change("b", "2", 2));
    REQUIRE(story.published());
    REQUIRE(story.engine.result->lagging == std::vector<std::uint32_t>{0});
    REQUIRE(story.engine.epoch() == 2);
    REQUIRE(story.engine.run([&] { return story.engine.revisions.lagging_since(0) != 0; }));
    REQUIRE(story.next(story.worker).to == 2);
    story.worker.say(FromWorker::prepared, 2);
    REQUIRE(story.engine.run([&] { return story.engine.revisions.lagging_since(0) == 0; }));
}

TEST_CASE("revisions: workers that start or drain do not count", "[process][control_revisions]") {
    Story story;
    const auto state = GENERATE(WorkerState::starting, WorkerState::draining);
    story.engine.pages.alive(0, state);
    story.engine.publish(route_change("b", "2", 2));
    REQUIRE(story.published());
    REQUIRE(story.engine.epoch() == 2);
    REQUIRE(story.next(story.worker).to == 2);
}

TEST_CASE("revisions: a worker that leaves while it is waited for does not count", "[process][control_revisions]") {
    Story story;
    story.engine.publish(route_change("b", "2", 2));
    REQUIRE(story.next(story.worker).to == 2);
    story.worker.leave();
    REQUIRE(story.published());
    REQUIRE(story.engine.epoch() == 2);
    REQUIRE(story.engine.result->lagging.empty());
}

TEST_CASE("revisions: a fresh worker gets the document whole, then what follows", "[process][control_revisions]") {
    Story story;
    FakeWorker fresh(3);
    story.engine.pages.alive(3, WorkerState::starting);
    story.engine.add(fresh);
    fresh.hello(0);
    const auto header = story.next(fresh);
    REQUIRE(header.from == 0);
    REQUIRE(header.to == 1);
    REQUIRE(header.digest == story.base.digest);
}

TEST_CASE("revisions: a worker with another document of the same number gets it whole",
          "[process][control_revisions]") {
    Story story;
    FakeWorker other(3);
    story.engine.pages.alive(3);
    story.engine.add(other);
    other.hello(1, {1, 2});
    REQUIRE(story.next(other).from == 0);
}

TEST_CASE("revisions: a worker a few deltas behind gets just these", "[process][control_revisions]") {
    Story story;
    story.engine.pages.alive(0, WorkerState::draining);
    for (int i = 0; i < 3; ++i) {
        const std::string name = "b" + std::to_string(i);  // the change is a view of it
        story.engine.publish(route_change(name, "2", 2));
        REQUIRE(story.published());
    }
    FakeWorker returned(4);
    story.engine.pages.alive(4);
    story.engine.add(returned);
    returned.hello(1, story.base.digest);
    REQUIRE(story.next(returned).to == 2);
    REQUIRE(story.next(returned).to == 3);
    REQUIRE(story.next(returned).to == 4);
}

TEST_CASE("revisions: a worker too far behind gets the document whole", "[process][control_revisions]") {
    Story story;
    story.engine.pages.alive(0, WorkerState::draining);
    for (std::size_t i = 0; i < DeltaWindow::most_deltas + 1; ++i) {
        const std::string name = "b" + std::to_string(i);  // the change is a view of it
        story.engine.publish(route_change(name, "2", 2));
        REQUIRE(story.published());
    }
    FakeWorker returned(4);
    story.engine.pages.alive(4);
    story.engine.add(returned);
    returned.hello(1, story.base.digest);
    const auto header = story.next(returned);
    REQUIRE(header.from == 0);
    REQUIRE(header.to == story.engine.revisions.revision());
    REQUIRE(header.digest == story.engine.revisions.digest());
}

TEST_CASE("revisions: a delta larger than a packet travels as a sealed file", "[process][control_revisions]") {
    Story story;
    const std::string large(200'000, 'x');
    story.engine.publish(route_change("b", large, 2));
    const auto header = story.next(story.worker);
    REQUIRE(header.to == 2);
    REQUIRE(header.size > large.size());
    story.worker.say(FromWorker::prepared, 2);
    REQUIRE(story.published());
}

TEST_CASE("revisions: a new connection of a slot replaces the old one", "[process][control_revisions]") {
    Story story;
    FakeWorker again(0);
    story.engine.add(again);
    again.hello(1, story.base.digest);
    REQUIRE(story.engine.run([&] { return story.worker.hung_up(); }));
    REQUIRE(story.engine.run([&] { return story.engine.revisions.channels().all().size() == 1; }));
}

TEST_CASE("revisions: whoever does not begin with a hello is turned away", "[process][control_revisions]") {
    Story story;
    FakeWorker stranger(5);
    story.engine.add(stranger);
    stranger.say(FromWorker::prepared, 1);
    REQUIRE(story.engine.run([&] { return stranger.hung_up(); }));
    REQUIRE(story.engine.revisions.channels().find(5) == nullptr);
}

TEST_CASE("revisions: only the process that the master started for a slot is its worker",
          "[process][control_revisions]") {
    Story story;
    FakeWorker impostor(0);  // it claims the right pid; the kernel names another one
    story.engine.add(impostor, 4711);
    impostor.hello(1, story.base.digest);
    REQUIRE(story.engine.run([&] { return impostor.hung_up(); }));
    FakeWorker other(3);  // a process of ours, but of no such slot
    story.engine.add(other, Pages::pid_of(3));
    other.hello(1, story.base.digest);
    REQUIRE(story.engine.run([&] { return other.hung_up(); }));
    REQUIRE_FALSE(story.worker.hung_up());
}

TEST_CASE("revisions: an outgrown journal is folded and handed on anew", "[process][control_revisions]") {
    Story story;
    story.engine.pages.alive(0, WorkerState::draining);
    const std::string large(300'000, 'x');
    const config::Change change = route_change("big", large, 2);
    const auto publish = [&] {
        story.engine.result.reset();
        asio::co_spawn(story.engine.loop,
                       story.engine.publish_one(change, full_delta(0, {route_change("a", "1"), change}).digest),
                       asio::detached);
        REQUIRE(story.published());
    };
    // Folding is held up, so that more is committed beside it: that is appended to the folded journal.
    std::promise<void> go_on;
    asio::post(story.engine.builder, [waits = go_on.get_future().share()] { waits.wait(); });
    for (int i = 0; i < 5; ++i) publish();
    REQUIRE(story.engine.handed.size() == 1);
    go_on.set_value();
    REQUIRE(story.engine.run([&] { return story.engine.handed.size() == 2; }));
    REQUIRE(story.engine.handed[1].second == 6);
    REQUIRE(story.engine.revisions.revision() == 6);
    FakeWorker fresh(3);
    story.engine.add(fresh);
    fresh.hello(0);
    REQUIRE(story.next(fresh).digest == story.engine.revisions.digest());
}
