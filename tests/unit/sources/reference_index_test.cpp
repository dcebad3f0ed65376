#include "libgateway/sources/reference_index.hpp"

#include "tests/support/catch.hpp"

using namespace gateway::sources;
using gateway::config::Kind;
namespace json = gateway::json;

namespace {

void add(ReferenceIndex& index, Kind kind, const std::string& id, std::string_view text) {
    index.add(kind, id, json::parse(text));
}

}  // namespace

TEST_CASE("reference index: objects are found by whom they name, the first by id", "[sources][reference_index]") {
    ReferenceIndex index;
    add(index, Kind::route, "2", R"({"upstream_id":"u","service_id":"s","plugin_config_id":7})");
    add(index, Kind::route, "1", R"({"upstream_id":"u"})");
    add(index, Kind::service, "s", R"({"upstream_id":"v"})");
    add(index, Kind::consumer, "jack", R"({"group_id":"g"})");
    CHECK(index.first_user(Kind::upstream, "u", Kind::route, Use::member) == "1");
    CHECK(index.first_user(Kind::upstream, "u", Kind::service, Use::member).empty());
    CHECK(index.first_user(Kind::upstream, "v", Kind::service, Use::member) == "s");
    CHECK(index.first_user(Kind::service, "s", Kind::route, Use::member) == "2");
    CHECK(index.first_user(Kind::plugin_config, "7", Kind::route, Use::member) == "2");
    CHECK(index.first_user(Kind::consumer_group, "g", Kind::consumer, Use::member) == "jack");
    CHECK(index.first_user(Kind::service, "u", Kind::route, Use::member).empty());
}

TEST_CASE("reference index: rules of traffic-split are told from members", "[sources][reference_index]") {
    constexpr std::string_view split =
        R"({"plugins":{"traffic-split":{"rules":[{"weighted_upstreams":[{"weight":1},{"upstream_id":"u"},)"
        R"({"upstream_id":5}]}]}}})";
    ReferenceIndex index;
    add(index, Kind::global_rule, "r", split);
    add(index, Kind::route, "1", split);
    CHECK(index.first_user(Kind::upstream, "u", Kind::route, Use::member).empty());
    CHECK(index.first_user(Kind::upstream, "u", Kind::route, Use::split) == "1");
    CHECK(index.first_user(Kind::upstream, "5", Kind::global_rule, Use::split) == "r");
}

TEST_CASE("reference index: what is removed is forgotten, what others say stays", "[sources][reference_index]") {
    ReferenceIndex index;
    add(index, Kind::route, "1", R"({"upstream_id":"u"})");
    add(index, Kind::route, "2", R"({"upstream_id":"u"})");
    index.remove(Kind::route, "1", json::parse(R"({"upstream_id":"u"})"));
    CHECK(index.first_user(Kind::upstream, "u", Kind::route, Use::member) == "2");
    index.remove(Kind::route, "2", json::parse(R"({"upstream_id":"u"})"));
    CHECK(index.first_user(Kind::upstream, "u", Kind::route, Use::member).empty());
    index.remove(Kind::route, "2", json::parse(R"({"upstream_id":"none"})"));
}

TEST_CASE("reference index: anything may stand where a reference is expected", "[sources][reference_index]") {
    const auto text =
        GENERATE(R"({"upstream_id":{}})", R"({"upstream_id":null})", R"([1])", R"("x")", R"({"plugins":[]})",
                 R"({"plugins":{"traffic-split":{"rules":{"weighted_upstreams":1}}}})",
                 R"({"plugins":{"traffic-split":{"rules":[{"weighted_upstreams":[1,null]}]}}})");
    ReferenceIndex index;
    add(index, Kind::route, "1", text);
    CHECK(index.first_user(Kind::upstream, "", Kind::route, Use::member).empty());
    CHECK_FALSE(ReferenceIndex::concerns(R"({"uri":"/id","id":"1"})"));
    CHECK(ReferenceIndex::concerns(R"({"upstream_id":1})"));
}
