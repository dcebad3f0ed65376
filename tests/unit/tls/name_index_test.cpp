#include "libgateway/tls/name_index.hpp"

#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::tls;

namespace {

Ref<const Identity> identity(std::uint64_t order, std::vector<std::string> names) {
    IdentitySettings settings;
    settings.id = std::to_string(order);
    settings.order = order;
    settings.names = std::move(names);
    return make_ref<const Identity>(std::move(settings));
}

std::string found(const NameIndex& index, std::string_view name) {
    const Identity* const one = index.find(name);
    return one ? one->id() : "none";
}

}  // namespace

TEST_CASE("name index: a star stands for one label", "[tls][name_index]") {
    NameIndex index;
    index.add(identity(1, {"*.test.com"}));
    CHECK(found(index, "a.test.com") == "1");
    CHECK(found(index, "a.b.test.com") == "none");
    CHECK(found(index, "test.com") == "none");
    CHECK(found(index, ".test.com") == "none");
    CHECK(found(index, "atest.com") == "none");
}

TEST_CASE("name index: an exact name beats a star, a longer star a shorter one", "[tls][name_index]") {
    NameIndex index;
    index.add(identity(1, {"*"}));
    index.add(identity(2, {"*.test.com"}));
    index.add(identity(3, {"*x.test.com"}));
    index.add(identity(4, {"a.test.com"}));
    CHECK(found(index, "a.test.com") == "4");
    CHECK(found(index, "b.test.com") == "2");
    CHECK(found(index, "bx.test.com") == "3");
    CHECK(found(index, "x.test.com") == "2");
    CHECK(found(index, "a.b.test.com") == "1");
    CHECK(found(index, "localhost") == "1");
}

TEST_CASE("name index: case and one dot at the end make no difference", "[tls][name_index]") {
    NameIndex index;
    index.add(identity(1, {"A.Test.com."}));
    index.add(identity(2, {"*.B.test"}));
    CHECK(found(index, "a.test.COM.") == "1");
    CHECK(found(index, "a.test.com") == "1");
    CHECK(found(index, "a.test.com..") == "none");
    CHECK(found(index, "X.b.test.") == "2");
}

TEST_CASE("name index: what is no name finds nothing", "[tls][name_index]") {
    NameIndex index;
    index.add(identity(1, {"*", "*.test.com"}));
    CHECK(found(index, "") == "none");
    CHECK(found(index, ".") == "none");
    CHECK(found(index, "*") == "none");
    CHECK(found(index, "*.test.com") == "none");
    CHECK(found(index, std::string(256, 'a')) == "none");
    CHECK(found(index, std::string(255, 'a')) == "1");
}

TEST_CASE("name index: of equal names the oldest counts until it goes", "[tls][name_index]") {
    NameIndex index;
    const auto young = identity(7, {"a.test", "b.test"});
    const auto old = identity(2, {"a.test"});
    const auto middle = identity(5, {"a.test", "a.test"});
    index.add(young);
    index.add(old);
    index.add(middle);
    CHECK(found(index, "a.test") == "2");
    CHECK(index.claims("A.test").size() == 3);
    index.remove(*old);
    CHECK(found(index, "a.test") == "5");
    index.remove(*middle);
    CHECK(found(index, "a.test") == "7");
    index.remove(*young);
    CHECK(found(index, "a.test") == "none");
    CHECK(index.size() == 0);
}

TEST_CASE("name index: a broken identity keeps its names", "[tls][name_index]") {
    NameIndex index;
    index.add(identity(1, {"*.test"}));
    IdentitySettings broken;
    broken.id = "broken";
    broken.order = 2;
    broken.names = {"a.test"};
    broken.problem = "no key fits";
    index.add(make_ref<const Identity>(std::move(broken)));
    REQUIRE(index.find("a.test"));
    CHECK(index.find("a.test")->id() == "broken");
    CHECK_FALSE(index.find("a.test")->usable());
}

TEST_CASE("name index: a copy stays as it was", "[tls][name_index]") {
    NameIndex index;
    index.add(identity(1, {"*x.test"}));
    const NameIndex before = index;
    const auto other = identity(2, {"ax.test"});
    index.add(other);
    CHECK(found(index, "ax.test") == "2");
    CHECK(found(before, "ax.test") == "1");
    index.remove(*other);
    CHECK(found(index, "ax.test") == "1");
}
