#include "libgateway/admin/patch.hpp"

#include <boost/json.hpp>
#include <random>

#include "tests/support/catch.hpp"

using namespace gateway;

namespace {

// RFC 7396 by another library's values.
boost::json::value oracle(boost::json::value target, const boost::json::value& patch) {
    if (!patch.is_object()) return patch;
    boost::json::object merged = target.is_object() ? target.as_object() : boost::json::object();
    for (const auto& [name, value] : patch.as_object()) {
        if (value.is_null()) {
            merged.erase(name);
        } else {
            merged[name] = oracle(merged[name], value);
        }
    }
    return merged;
}

class Maker {
public:
    explicit Maker(unsigned seed) : random_(seed) {}
    std::string value(int depth) {
        switch (below(depth > 0 ? 8 : 5)) {
            case 0:
                return "null";
            case 1:
                return "true";
            case 2:
                return std::to_string(below(1000));
            case 3:
                return "\"text\"";
            case 4:
                return "{}";
            case 5:
                return "[" + value(depth - 1) + "," + value(depth - 1) + "]";
            default:
                return object(depth);
        }
    }
    std::string object(int depth) {
        std::string text = "{";
        const char* names[] = {"a", "b", "c", "d"};
        for (const char* name : names) {
            if (below(3) == 0) continue;
            text.append(text.size() > 1 ? "," : "").append("\"").append(name).append("\":").append(value(depth - 1));
        }
        return text + "}";
    }

private:
    unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }
    std::mt19937 random_;
};

}  // namespace

TEST_CASE("patch: merging agrees with another implementation of RFC 7396", "[admin][patch]") {
    for (unsigned seed = 0; seed < 3000; ++seed) {
        Maker maker(seed);
        const std::string before = maker.object(4), patch = maker.object(4);
        json::Value merged = json::parse(before);
        admin::merge(merged, json::parse(patch));
        INFO(before << " merged with " << patch);
        REQUIRE(boost::json::parse(json::write(merged)) ==
                oracle(boost::json::parse(before), boost::json::parse(patch)));
    }
}

TEST_CASE("patch: numbers keep their text", "[admin][patch]") {
    json::Value value = json::parse(R"({"a":12345678901234567890123,"b":{"c":0.10}})");
    admin::merge(value, json::parse(R"({"b":{"d":98765432109876543210}})"));
    REQUIRE(json::write(value) == R"({"a":12345678901234567890123,"b":{"c":0.10,"d":98765432109876543210}})");
}

TEST_CASE("patch: a path replaces one member and makes what is missing on the way", "[admin][patch]") {
    const auto [path, body, expected] = GENERATE(table<std::vector<std::string>, std::string, std::string>({
        {{"a", "b"}, "2", R"({"a":{"b":2},"l":[1],"s":"x","n":null})"},
        {{"new", "x", "y"}, "[1]", R"({"a":{"b":1},"l":[1],"s":"x","n":null,"new":{"x":{"y":[1]}}})"},
        {{"a"}, "null", R"({"l":[1],"s":"x","n":null})"},
        {{"a", "b"}, "null", R"({"a":{},"l":[1],"s":"x","n":null})"},
        {{"no", "where"}, "null", R"({"a":{"b":1},"l":[1],"s":"x","n":null})"},
        {{"n", "x"}, "1", R"({"a":{"b":1},"l":[1],"s":"x","n":{"x":1}})"},
        {{"l"}, "[]", R"({"a":{"b":1},"l":[],"s":"x","n":null})"},
    }));
    json::Value value = json::parse(R"({"a":{"b":1},"l":[1],"s":"x","n":null})");
    REQUIRE(admin::replace_at(value, path, json::parse(body)));
    REQUIRE(json::write(value) == expected);
}

TEST_CASE("patch: a path through an array or a scalar changes nothing", "[admin][patch]") {
    const auto path = GENERATE(std::vector<std::string>{"l", "0"}, std::vector<std::string>{"s", "x"},
                               std::vector<std::string>{"a", "b", "c"});
    const std::string before = R"({"a":{"b":1},"l":[1],"s":"x"})";
    json::Value value = json::parse(before);
    REQUIRE_FALSE(admin::replace_at(value, path, json::parse("1")));
    REQUIRE(json::write(value) == before);
}
