#include "libgateway/route/entry_list.hpp"

#include <algorithm>
#include <random>

#include "tests/support/catch.hpp"
#include "tests/unit/route/rules.hpp"

using namespace gateway;
using namespace gateway::route;

namespace {

Ref<const Entry> make_entry(std::uint64_t order, int priority = 0, std::string uri = "/a") {
    auto entry = make_ref<Entry>();
    entry->rule = test::make_rule(std::to_string(order), order, {std::move(uri)}, {}, priority);
    entry->pattern = Pattern::parse(entry->rule->uris[0], false);
    return entry;
}
std::string ids_of(const EntryList& list) {
    std::string out;
    for (const Entry* entry = list.first(); entry; entry = list.after(*entry)) out += entry->rule->id + " ";
    return out;
}

}  // namespace

TEST_CASE("entry list: priority, then length of the pattern, then age", "[route][entry_list]") {
    EntryList list;
    for (const auto& entry : {make_entry(1), make_entry(2, 5), make_entry(3, 0, "/aa"), make_entry(4, -1, "/aaa"),
                              make_entry(5, 5), make_entry(6)}) {
        list.insert(entry);
    }
    CHECK(ids_of(list) == "2 5 3 1 6 4 ");
}

TEST_CASE("entry list: copies do not see each other's changes", "[route][entry_list]") {
    EntryList list;
    std::vector<Ref<const Entry>> entries;
    for (std::uint64_t i = 0; i < 7; ++i) list.insert(entries.emplace_back(make_entry(i)));
    const EntryList old = list;
    CHECK(list.erase(*entries[3]));
    CHECK_FALSE(list.erase(*entries[3]));
    list.insert(make_entry(9));
    CHECK(ids_of(old) == "0 1 2 3 4 5 6 ");
    CHECK(ids_of(list) == "0 1 2 4 5 6 9 ");
}

TEST_CASE("entry list: stays sorted and shallow through random changes", "[route][entry_list]") {
    std::mt19937 random(7);
    std::vector<Ref<const Entry>> entries;
    for (std::uint64_t i = 0; i < 500; ++i) entries.push_back(make_entry(i, static_cast<int>(random() % 3)));
    EntryList list;
    std::vector<bool> in(entries.size());
    for (int step = 0; step < 5000; ++step) {
        const std::size_t at = random() % entries.size();
        if (in[at]) {
            REQUIRE(list.erase(*entries[at]));
        } else {
            list.insert(entries[at]);
        }
        in[at] = !in[at];
        REQUIRE((list.find(*entries[at]) == (in[at] ? entries[at].get() : nullptr)));
    }
    std::size_t count = 0;
    const Entry* last = nullptr;
    for (const Entry* entry = list.first(); entry; entry = list.after(*entry), ++count) {
        if (last) REQUIRE(before(*last, *entry));
        last = entry;
    }
    CHECK(count == static_cast<std::size_t>(std::count(in.begin(), in.end(), true)));
}

TEST_CASE("entry list: lets go of what was erased", "[route][entry_list]") {
    EntryList list;
    std::vector<Ref<const Entry>> entries;
    for (std::uint64_t i = 0; i < 50; ++i) list.insert(entries.emplace_back(make_entry(i)));
    for (const auto& entry : entries) list.erase(*entry);
    CHECK(list.empty());
    for (const auto& entry : entries) CHECK(entry->use_count() == 1);
}
