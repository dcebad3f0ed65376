#include "libgateway/sources/document.hpp"

#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "libgateway/sources/file_watch.hpp"
#include "libgateway/sources/order_keys.hpp"
#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::sources;
using config::Kind;

namespace {
ObjectPtr route(std::string id, std::uint64_t order, std::string json = "{}") {
    return make_object(Kind::route, std::move(id), order, std::move(json), {});
}
using Keys = std::vector<std::optional<std::uint64_t>>;

// A file of its own that is removed at the end of the test.
struct ScratchFile {
    ScratchFile() {
        char name[] = "/tmp/gateway_watch_XXXXXX";
        const int fd = ::mkstemp(name);
        REQUIRE(fd >= 0);
        ::close(fd);
        path = name;
    }
    ~ScratchFile() { std::remove(path.c_str()); }
    void write(std::string_view text) const { std::ofstream(path) << text; }
    std::string path;
};
}  // namespace

TEST_CASE("document: putting and erasing keep the digest exact", "[sources][document]") {
    Document document;
    const auto empty = document.digest();
    REQUIRE_FALSE(document.put(route("a", 1)));
    const auto one = document.digest();
    const ObjectPtr replaced = document.put(route("a", 1, R"({"uri":"/"})"));
    REQUIRE(replaced->json == "{}");
    REQUIRE(document.digest() != one);
    document.put(replaced);
    REQUIRE(document.digest() == one);
    REQUIRE(document.erase(Kind::route, "a")->id == "a");
    REQUIRE_FALSE(document.erase(Kind::route, "a"));
    REQUIRE(document.digest() == empty);
    REQUIRE(document.size() == 0);
}

TEST_CASE("document: the digest does not depend on the order of changes", "[sources][document]") {
    Document one, other;
    one.put(route("a", 1));
    one.put(route("b", 2));
    other.put(route("b", 2));
    other.put(route("a", 1));
    REQUIRE(one.digest() == other.digest());
    other.put(route("a", 3));
    REQUIRE(one.digest() != other.digest());
}

TEST_CASE("document: a diff holds removals and what is new or changed, in order", "[sources][document]") {
    Document before, after;
    before.put(route("gone", 1));
    before.put(route("same", 2));
    before.put(route("changed", 3));
    after.put(route("same", 2));
    after.put(route("new", 5));
    after.put(route("changed", 3, R"({"x":1})"));
    const auto changes = diff(before, after);
    REQUIRE(changes.size() == 3);
    REQUIRE((changes[0].removed && changes[0].id == "gone"));
    REQUIRE(changes[1].id == "changed");
    REQUIRE(changes[1].json == R"({"x":1})");
    REQUIRE(changes[2].id == "new");
    REQUIRE(diff(after, after).empty());
}

TEST_CASE("document: objects come by kind and order", "[sources][document]") {
    Document document;
    document.put(route("b", 2));
    document.put(route("a", 9));
    document.put(make_object(Kind::upstream, "u", 1, "{}", {}));
    document.put(make_object(Kind::plugins, "list", 0, "[]", {}));
    const auto all = document.objects();
    REQUIRE(all.size() == 4);
    REQUIRE(all[0]->id == "list");
    REQUIRE(all[1]->id == "b");
    REQUIRE(all[2]->id == "a");
    REQUIRE(all[3]->id == "u");
    REQUIRE(document.next_order(Kind::route) > 9);
}

TEST_CASE("order keys: fresh lists get wide gaps", "[sources][order_keys]") {
    REQUIRE(order_keys({std::nullopt, std::nullopt}) == std::vector<std::uint64_t>{order_gap, 2 * order_gap});
    REQUIRE(order_keys({}).empty());
}

TEST_CASE("order keys: known objects keep their keys while their order stays", "[sources][order_keys]") {
    REQUIRE(order_keys({std::nullopt, 10, std::nullopt, std::nullopt, 40}) ==
            std::vector<std::uint64_t>{5, 10, 20, 30, 40});
    REQUIRE(order_keys({30, 10, 20, 40}) == std::vector<std::uint64_t>{5, 10, 20, 40});
    REQUIRE(order_keys({10, 10}) == std::vector<std::uint64_t>{5, 10});
}

TEST_CASE("order keys: an exhausted gap renumbers the list", "[sources][order_keys]") {
    REQUIRE(order_keys({10, std::nullopt, 11}) == std::vector<std::uint64_t>{order_gap, 2 * order_gap, 3 * order_gap});
    REQUIRE(order_keys({UINT64_MAX, std::nullopt}) == std::vector<std::uint64_t>{order_gap, 2 * order_gap});
}

TEST_CASE("order keys: many insertions at one place stay ascending", "[sources][order_keys]") {
    Keys keys{order_gap, 2 * order_gap};
    for (int i = 0; i < 100; ++i) {
        keys.insert(keys.begin() + 1, std::nullopt);
        const auto next = order_keys(keys);
        for (std::size_t n = 1; n < next.size(); ++n) REQUIRE(next[n - 1] < next[n]);
        keys.assign(next.begin(), next.end());
    }
}

TEST_CASE("file watch: a change counts once it is stable for one poll", "[sources][file_watch]") {
    const ScratchFile file;
    FileWatch watch(file.path);
    watch.taken();
    REQUIRE_FALSE(watch.poll());
    file.write("one");
    REQUIRE_FALSE(watch.poll());
    file.write("one and more");
    REQUIRE_FALSE(watch.poll());
    REQUIRE(watch.poll());
    REQUIRE(watch.poll());
    watch.taken();
    REQUIRE_FALSE(watch.poll());
}

TEST_CASE("file watch: a vanished file is no change, a new one is", "[sources][file_watch]") {
    const ScratchFile file;
    FileWatch watch(file.path);
    watch.taken();
    std::remove(file.path.c_str());
    REQUIRE_FALSE(watch.poll());
    REQUIRE_FALSE(watch.poll());
    file.write("again");
    REQUIRE_FALSE(watch.poll());
    REQUIRE(watch.poll());
}
