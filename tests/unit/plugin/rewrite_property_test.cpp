// Whatever the places, priorities, disables and order of requests: each plugin runs at most once in a phase and scope,
// with the settings of the highest rank, in the order of the specification (objects.md 6.3), against a naive model.
#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>

#include "tests/support/catch.hpp"
#include "tests/support/fake_consumers.hpp"
#include "tests/unit/plugin/probe.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

struct Kindred {  // what a plugin is, wherever it stands
    int priority = 0;
    bool before_auth = false;
};

struct Entry {  // one place
    bool enabled = true;
    std::optional<int> priority{};
};
using Entries = std::map<std::string, Entry>;

// Everything that one configuration consists of. `auth`: where an auth plugin stands.
struct World {
    std::map<std::string, Kindred> plugins;
    bool route_auth = false, global_auth = false;
    int auth_priority = 50;
    std::array<Entries, 2> routes;
    Entries group;                      // of jack
    std::map<std::string, Entries> of;  // by consumer
};

// --- the naive model: lists of "name@place", made anew for every request

struct Item {
    std::string name, place;
    int priority = 0;
    bool auth = false, before_auth = false;
};
using Items = std::vector<Item>;

void sort_items(Items& items) {
    std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) {
        return a.priority != b.priority ? a.priority > b.priority : a.name < b.name;
    });
}

class Model {
public:
    Model(const World& world, std::size_t route, std::string who)
        : world_(world), route_(route), who_(std::move(who)) {}

    std::vector<std::string> rewrite() const {
        const Items route = route_list();
        std::size_t behind = 0;
        for (std::size_t i = 0; i < route.size(); ++i) {
            if (route[i].auth) behind = i + 1;
        }
        std::vector<std::string> ran;
        std::set<std::string> done;
        const auto run = [&](const Item& item) { ran.push_back(item.name + "@" + item.place), done.insert(item.name); };
        if (world_.global_auth) ran.push_back("global-auth@global");
        const bool known = world_.global_auth && !who_.empty();
        if (behind == 0) {
            for (const Item& item : known ? merged() : route) run(item);
            return ran;
        }
        for (std::size_t i = 0; i < behind; ++i) {
            if (route[i].auth || route[i].before_auth || !overridden(route[i].name)) run(route[i]);
        }
        const Items rest = who_.empty() ? route : merged();
        for (const Item& item : rest) {
            if (names(route).count(item.name) && !done.count(item.name)) run(item);
        }
        for (const Item& item : rest) {
            if (!names(route).count(item.name)) run(item);
        }
        return ran;
    }
    // access and everything later
    std::vector<std::string> later() const {
        std::vector<std::string> ran;
        if (world_.global_auth) ran.push_back("global-auth@global");
        for (const Item& item : who_.empty() ? route_list() : merged()) ran.push_back(item.name + "@" + item.place);
        return ran;
    }

private:
    static std::set<std::string> names(const Items& items) {
        std::set<std::string> all;
        for (const Item& item : items) all.insert(item.name);
        return all;
    }
    bool overridden(const std::string& name) const {
        for (const auto& [consumer, entries] : world_.of) {
            if (entries.count(name)) return true;
        }
        return world_.group.count(name) > 0;
    }
    Item item(const std::string& name, const std::string& place, const Entry& entry) const {
        const Kindred& kindred = world_.plugins.at(name);
        return {name, place, entry.priority.value_or(kindred.priority), false, kindred.before_auth};
    }
    Items route_list() const {
        Items items;
        for (const auto& [name, entry] : world_.routes[route_]) {
            if (entry.enabled) items.push_back(item(name, "route" + std::to_string(route_), entry));
        }
        if (world_.route_auth) items.push_back({"auth", "route", world_.auth_priority, true, false});
        sort_items(items);
        return items;
    }
    Items merged() const {
        std::map<std::string, std::optional<Item>> winners;
        for (const Item& item : route_list()) winners[item.name] = item;
        const auto lay = [&](const Entries& entries, const std::string& place) {
            for (const auto& [name, entry] : entries) {
                winners[name] = entry.enabled ? std::optional(item(name, place, entry)) : std::nullopt;
            }
        };
        if (who_ == "jack") lay(world_.group, "group");
        lay(world_.of.at(who_), who_);
        Items items;
        for (const auto& [name, winner] : winners) {
            if (winner) items.push_back(*winner);
        }
        sort_items(items);
        return items;
    }

    const World& world_;
    std::size_t route_;
    std::string who_;
};

// --- the real thing

// Attaches whoever the request names in a field.
class TestAuth final : public Plugin {
public:
    explicit TestAuth(std::string label, std::vector<std::string>& story) : label_(std::move(label)), story_(story) {}
    Step rewrite(Exchange& exchange) const override {
        story_.push_back(label_ + "#rewrite");
        const std::string_view name = exchange.request.fields.get("x-who");
        if (const auto consumer = exchange.consumers().find_consumer(name)) exchange.attach(consumer, {});
        return Verdict::next;
    }
    Step access(Exchange&) const override {
        story_.push_back(label_ + "#access");
        return Verdict::next;
    }

private:
    std::string label_;
    std::vector<std::string>& story_;
};

class Reality {
public:
    explicit Reality(const World& world) : world_(world) {
        for (const char* name : {"jack", "rose"}) consumers_.add(name, "{}");
        std::vector<Override> jack = overrides(world.group, "group");
        for (Override& own : overrides(world.of.at("jack"), "jack")) jack.push_back(std::move(own));
        consumers_.override_with("jack", std::move(jack));
        consumers_.override_with("rose", overrides(world.of.at("rose"), "rose"));
        for (std::size_t route = 0; route < 2; ++route) chains_[route] = route_chain(route);
        std::vector<Ref<const Instance>> global;
        if (world.global_auth) global.push_back(auth("global-auth", "global-auth@global"));
        global_ = Chain::make(std::move(global), Chain::Scope::global);
    }
    // What ran, "name@place#phase".
    std::vector<std::string> request(std::size_t route, const std::string& who) {
        story_.clear();
        FakeExchange exchange;
        exchange.use(consumers_);
        exchange.with("X-Who", who);
        exchange.run(*chains_[route], {}, global_.get());
        return story_;
    }

private:
    Ref<const Instance> plugin(const std::string& name, const std::string& place, const Entry& entry) {
        const auto known = world_.plugins.find(name);
        auto made = std::make_unique<Instance>();
        made->plugin = std::make_unique<Probe>(name + "@" + place, story_);
        made->name = known->first;
        made->priority = entry.priority.value_or(known->second.priority);
        made->phases = all_phases;
        made->before_auth = known->second.before_auth;
        return Ref<const Instance>(made.release());
    }
    Ref<const Instance> auth(std::string_view name, const std::string& label) {
        auto made = std::make_unique<Instance>();
        made->plugin = std::make_unique<TestAuth>(label, story_);
        made->name = name;
        made->priority = world_.auth_priority;
        made->phases = phases_of<TestAuth>();
        made->is_auth = true;
        return Ref<const Instance>(made.release());
    }
    std::vector<Override> overrides(const Entries& entries, const std::string& place) {
        std::vector<Override> made;
        for (const auto& [name, entry] : entries) {
            made.push_back(
                {world_.plugins.find(name)->first, entry.enabled ? plugin(name, place, entry) : Ref<const Instance>()});
        }
        return made;
    }
    Ref<const Chain> route_chain(std::size_t route) {
        std::vector<Ref<const Instance>> instances;
        for (const auto& [name, entry] : world_.routes[route]) {
            if (entry.enabled) instances.push_back(plugin(name, "route" + std::to_string(route), entry));
        }
        if (world_.route_auth) instances.push_back(auth("auth", "auth@route"));
        return Chain::make(std::move(instances), Chain::Scope::route, [this](std::string_view name) {
            const std::string text(name);
            return world_.group.count(text) + world_.of.at("jack").count(text) + world_.of.at("rose").count(text) > 0;
        });
    }

    const World& world_;
    std::vector<std::string> story_;
    FakeConsumers consumers_;
    std::array<Ref<const Chain>, 2> chains_;
    Ref<const Chain> global_;
};

std::vector<std::string> of_phase(const std::vector<std::string>& story, std::string_view phase) {
    std::vector<std::string> out;
    for (const std::string& line : story) {
        if (line.ends_with(phase)) out.push_back(line.substr(0, line.size() - phase.size()));
    }
    return out;
}

std::vector<std::string> without_auth(std::vector<std::string> list) {
    std::erase_if(list, [](const std::string& name) { return name.find("auth@") != std::string::npos; });
    return list;
}

// The first thing that differs, or nothing.
std::string difference(const World& world, Reality& reality, std::size_t route, const std::string& who) {
    const std::vector<std::string> story = reality.request(route, who);
    std::set<std::string> seen;
    for (const std::string& line : story) {
        const std::string pair = line.substr(0, line.find('@')) + line.substr(line.find('#'));
        if (!seen.insert(pair).second) return "twice: " + pair;
    }
    const std::string attached = world.route_auth || world.global_auth ? who : std::string();
    const Model model(world, route, attached);
    if (of_phase(story, "#rewrite") != model.rewrite()) return "rewrite";
    if (of_phase(story, "#access") != model.later()) return "access";
    for (const char* phase : {"#before_proxy", "#header_filter", "#body_filter", "#delayed_body_filter", "#log"}) {
        if (of_phase(story, phase) != without_auth(model.later())) return phase;
    }
    return {};
}

// All pairs of route and consumer, in an order that depends on `turn`, so that each follows each.
std::string first_difference(const World& world, unsigned turn) {
    Reality reality(world);
    for (unsigned n = 0; n < 12; ++n) {
        const unsigned pick = (n * (turn % 2 ? 5 : 7) + turn) % 6;
        const std::string who = std::array<std::string, 3>{"jack", "rose", ""}[pick % 3];
        const std::string found = difference(world, reality, pick / 3, who);
        if (!found.empty()) return found + " of route " + std::to_string(pick / 3) + " for \"" + who + "\"";
    }
    return {};
}

// 0: absent, 1: enabled, 2: disabled.
void place(Entries& entries, const std::string& name, unsigned state, std::optional<int> priority = {}) {
    if (state != 0) entries[name] = {state == 1, priority};
}

}  // namespace

TEST_CASE("rewrite: all places, priorities and disables of one plugin beside another", "[plugin][rewrite_property]") {
    unsigned worlds = 0;
    for (unsigned auth = 0; auth < 4; ++auth) {
        for (unsigned shape = 0; shape < 3 * 3 * 3 * 3 * 2 * 2 * 3; ++shape) {
            unsigned left = shape;
            const auto take = [&](unsigned choices) {
                const unsigned chosen = left % choices;
                left /= choices;
                return chosen;
            };
            World world;
            world.route_auth = auth & 1;
            world.global_auth = auth & 2;
            world.of = {{"jack", {}}, {"rose", {}}};
            const unsigned on_route = take(3), on_group = take(3), on_jack = take(3), on_rose = take(3);
            world.plugins["x"] = {take(2) ? 60 : 40, take(2) == 1};
            world.plugins["y"] = {45, false};
            const std::array<std::optional<int>, 3> metas{std::nullopt, 30, 70};
            place(world.routes[0], "x", on_route, metas[take(3)]);
            place(world.routes[0], "y", 1);
            place(world.routes[1], "y", 1);
            place(world.group, "x", on_group, 70);
            place(world.of["jack"], "x", on_jack, 30);
            place(world.of["rose"], "x", on_rose);
            const std::string found = first_difference(world, shape);
            if (!found.empty()) FAIL("auth " << auth << " shape " << shape << ": " << found);
            ++worlds;
        }
    }
    CHECK(worlds == 3888);
}

TEST_CASE("rewrite: random worlds of four plugins", "[plugin][rewrite_property]") {
    for (unsigned seed = 1; seed <= 1500; ++seed) {
        std::mt19937 random(seed);
        const auto below = [&](unsigned limit) { return static_cast<unsigned>(random() % limit); };
        World world;
        world.route_auth = below(4) != 0;
        world.global_auth = below(4) == 0;
        world.of = {{"jack", {}}, {"rose", {}}};
        for (const char* name : {"a", "b", "c", "d"}) {
            world.plugins[name] = {static_cast<int>(45 + below(12)), below(4) == 0};
            const auto priority = [&]() -> std::optional<int> {
                return below(3) ? std::nullopt : std::optional<int>(static_cast<int>(40 + below(20)));
            };
            for (Entries* entries :
                 {&world.routes[0], &world.routes[1], &world.group, &world.of["jack"], &world.of["rose"]}) {
                place(*entries, name, below(3), priority());
            }
        }
        const std::string found = first_difference(world, seed);
        if (!found.empty()) FAIL("seed " << seed << ": " << found);
    }
}

TEST_CASE("rewrite: a missing group answers 503, response phases run with the route's list",
          "[plugin][rewrite_property]") {
    std::vector<std::string> story;
    FakeConsumers consumers;
    consumers.add("jack", "{}", {"missing", ""});
    auto auth = std::make_unique<Instance>();
    auth->plugin = std::make_unique<TestAuth>("auth@route", story);
    auth->name = "auth";
    auth->priority = 50;
    auth->phases = phases_of<TestAuth>();
    auth->is_auth = true;
    const auto chain = Chain::make({Ref<const Instance>(auth.release()), probe("late", story, {.priority = 10})});
    FakeExchange exchange;
    exchange.use(consumers);
    exchange.with("X-Who", "jack");
    CHECK(exchange.run(*chain).status == 503);
    CHECK(exchange.merge_failed);
    CHECK(story == std::vector<std::string>{"auth@route#rewrite", "late#header_filter", "late#body_filter",
                                            "late#delayed_body_filter", "late#log"});
}

TEST_CASE("rewrite: what a filter said of the route's instance holds in the merged list",
          "[plugin][rewrite_property]") {
    std::vector<std::string> story;
    FakeConsumers consumers;
    consumers.add("jack", "{}");
    const auto filtered = [&](std::string_view name, int priority, const std::string& wanted) {
        return probe(name, story, {.priority = priority, .meta = R"({"filter":[["arg_v","==",")" + wanted + "\"]]}"});
    };
    auto auth = std::make_unique<Instance>();
    auth->plugin = std::make_unique<TestAuth>("auth", story);
    auth->name = "auth";
    auth->priority = 50;
    auth->phases = phases_of<TestAuth>();
    auth->is_auth = true;
    const auto kept = filtered("kept", 60, "2"), skipped = filtered("skipped", 59, "3");
    const auto chain = Chain::make({Ref<const Instance>(auth.release()), kept, skipped});
    consumers.override_with("jack", {{"own", filtered("own", 58, "2")}});
    FakeExchange exchange("GET", "/a?v=2");
    exchange.use(consumers);
    exchange.with("X-Who", "jack");
    exchange.run(*chain);
    CHECK(of_phase(story, "#rewrite") == std::vector<std::string>{"kept", "auth", "own"});
    CHECK(of_phase(story, "#log") == std::vector<std::string>{"kept", "own"});
}

TEST_CASE("rewrite: a global instance that prefers the route's decides once", "[plugin][rewrite_property]") {
    std::vector<std::string> story;
    const auto global = Chain::make({probe("twin", story, {.prefer_route = true})}, Chain::Scope::global);
    const auto with = Chain::make({probe("twin", story)}), without = Chain::make({});
    FakeExchange one;
    one.run(*with, {}, global.get());
    CHECK(of_phase(story, "#log").size() == 1);
    FakeExchange two;
    two.run(*without, {}, global.get());
    CHECK(of_phase(story, "#log").size() == 2);
}
