#include "libgateway/process/control_status.hpp"

#include "tests/unit/process/control_fakes.hpp"

using namespace gateway;
using namespace gateway::process;
using namespace gateway::process::test;

namespace {

// Two workers planned and serving revision 1.
struct Story {
    Story() : page(situation, engine.revisions, *engine.pages.workers, shm::Tables()) {
        situation.plan.worker_count = 2;
        situation.synchronised = true;
        engine.revisions.start(full_delta(1, {}));
        for (const std::uint32_t index : {0u, 1u}) {
            engine.pages.alive(index);
            hold(index, engine.revisions.digest());
            (*engine.pages.workers)[index].revision = 1;
            (*engine.pages.workers)[index].incarnation = 1;
        }
    }
    void hold(std::uint32_t index, const config::Digest& digest) {
        (*engine.pages.workers)[index].digest_low = digest.low;
        (*engine.pages.workers)[index].digest_high = digest.high;
    }
    std::string state() { return page.to_json().find("state")->string(); }
    Engine engine;
    Situation situation;
    StatusPage page;
};

}  // namespace

TEST_CASE("status: ready when every worker has a configuration", "[process][control_status]") {
    Story story;
    REQUIRE(story.page.not_ready().empty());
    REQUIRE(story.state() == "ready");
}

TEST_CASE("status: tells how full the tables of plugins are", "[process][control_status]") {
    Story story;
    const json::Value status = story.page.to_json();
    const json::Value& table = status.find("tables")->items().at(0);
    REQUIRE(table.find("table")->string() == "plugin-limit-count");
    REQUIRE(table.find("entries")->as_int64() == 0);
    REQUIRE(table.find("capacity")->as_int64() > 100);
}

TEST_CASE("status: a worker without configuration is named", "[process][control_status]") {
    Story story;
    (*story.engine.pages.workers)[1].revision = 0;
    REQUIRE(story.page.not_ready() == "worker id: 1 has not received configuration");
    REQUIRE(story.state() == "degraded");
}

TEST_CASE("status: a missing worker is counted", "[process][control_status]") {
    Story story;
    (*story.engine.pages.workers)[1].pid = 0;
    REQUIRE(story.page.not_ready() == "worker count: 2 but status report count: 1");
}

TEST_CASE("status: a worker that stops running is named as lagging, and no longer when it runs",
          "[process][control_status]") {
    Story story;
    story.engine.pages.stalled(1);
    REQUIRE(story.page.not_ready() == "worker id: 1 is lagging");
    const json::Value workers = story.page.workers();
    REQUIRE(workers.items()[1].find("state")->string() == "lagging");
    REQUIRE(workers.items()[1].find("lagging_since")->is_string());
    REQUIRE(workers.items()[0].find("lagging_since")->is_null());
    story.engine.pages.alive(1);
    REQUIRE(story.page.not_ready().empty());
}

TEST_CASE("status: a worker whose digest is not that of its revision is reported", "[process][control_status]") {
    Story story;
    story.hold(1, {7, 7});
    REQUIRE(story.page.not_ready() == "worker id: 1 does not hold the document of its revision");
    REQUIRE(story.state() == "degraded");
    REQUIRE(story.page.workers().items()[1].find("strays")->boolean());
    REQUIRE_FALSE(story.page.workers().items()[0].find("strays")->boolean());
    SECTION("not while it is not known which document that revision was") {
        (*story.engine.pages.workers)[1].revision = 99;
        REQUIRE(story.page.not_ready().empty());
    }
    SECTION("not any more when it holds it") {
        story.hold(1, story.engine.revisions.digest());
        REQUIRE(story.page.not_ready().empty());
    }
}

TEST_CASE("status: a draining worker is shown and not missed", "[process][control_status]") {
    Story story;
    story.situation.plan.worker_count = 1;
    story.engine.pages.alive(1, WorkerState::draining);
    REQUIRE(story.page.not_ready().empty());
    REQUIRE(story.page.workers().items().size() == 2);
}

TEST_CASE("status: loading until synchronised, and while there is no document", "[process][control_status]") {
    Story story;
    story.situation.synchronised = false;
    REQUIRE(story.page.not_ready() == "loading");
    REQUIRE(story.state() == "loading");
    story.situation.synchronised = true;
    story.situation.missing = "configuration has not been loaded: routes.yaml: No such file";
    REQUIRE(story.page.not_ready() == story.situation.missing);
    REQUIRE(story.state() == "loading");
}

TEST_CASE("status: ports that the kernel chose are shown", "[process][control_status]") {
    Story story;
    story.situation.plan.listener_count = 1;
    ListenerPlan& listener = story.situation.plan.listeners[0];
    auto& address = reinterpret_cast<sockaddr_in&>(listener.address);
    address.sin_family = AF_INET;
    listener.address_size = sizeof address;
    story.situation.resources.ports[0] = 4711;
    const json::Value status = story.page.to_json();
    REQUIRE(json::write(*status.find("listeners")) ==
            R"([{"listener":"","address":"0.0.0.0:4711","port":4711,"proxy_protocol":false,"tls":false}])");
}

TEST_CASE("status: times are text in UTC", "[process][control_status]") {
    REQUIRE(time_text(0).is_null());
    REQUIRE(time_text(1'000'000'000'123).string() == "2001-09-09T01:46:40Z");
}
