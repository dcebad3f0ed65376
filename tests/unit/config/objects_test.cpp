#include "libgateway/config/objects.hpp"

#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::config;

namespace {
std::string first_of(Kind kind, std::string_view text) {
    Errors errors;
    check_object(kind, json::parse(text), errors);
    return std::string(errors.first());
}
template <class S>
S read_good(std::string_view text) {
    S object;
    Errors errors;
    read(json::parse(text), object, errors);
    REQUIRE(errors.first() == "");
    return object;
}
}  // namespace

TEST_CASE("route: every field is read", "[config][objects]") {
    const Route route = read_good<Route>(
        R"({"id":7,"name":"n","labels":{"a":"b"},"uri":"/x","hosts":["*.a.com","b.com"],"remote_addrs":["10.0.0.0/8","::1"],)"
        R"("methods":["GET"],"priority":-3,"vars":[["arg_a","==","1"]],"status":0,"plugins":{"echo":{}},"service_id":"s",)"
        R"("upstream":{"nodes":{"127.0.0.1:80":1}},"timeout":{"connect":1,"send":0.5,"read":2},"enable_websocket":true,)"
        R"("create_time":1,"update_time":2})");
    REQUIRE(route.id->text == "7");
    REQUIRE(route.hosts.size() == 2);
    REQUIRE(route.priority == -3);
    REQUIRE(route.timeout->send == 0.5);
    REQUIRE(route.enable_websocket == true);
    REQUIRE(route.upstream->nodes->list.at(0).port == 80);
    REQUIRE(json::write(route.plugins.value) == R"({"echo":{}})");
}

TEST_CASE("route: what breaks a rule is refused with the reference's text", "[config][objects]") {
    const auto [text, expected] = GENERATE(table<std::string, std::string>({
        {R"({"uri":"/","host":"a","hosts":["b"],"plugins":{}})", "only one of host or hosts is allowed"},
        {R"({"uri":"/","remote_addr":"1.1.1.1","remote_addrs":["::1"],"plugins":{}})",
         "only one of remote_addr or remote_addrs is allowed"},
        {R"({"plugins":{}})", "allOf 1 failed: value should match only one schema, but matches none"},
        {R"({"uri":"/","uris":["/"],"plugins":{}})",
         "allOf 1 failed: value should match only one schema, but matches both schemas 1 and 2"},
        {R"({"uri":"/"})",
         "object matches none of the required: [\"plugins\"] or [\"upstream\"] or [\"upstream_id\"] or "
         "[\"service_id\"] or [\"script\"]"},
        {R"({"uri":"/","plugins":{},"hots":["a"]})", "additional properties forbidden, found hots"},
        {R"({"uri":"/","plugins":{},"id":"a b"})",
         R"(property "id" validation failed: object matches none of the required)"},
        {R"({"uri":"/","plugins":{},"host":"a b"})",
         R"(property "host" validation failed: failed to match pattern "^\*$|^\*?[0-9a-zA-Z-._\[\]:]+$" with "a b")"},
        {R"({"uri":"/","plugins":{},"methods":["GETT"]})",
         R"(property "methods" validation failed: failed to validate item 1: matches none of the enum values)"},
        {R"({"uri":"/","plugins":{},"labels":{"a":"b c"}})",
         R"(property "labels" validation failed: failed to validate a (matching ".*"): failed to match pattern "^\S+$" with "b c")"},
        {R"({"uri":"/","plugins":{},"timeout":{"connect":1,"send":1}})",
         R"(property "timeout" validation failed: property "read" is required)"},
        {R"({"uri":"/","plugins":[1]})",
         R"(property "plugins" validation failed: wrong type: expected object, got table)"},
        {R"({"uri":"/","plugins":{},"vars":{"a":1}})",
         R"(property "vars" validation failed: wrong type: expected array, got table)"},
        {R"({"uri":"/","plugins":{},"filter_func":"function(vars) return true end"})",
         "'filter_func' is not supported by this build"},
        {R"({"uri":"/","plugins":{},"filter_func":"func"})",
         R"(property "filter_func" validation failed: string too short, expected at least 10, got 4)"},
        {R"({"uri":"/","script":"return { }"})", "'script' is not supported by this build"},
        {R"({"uri":"/","script":"return { }","plugins":{}})", "value wasn't supposed to match schema"},
        {R"({"uri":"/","upstream":{"nodes":{"a:1":1},"type":"chash"}})",
         R"(property "upstream" validation failed: missing key)"},
    }));
    REQUIRE(first_of(Kind::route, text) == expected);
}

TEST_CASE("upstream: both forms of nodes give the same list", "[config][objects]") {
    const Upstream map = read_good<Upstream>(R"({"nodes":{"a.com:8080":1,"b.com":0,"[::1]:90":2,"fe80::1":3}})");
    const auto& nodes = map.nodes->list;
    REQUIRE(nodes.size() == 4);
    REQUIRE((nodes[0].host == "a.com" && nodes[0].port == 8080 && nodes[0].weight == 1));
    REQUIRE((nodes[1].host == "b.com" && nodes[1].port == 0 && nodes[1].weight == 0));
    REQUIRE((nodes[2].host == "[::1]" && nodes[2].port == 90));
    REQUIRE((nodes[3].host == "[fe80::1]" && nodes[3].port == 0));
    const Upstream list = read_good<Upstream>(
        R"({"nodes":[{"host":"a","port":1,"weight":1},{"host":"b","weight":1,"priority":-1},{"host":"a","port":1,"weight":9}]})");
    REQUIRE(list.nodes->list.size() == 2);
    REQUIRE(list.nodes->list[0].weight == 9);
    REQUIRE(list.nodes->list[1].priority == -1);
    REQUIRE(read_good<Upstream>(R"({"nodes":{}})").nodes->list.empty());
    REQUIRE(read_good<Upstream>(R"({"nodes":[]})").nodes->list.empty());
}

TEST_CASE("upstream: what breaks a rule is refused", "[config][objects]") {
    const auto [text, expected] = GENERATE(table<std::string, std::string>({
        {R"({})", "value should match only one schema, but matches none"},
        {R"({"nodes":{"a:70000":1}})",
         R"(property "nodes" validation failed: failed to validate additional property a:70000: invalid port 70000)"},
        {R"({"nodes":{"a:1":-1}})",
         R"(property "nodes" validation failed: failed to validate additional property a:1: expected -1 to be at least 0)"},
        {R"({"nodes":[{"host":"a"}]})",
         R"(property "nodes" validation failed: failed to validate item 1: property "weight" is required)"},
        {R"({"nodes":3})", R"(property "nodes" validation failed: object matches none of the required)"},
        {R"({"nodes":{},"pass_host":"rewrite"})", "`upstream_host` can't be empty when `pass_host` is `rewrite`"},
        {R"({"nodes":{},"type":"chash","hash_on":"vars","key":"uri_x"})",
         "failed to match pattern "
         "\"^((uri|server_name|server_addr|request_uri|remote_port|remote_addr|query_string|host|"
         "hostname|mqtt_client_id)|arg_[0-9a-zA-z_-]+)$\" with \"uri_x\""},
        {R"({"nodes":{},"type":"chash","hash_on":"header","key":"x y"})",
         R"(failed to match pattern "^[a-zA-Z0-9-_]+$" with "x y")"},
        {R"({"nodes":{},"checks":{"passive":{}}})",
         R"(property "checks" validation failed: object matches none of the required: ["active"] or ["active","passive"])"},
        {R"({"nodes":{},"keepalive_pool":{"size":0}})",
         R"(property "keepalive_pool" validation failed: property "size" validation failed: expected 0 to be at least 1)"},
        {R"({"nodes":{},"tls":{"client_key":")" + std::string(64, 'x') + R"("}})",
         R"(property "tls" validation failed: property "client_cert" is required when "client_key" is set)"},
        {R"({"nodes":{},"retries":-1})", R"(property "retries" validation failed: expected -1 to be at least 0)"},
    }));
    REQUIRE(first_of(Kind::upstream, text) == expected);
}

TEST_CASE("objects: the other kinds are closed and need what they must have", "[config][objects]") {
    REQUIRE(first_of(Kind::service, "{}").empty());
    REQUIRE(first_of(Kind::service, R"({"uri":"/"})") == "additional properties forbidden, found uri");
    REQUIRE(first_of(Kind::plugin_config, "{}") == "property \"plugins\" is required");
    REQUIRE(first_of(Kind::global_rule, R"({"plugins":{},"name":"x"})") ==
            "additional properties forbidden, found name");
    REQUIRE(first_of(Kind::global_rule, R"({"plugins":{}})").empty());
}

TEST_CASE("objects: each kind describes its fields", "[config][objects]") {
    REQUIRE(schema_of(Kind::route).rows().size() > 60);
    REQUIRE(schema_of(Kind::upstream).json_schema().find("properties")->find("pass_host")->find("enum")->size() == 3);
}

TEST_CASE("objects: forms accept what they should and nothing else", "[config][forms]") {
    REQUIRE(is_network("10.0.0.0/8"));
    REQUIRE(is_network("::1/128"));
    REQUIRE_FALSE(is_network("10.0.0.0/33"));
    REQUIRE_FALSE(is_network("::/129"));
    REQUIRE_FALSE(is_network("10.0.0/8"));
    REQUIRE_FALSE(is_network("10.0.0.1/"));
    REQUIRE_FALSE(is_network(""));
    REQUIRE(is_host_pattern("*"));
    REQUIRE(is_host_pattern("*.a.com"));
    REQUIRE_FALSE(is_host_pattern("a*"));
    REQUIRE_FALSE(is_host_pattern(std::string_view("a\0", 2)));
    REQUIRE_FALSE(is_object_id("a/b"));
    REQUIRE_FALSE(is_object_id(std::string(65, 'a')));
    REQUIRE(is_trusted_source("unix:"));
}
