#include "libgateway/route/persistent_map.hpp"

#include <map>
#include <random>
#include <string>

#include "tests/support/catch.hpp"

using namespace gateway;

namespace {

struct Item : RefCounted {
    Item(std::string given, int number) : id(std::move(given)), value(number) {}
    std::string_view key() const noexcept { return id; }
    std::string id;
    int value;
};
using Map = PersistentMap<Item>;
using Model = std::map<std::string, int, std::less<>>;

Ref<const Item> item(std::string id, int value) {
    return make_ref<Item>(std::move(id), value);
}

Model content(const Map& map) {
    Model result;
    Map::Cursor cursor(map);
    while (const Item* found = cursor.next()) result[found->id] = found->value;
    return result;
}

Map filled(int count) {
    Map map;
    for (int i = 0; i < count; ++i) map.set(item("route-" + std::to_string(i), i));
    return map;
}

}  // namespace

TEST_CASE("persistent map: finds what was set and nothing else", "[route][persistent_map]") {
    const Map map = filled(5000);
    REQUIRE(map.size() == 5000);
    for (int i = 0; i < 5000; ++i) REQUIRE(map.find("route-" + std::to_string(i))->value == i);
    REQUIRE_FALSE(map.find("route-5000"));
    REQUIRE_FALSE(Map().find("route-1"));
}

TEST_CASE("persistent map: set and erase return what was there before", "[route][persistent_map]") {
    Map map;
    REQUIRE_FALSE(map.set(item("a", 1)));
    REQUIRE(map.set(item("a", 2))->value == 1);
    REQUIRE(map.size() == 1);
    REQUIRE_FALSE(map.erase("b"));
    REQUIRE(map.erase("a")->value == 2);
    REQUIRE(map.empty());
    REQUIRE_FALSE(map.erase("a"));
}

TEST_CASE("persistent map: a copy stays as it was and shares the objects", "[route][persistent_map]") {
    const Map old = filled(2000);
    const Model before = content(old);
    Map copy = old;
    copy.set(item("route-7", -1));
    copy.erase("route-8");
    copy.set(item("new", 5));
    REQUIRE(content(old) == before);
    REQUIRE(copy.size() == 2000);
    REQUIRE(copy.find("route-9") == old.find("route-9"));
    REQUIRE(copy.find("route-7")->value == -1);
}

TEST_CASE("persistent map: a cursor sees the map as it was when it began", "[route][persistent_map]") {
    Map map = filled(300);
    Map::Cursor cursor(map);
    int seen = 0;
    while (const Item* found = cursor.next()) {
        map.erase(std::string(found->id));
        ++seen;
    }
    REQUIRE(seen == 300);
    REQUIRE(map.empty());
}

TEST_CASE("persistent map: agrees with a sorted map over random changes, in every kept version",
          "[route][persistent_map]") {
    std::mt19937 random(17);
    Map map;
    Model model;
    std::vector<std::pair<Map, Model>> versions;
    for (int step = 0; step < 20'000; ++step) {
        const std::string id = std::to_string(random() % 900);
        if (random() % 3 == 0) {
            REQUIRE(static_cast<bool>(map.erase(id)) == (model.erase(id) == 1));
        } else {
            map.set(item(id, step));
            model[id] = step;
        }
        if (step % 1000 == 0) versions.emplace_back(map, model);
    }
    versions.emplace_back(map, model);
    for (const auto& [kept, expected] : versions) {
        REQUIRE(kept.size() == expected.size());
        REQUIRE(content(kept) == expected);
    }
}

TEST_CASE("persistent map: what only a dropped version used is freed in slices when held back",
          "[route][persistent_map]") {
    const Ref<const Item> watched = item("watched", 1);
    route::Disposal::hold_back(true);
    {
        Map map = filled(3000);
        map.set(watched);
    }
    REQUIRE(watched->use_count() == 2);
    REQUIRE(route::Disposal::waiting() == 1);
    while (route::Disposal::sweep(1)) {
    }
    route::Disposal::hold_back(false);
    REQUIRE(watched->use_count() == 1);
}
