#include "libgateway/plugin/chain.hpp"

#include "libgateway/base/log.hpp"
#include "tests/support/alloc_count.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/plugin/probe.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

using Story = std::vector<std::string>;
const ProbeSettings access_only{.phases = only(Phase::access)};

ProbeSettings acting(Phase phase, Act act, OnError on_error = OnError::open) {
    ProbeSettings settings;
    settings.phases = only(phase);
    settings.script = {{phase, act}};
    settings.on_error = on_error;
    return settings;
}

}  // namespace

TEST_CASE("chain: plugins run by priority descending, then by name", "[plugin][chain]") {
    Story story;
    ProbeSettings high = access_only, low = access_only;
    high.priority = 10;
    low.priority = -1;
    const auto chain = Chain::make({probe("zeta", story, access_only), probe("low", story, low),
                                    probe("alpha", story, access_only), probe("high", story, high)});
    FakeExchange exchange;
    exchange.run(*chain);
    CHECK(story == Story{"high#access", "alpha#access", "zeta#access", "low#access"});
}

TEST_CASE("chain: every phase runs once per request, in the order of the specification", "[plugin][chain]") {
    Story story;
    const auto chain = Chain::make({probe("a", story)});
    FakeExchange exchange;
    exchange.run(*chain);
    CHECK(story == Story{"a#rewrite", "a#access", "a#before_proxy", "a#header_filter", "a#body_filter",
                         "a#delayed_body_filter", "a#log"});
}

TEST_CASE("chain: delayed_body_filter of a chunk runs after body_filter of all plugins", "[plugin][chain]") {
    Story story;
    const auto body = static_cast<std::uint8_t>(only(Phase::body_filter) | only(Phase::delayed_body_filter));
    const auto chain = Chain::make({probe("a", story, {.phases = body}), probe("b", story, {.phases = body})});
    FakeExchange exchange;
    exchange.run(*chain, {200, {}, {"x"}, true});
    const Story once{"a#body_filter", "b#body_filter", "a#delayed_body_filter", "b#delayed_body_filter"};
    Story twice = once;
    twice.insert(twice.end(), once.begin(), once.end());
    CHECK(story == twice);
}

TEST_CASE("chain: global plugins run before those of the route in each phase", "[plugin][chain]") {
    Story story;
    const auto global = Chain::make({probe("g", story, access_only)}, Chain::Scope::global);
    ProbeSettings first = access_only;
    first.priority = 1000;
    const auto route = Chain::make({probe("r", story, first)});
    FakeExchange exchange;
    exchange.run(*route, {}, global.get());
    CHECK(story == Story{"g#access", "r#access"});
}

TEST_CASE("chain: a plugin that prefers the route steps aside in global rules", "[plugin][chain]") {
    Story story;
    ProbeSettings settings = access_only;
    settings.prefer_route = true;
    const auto global = Chain::make({probe("metrics", story, settings)}, Chain::Scope::global);
    FakeExchange with, without;
    with.run(*Chain::make({probe("metrics", story, settings)}), {}, global.get());
    CHECK(story.size() == 1);
    without.run(*Chain::make({}), {}, global.get());
    CHECK(story.size() == 2);
}

TEST_CASE("chain: an answer skips the rest of its phase and later request phases, not those of the response",
          "[plugin][chain]") {
    Story story;
    ProbeSettings refuses;
    refuses.priority = 1;
    const Act act = GENERATE(Act::respond, Act::wait_respond);
    refuses.script = {{Phase::rewrite, act}};
    const auto chain = Chain::make({probe("a", story, refuses), probe("b", story)});
    FakeExchange exchange;
    const LogLines lines;
    const Seen& answer = exchange.run(*chain);
    CHECK(answer.status == 403);
    CHECK(answer.body == (act == Act::respond ? "no" : "late no"));
    CHECK_FALSE(exchange.upstream);
    CHECK(exchange.source == ResponseSource::plugin);
    CHECK(lines.all() == Story{"warn: a exits with http status code 403"});
    story.erase(std::remove(story.begin(), story.end(), "a woke"), story.end());
    CHECK(story == Story{"a#rewrite", "a#header_filter", "b#header_filter", "a#body_filter", "b#body_filter",
                         "a#delayed_body_filter", "b#delayed_body_filter", "a#log", "b#log"});
}

TEST_CASE("chain: error_response replaces the body of refusals", "[plugin][chain]") {
    Story story;
    ProbeSettings settings = acting(Phase::access, Act::respond);
    const auto [meta, body] = GENERATE(table<std::string, std::string>(
        {{R"({"error_response":{"code":1}})", "{\"code\":1}\n"}, {R"({"error_response":"plain"})", "plain"}}));
    settings.meta = meta;
    FakeExchange exchange;
    const LogLines lines;
    CHECK(exchange.run(*Chain::make({probe("a", story, settings)})).body == body);
}

TEST_CASE("chain: a filter is evaluated once per request and instance", "[plugin][chain]") {
    Story story;
    ProbeSettings settings;
    settings.meta = R"({"filter":[["arg_v","==","2"]]})";
    const auto chain = Chain::make({probe("a", story, settings), probe("b", story, access_only)});
    FakeExchange skipped("GET", "/hello?v=1"), run("GET", "/hello?v=2");
    skipped.run(*chain);
    CHECK(story == Story{"b#access"});
    story.clear();
    run.args = "v=2";
    (void)chain->run<Phase::rewrite>(run);
    run.args = "v=1";  // changed by a plugin: the result of the first phase stays
    (void)chain->run<Phase::access>(run);
    CHECK(story == Story{"a#rewrite", "a#access", "b#access"});
}

TEST_CASE("chain: filters of global and route chains are kept apart", "[plugin][chain]") {
    Story story;
    ProbeSettings yes = access_only, no = access_only;
    yes.meta = R"({"filter":[["arg_v","==","1"]]})";
    no.meta = R"({"filter":[["arg_v","==","2"]]})";
    const auto global = Chain::make({probe("g", story, no)}, Chain::Scope::global);
    FakeExchange exchange("GET", "/hello?v=1");
    exchange.run(*Chain::make({probe("r", story, yes)}), {}, global.get());
    CHECK(story == Story{"r#access"});
}

TEST_CASE("chain: more filters than have room are evaluated each time", "[plugin][chain]") {
    Story story;
    ProbeSettings settings = access_only;
    settings.meta = R"({"filter":[["arg_v","==","1"]]})";
    std::vector<Ref<const Instance>> many;
    for (int i = 0; i < 60; ++i) many.push_back(probe("p", story, settings));
    FakeExchange exchange("GET", "/hello?v=1");
    exchange.run(*Chain::make(std::move(many)));
    CHECK(story.size() == 60);
}

TEST_CASE("chain: a failure of an open plugin is passed over, a throw too once the head is out", "[plugin][chain]") {
    Story story;
    const auto phase = GENERATE(Phase::rewrite, Phase::access, Phase::before_proxy, Phase::header_filter,
                                Phase::body_filter, Phase::delayed_body_filter, Phase::log);
    const bool late = phase == Phase::body_filter || phase == Phase::delayed_body_filter || phase == Phase::log;
    const auto act = GENERATE(Act::throw_it, Act::wait_throw, Act::fail, Act::fail_with_error);
    const bool thrown = act == Act::throw_it || act == Act::wait_throw;
    if (thrown && !late) return;
    ProbeSettings second;
    second.phases = only(phase);
    second.priority = -1;
    FakeExchange exchange;
    const LogLines lines;
    const Seen& answer = exchange.run(*Chain::make({probe("a", story, acting(phase, act)), probe("b", story, second)}));
    CHECK(answer.status == 200);
    CHECK(answer.body == "hello world\n");
    CHECK(story.back() == "b#" + std::string(name_of(phase)));
    const bool silent = act == Act::fail;
    REQUIRE(lines.all().size() == (silent ? 0 : 1));
    if (!silent) CHECK(lines.all()[0].find(std::string(name_of(phase))) != std::string::npos);
}

TEST_CASE("chain: a throw ends the request with 500, is counted and named in the log", "[plugin][chain]") {
    Story story;
    const auto phase = GENERATE(Phase::rewrite, Phase::access, Phase::before_proxy, Phase::header_filter);
    const auto act = GENERATE(Act::throw_it, Act::wait_throw);
    const auto on_error = GENERATE(OnError::open, OnError::closed);
    FakeExchange exchange;
    const LogLines lines;
    const Seen& answer = exchange.run(*Chain::make({probe("a", story, acting(phase, act, on_error))}));
    CHECK(answer.status == 500);
    CHECK(answer.page);
    CHECK(exchange.own_services.plugin_throws == 1);
    REQUIRE(lines.all().size() == 2);
    CHECK(lines.all()[0].find("a threw in " + std::string(name_of(phase)) + ": thrown") != std::string::npos);
}

TEST_CASE("chain: what is thrown without being an exception is contained too", "[plugin][chain]") {
    Story story;
    FakeExchange exchange;
    const LogLines lines;
    const Seen& answer = exchange.run(*Chain::make({probe("a", story, acting(Phase::access, Act::throw_number))}));
    CHECK(answer.status == 500);
    CHECK_FALSE(exchange.upstream.has_value());
    CHECK(exchange.own_services.plugin_throws == 1);
}

TEST_CASE("chain: a failure of a closed plugin ends the request with 500", "[plugin][chain]") {
    Story story;
    const auto phase = GENERATE(Phase::rewrite, Phase::access, Phase::before_proxy, Phase::header_filter);
    FakeExchange exchange;
    const LogLines lines;
    const Seen& answer = exchange.run(*Chain::make({probe("a", story, acting(phase, Act::fail, OnError::closed))}));
    CHECK(answer.status == 500);
    CHECK(answer.page);
    CHECK(exchange.upstream.has_value() == (phase == Phase::header_filter));
}

TEST_CASE("chain: after the head a closed failure and any answer cut the body off", "[plugin][chain]") {
    Story story;
    const auto phase = GENERATE(Phase::body_filter, Phase::delayed_body_filter);
    const auto [act, on_error] = GENERATE(table<Act, OnError>({{Act::throw_it, OnError::closed},
                                                               {Act::wait_throw, OnError::closed},
                                                               {Act::respond, OnError::open},
                                                               {Act::wait_respond, OnError::open}}));
    FakeExchange exchange;
    const LogLines lines;
    const Seen& answer = exchange.run(*Chain::make({probe("a", story, acting(phase, act, on_error))}));
    CHECK(answer.cut);
    CHECK(answer.body.empty());
}

TEST_CASE("chain: in log the verdict of one plugin does not stop the others", "[plugin][chain]") {
    Story story;
    const auto act = GENERATE(Act::respond, Act::fail, Act::throw_it, Act::wait_respond, Act::wait_throw);
    ProbeSettings first = acting(Phase::log, act, OnError::closed);
    first.priority = 1;
    FakeExchange exchange;
    const LogLines lines;
    exchange.run(*Chain::make({probe("a", story, first), probe("b", story, {.phases = only(Phase::log)})}));
    CHECK(exchange.finished);
    CHECK(story.back() == "b#log");
    CHECK(exchange.source == ResponseSource::upstream);
}

TEST_CASE("chain: a hook may wait in every phase and the next plugin waits for it", "[plugin][chain]") {
    Story story;
    const auto phase = GENERATE(Phase::rewrite, Phase::access, Phase::before_proxy, Phase::header_filter,
                                Phase::body_filter, Phase::delayed_body_filter, Phase::log);
    ProbeSettings first = acting(phase, Act::wait);
    first.priority = 1;
    const auto chain = Chain::make({probe("a", story, first), probe("b", story, acting(phase, Act::wait))});
    FakeExchange exchange;
    const Seen& answer = exchange.run(*chain);
    const std::string name(name_of(phase));
    CHECK(story == Story{"a#" + name, "a woke", "b#" + name, "b woke"});
    CHECK(answer.body == "hello world\n");
    CHECK(exchange.own_services.slept == Milliseconds(60));
}

TEST_CASE("chain: body needs are the most that any plugin asks for", "[plugin][chain]") {
    Story story;
    ProbeSettings one, two;
    one.needs = {10, 500};
    two.needs = {300, 20};
    const auto chain = Chain::make({probe("a", story, one), probe("b", story, two)});
    CHECK(chain->request_body_needed() == 300);
    CHECK(chain->response_body_needed() == 500);
    CHECK(Chain::make({})->response_body_needed() == 0);
}

TEST_CASE("chain: neither ready nor waiting hooks allocate once the frame pool is warm", "[plugin][chain]") {
    class Silent final : public Plugin {
    public:
        Step access(Exchange&) const override { return Verdict::next; }
    };
    class Waiting final : public Plugin {
    public:
        Step access(Exchange&) const override { return wait(); }

    private:
        static Task<Verdict> wait() { co_return Verdict::next; }
    };
    const auto instance = [](std::unique_ptr<const Plugin> plugin) {
        auto made = std::make_unique<Instance>();
        made->plugin = std::move(plugin);
        made->phases = only(Phase::access);
        return Ref<const Instance>(made.release());
    };
    std::vector<Ref<const Instance>> ready, mixed;
    for (int i = 0; i < 5; ++i) ready.push_back(instance(std::make_unique<Silent>()));
    mixed = ready;
    mixed.push_back(instance(std::make_unique<Waiting>()));
    const auto quick = Chain::make(std::move(ready)), slow = Chain::make(std::move(mixed));
    FakeExchange exchange;
    const auto drive = [&] {
        Step step = slow->run<Phase::access>(exchange);
        spawn([](Step taken) -> Task<void> {
            Task<Verdict> pending = std::move(taken).wait();
            co_await pending;
        }(std::move(step)));
    };
    drive();
    bool all_ready = true;
    const AllocCount count;
    for (int i = 0; i < 100; ++i) all_ready = all_ready && quick->run<Phase::access>(exchange).ready();
    const auto in_ready = count.count();
    for (int i = 0; i < 100; ++i) drive();
    const auto in_waiting = count.count() - in_ready;
    CHECK(all_ready);
    CHECK(in_ready == 0);
    CHECK(in_waiting == 0);
}
