#include "libgateway/http/fields.hpp"

#include <boost/beast/http/field.hpp>
#include <string>

#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::http;

namespace {

std::string names_of(const Fields& fields) {
    std::string names;
    for (const Field& field : fields) names += std::string(field.name) + "=" + std::string(field.value) + " ";
    return names;
}

}  // namespace

TEST_CASE("fields: well-known names are found by number whatever their case", "[http][fields]") {
    REQUIRE(field_name("cOnTeNt-LeNgTh") == FieldName::content_length);
    REQUIRE(field_name("x-unheard-of") == FieldName::unknown);
    Fields fields;
    fields.add("cOOkie", "a=1");
    REQUIRE(fields.get(FieldName::cookie) == "a=1");
    REQUIRE(fields.get("Cookie") == "a=1");
    REQUIRE(fields.find("Host") == nullptr);
}

TEST_CASE("fields: unknown names are compared by text without case", "[http][fields]") {
    Fields fields;
    fields.add("X-One", "1");
    fields.add("X-Two", "2");
    REQUIRE(fields.get("x-two") == "2");
    REQUIRE(fields.get("x-three").empty());
}

TEST_CASE("fields: set replaces the first, removes the others, appends if there is none", "[http][fields]") {
    Fields fields;
    fields.add("A-a", "1");
    fields.add("B-b", "2");
    fields.add("a-A", "3");
    REQUIRE(fields.set("a-a", "4"));
    REQUIRE(names_of(fields) == "A-a=4 B-b=2 ");
    REQUIRE(fields.set(FieldName::server, "x"));
    REQUIRE(fields.set(FieldName::server, "y"));
    REQUIRE(names_of(fields) == "A-a=4 B-b=2 Server=y ");
}

TEST_CASE("fields: remove tells how many went and keeps the order of the rest", "[http][fields]") {
    Fields fields;
    for (const char* name : {"Cookie", "X", "cookie", "Y"}) fields.add(name, "v");
    REQUIRE(fields.count(FieldName::cookie) == 2);
    REQUIRE(fields.remove(FieldName::cookie) == 2);
    REQUIRE(names_of(fields) == "X=v Y=v ");
    REQUIRE(fields.remove("y") == 1);
    REQUIRE(fields.remove("y") == 0);
    REQUIRE(fields.size() == 1);
}

TEST_CASE("fields: a full table refuses more and changes nothing", "[http][fields]") {
    Fields fields;
    for (std::size_t i = 0; i < Fields::capacity; ++i) REQUIRE(fields.add("X", "v"));
    REQUIRE_FALSE(fields.add("Y", "v"));
    REQUIRE_FALSE(fields.set("Y", "v"));
    REQUIRE(fields.size() == Fields::capacity);
    REQUIRE(fields.set("X", "w"));
    REQUIRE(fields.size() == 1);
}

TEST_CASE("fields: names are numbered as Beast numbers them", "[http][fields]") {
    for (unsigned i = 1; i <= 356; ++i) {
        const auto text = boost::beast::http::to_string(static_cast<FieldName>(i));
        const std::string name(text.data(), text.size());
        INFO(name);
        REQUIRE(field_name(name) == boost::beast::http::string_to_field(name));
        REQUIRE(field_name(to_lower(name)) == field_name(name));
        REQUIRE(field_name(name + "x") == boost::beast::http::string_to_field(name + "x"));
        REQUIRE(field_name(name.substr(1)) == boost::beast::http::string_to_field(name.substr(1)));
    }
    REQUIRE(field_name("") == FieldName::unknown);
}
