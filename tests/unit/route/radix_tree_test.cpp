#include "libgateway/route/radix_tree.hpp"

#include <map>
#include <random>
#include <vector>

#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::route;

namespace {

struct Slot {
    int value = 0;
    bool empty() const noexcept { return value == 0; }
};
using Tree = RadixTree<Slot>;

void put(Tree& tree, std::string_view key, SlotKind kind, int value) {
    tree.update(key, kind, [&](Slot& slot) { slot.value = value; });
}
std::vector<int> visited(const Tree& tree, std::string_view key) {
    std::vector<int> out;
    tree.visit(ForwardKey(key), [&](const Slot& slot) {
        out.push_back(slot.value);
        return false;
    });
    return out;
}

}  // namespace

TEST_CASE("radix tree: the exact slot comes first, then the longest prefix", "[route][radix_tree]") {
    Tree tree;
    put(tree, "/", SlotKind::prefix, 1);
    put(tree, "/blog", SlotKind::prefix, 2);
    put(tree, "/blog/", SlotKind::prefix, 3);
    put(tree, "/blog/bar", SlotKind::exact, 4);
    put(tree, "/blog/bar", SlotKind::prefix, 5);
    put(tree, "", SlotKind::prefix, 6);
    CHECK(visited(tree, "/blog/bar") == std::vector<int>{4, 5, 3, 2, 1, 6});
    CHECK(visited(tree, "/blog/barn") == std::vector<int>{5, 3, 2, 1, 6});
    CHECK(visited(tree, "/blo") == std::vector<int>{1, 6});
    CHECK(visited(tree, "x") == std::vector<int>{6});
    CHECK(visited(tree, "") == std::vector<int>{6});
}

TEST_CASE("radix tree: more nested prefixes than a descent remembers are all visited", "[route][radix_tree]") {
    Tree tree;
    std::vector<int> expected;
    for (int i = 1; i <= 200; ++i) put(tree, std::string(static_cast<std::size_t>(i), 'a'), SlotKind::prefix, i);
    for (int i = 150; i >= 1; --i) expected.push_back(i);
    CHECK(visited(tree, std::string(150, 'a')) == expected);
}

TEST_CASE("radix tree: a key that goes takes its nodes along", "[route][radix_tree]") {
    Tree tree;
    for (const char* key : {"abc", "abd", "ab", "x"}) put(tree, key, SlotKind::exact, 1);
    for (const char* key : {"ab", "abd", "none", "abc", "x"}) put(tree, key, SlotKind::exact, 0);
    CHECK(tree.empty());
}

TEST_CASE("radix tree: hosts are read from their end", "[route][radix_tree]") {
    Tree tree;
    put(tree, ReverseKey(".foo.com").text(), SlotKind::prefix, 1);
    put(tree, ReverseKey("a.foo.com").text(), SlotKind::exact, 2);
    const auto slot_of = [&](std::string_view host) { return tree.exact(ReverseKey(host)); };
    CHECK(slot_of("a.foo.com")->value == 2);
    CHECK(slot_of("b.foo.com") == nullptr);
    CHECK(tree.exact(RawReverseKey("A.Foo.COM"))->value == 2);
    CHECK(tree.visit_prefixes(ReverseKey("b.foo.com"), [](const Slot& slot) { return slot.value == 1; }));
    CHECK_FALSE(tree.visit_prefixes(ReverseKey("foo.com"), [](const Slot&) { return true; }));
}

TEST_CASE("radix tree: copies stay as they were through random changes", "[route][radix_tree]") {
    std::mt19937 random(3);
    using Model = std::map<std::string, int>;
    std::vector<std::pair<Tree, Model>> versions(1);
    for (int step = 0; step < 2000; ++step) {
        auto& [tree, model] = versions.back();
        std::string key;
        for (unsigned size = random() % 8; key.size() < size;) key += static_cast<char>("ab\xff"[random() % 3]);
        const int value = static_cast<int>(random() % 3);
        put(tree, key, SlotKind::exact, value);
        model[key] = value;
        if (step % 200 == 0) versions.push_back(versions.back());
    }
    for (const auto& [tree, model] : versions) {
        for (const auto& [key, value] : model) {
            const Slot* slot = tree.exact(ForwardKey(key));
            REQUIRE((slot ? slot->value : 0) == value);
        }
    }
}
