#include "libgateway/process/control_explain.hpp"

#include "tests/unit/process/control_fakes.hpp"

using namespace gateway;
using namespace gateway::process;
using namespace gateway::process::test;

namespace {

config::Change object(config::Kind kind, std::string_view id, std::string_view json, std::uint64_t order = 1) {
    return {kind, false, id, order, json};
}

DocumentView view(const std::vector<config::Change>& objects) {
    return DocumentView(full_delta(3, objects), {});
}

json::Value explain(const DocumentView& view, std::string_view method, std::string_view url) {
    return view.explain(json::Value::object({{"method", json::Value(method)}, {"url", json::Value(url)}}));
}

std::string text(const json::Value& value, std::initializer_list<std::string_view> path) {
    const json::Value* at = &value;
    for (std::string_view name : path) at = at ? at->find(name) : nullptr;
    return !at ? "absent" : at->is_string() ? at->string() : json::write(*at);
}

}  // namespace

TEST_CASE("explain: the matched route with its upstream", "[process][control_explain]") {
    const auto shown = view({route_change("1", R"({"uri":"/a/*","upstream_id":7})"),
                             object(config::Kind::upstream, "7", R"({"nodes":{"10.0.0.1:80":2}})")});
    const json::Value result = explain(shown, "GET", "http://h/a/b");
    REQUIRE(text(result, {"route", "id"}) == "1");
    REQUIRE(text(result, {"outcome"}) == "proxied");
    REQUIRE(text(result, {"upstream", "source"}) == "upstreams/7");
    REQUIRE(text(result, {"upstream", "nodes"}) == R"([{"host":"10.0.0.1","port":"80","weight":2}])");
    REQUIRE(text(result, {"revision"}) == "3");
}

TEST_CASE("explain: without a match the nearest route and what failed", "[process][control_explain]") {
    const auto shown = view({route_change("1", R"({"uri":"/a","methods":["POST"],"upstream_id":"7"})")});
    const json::Value result = explain(shown, "GET", "/a");
    REQUIRE(text(result, {"route"}) == "null");
    REQUIRE(text(result, {"outcome"}) == "404");
    REQUIRE(result.find("nearest")->items().size() == 1);
    REQUIRE(text(result.find("nearest")->items()[0], {"failed"}) == "method");
}

TEST_CASE("explain: a route inherits the hosts of its service", "[process][control_explain]") {
    const auto shown = view({route_change("1", R"({"uri":"/a","service_id":"s","upstream_id":"u"})"),
                             object(config::Kind::service, "s", R"({"hosts":["Shop.example"]})"),
                             object(config::Kind::upstream, "u", R"({"nodes":{"10.0.0.1:80":1}})")});
    REQUIRE(text(explain(shown, "GET", "http://shop.example/a"), {"route", "id"}) == "1");
    REQUIRE(text(explain(shown, "GET", "http://other/a"), {"route"}) == "null");
}

TEST_CASE("explain: what is missing decides the outcome", "[process][control_explain]") {
    const auto [json, outcome] = GENERATE(table<std::string, std::string>(
        {{R"({"uri":"/a","service_id":"x"})", "404: service is missing"},
         {R"({"uri":"/a","plugin_config_id":"x","upstream":{"nodes":{}}})", "503: plugin config is missing"},
         {R"({"uri":"/a","upstream_id":"x"})", "502: upstream x is missing"},
         {R"({"uri":"/a","plugins":{"echo":{}}})", "503: no upstream, unless a plugin answers"}}));
    REQUIRE(text(explain(view({route_change("1", json)}), "GET", "/a"), {"outcome"}) == outcome);
}

TEST_CASE("explain: each plugin names the object it comes from", "[process][control_explain]") {
    const auto shown =
        view({route_change("1", R"({"uri":"/a","plugin_config_id":"c","service_id":"s","plugins":{"p-route":{}}})"),
              object(config::Kind::service, "s", R"({"plugins":{"p-service":{}}})"),
              object(config::Kind::plugin_config, "c", R"({"plugins":{"p-config":{"x":1}}})"),
              object(config::Kind::global_rule, "g", R"({"plugins":{"p-global":{}}})")});
    const json::Value result = explain(shown, "GET", "/a");
    std::string chain;
    for (const json::Value& row : result.find("chain")->items())
        chain += row.find("plugin")->string() + "=" + row.find("source")->string() + " ";
    REQUIRE(chain == "p-global=global_rules/g p-config=plugin_configs/c p-route=routes/1 p-service=services/s ");
}

TEST_CASE("explain: a route with status 0 never answers", "[process][control_explain]") {
    const auto shown = view({route_change("1", R"({"uri":"/a","status":0,"upstream_id":"u"})")});
    REQUIRE(text(explain(shown, "GET", "/a"), {"route"}) == "null");
}

TEST_CASE("show: routes and upstreams as rows, filtered", "[process][control_explain]") {
    const auto shown = view({route_change("1", R"({"uri":"/a","host":"h","upstream_id":"u"})"),
                             route_change("2", R"({"uris":["/b","/c"],"upstream":{"nodes":{}}})", 2),
                             object(config::Kind::upstream, "u", R"({"nodes":[{"host":"n","port":80,"weight":1}]})")});
    REQUIRE(shown.routes("").items().size() == 2);
    const json::Value rows = shown.routes("/c");
    REQUIRE(rows.items().size() == 1);
    REQUIRE(text(rows.items()[0], {"upstream"}) == "own");
    REQUIRE(text(shown.upstreams("").items()[0], {"nodes"}) == R"(["n:80"])");
    REQUIRE(shown.upstreams("nothing").items().empty());
}

TEST_CASE("document view: a document that no worker could use is refused", "[process][control_explain]") {
    REQUIRE_THROWS(view({route_change("1", "{")}));
    REQUIRE_THROWS(view({route_change("1", "{}")}));
}

TEST_CASE("explain: for a consumer each plugin's settings come from the highest rank", "[process][control_explain]") {
    const auto shown = view({route_change("1", R"({"uri":"/a","upstream_id":7,"plugins":{"x":{},"y":{},"z":{}}})"),
                             object(config::Kind::consumer_group, "g", R"({"plugins":{"y":{},"z":{}}})"),
                             object(config::Kind::consumer, "jack",
                                    R"({"username":"jack","group_id":"g","plugins":{"z":{"_meta":{"disable":true}}}})"),
                             object(config::Kind::consumer, "lost", R"({"username":"lost","group_id":"none"})")});
    const auto ask = [&](std::string_view who) {
        return shown.explain(json::Value::object(
            {{"method", json::Value("GET")}, {"url", json::Value("/a")}, {"consumer", json::Value(who)}}));
    };
    const json::Value result = ask("jack");
    std::string sources;
    for (const json::Value& row : result.find("chain")->items())
        sources += text(row, {"plugin"}) + "=" + text(row, {"source"}) + ":" + text(row, {"enabled"}) + " ";
    REQUIRE(sources == "x=routes/1:true y=consumer_groups/g:true z=consumers/jack:false ");
    REQUIRE(text(result, {"consumer", "group"}) == "g");
    REQUIRE(text(ask("lost"), {"outcome"}) == "503: consumer group is missing");
    REQUIRE_THROWS(ask("nobody"));
}

TEST_CASE("show: consumers and groups, without what credentials hold", "[process][control_explain]") {
    const auto shown = view({object(config::Kind::consumer, "jack",
                                    R"({"username":"jack","group_id":"g","plugins":{"x":{"key":"secret"}}})"),
                             object(config::Kind::consumer_group, "g", R"({"plugins":{"y":{}}})"),
                             object(config::Kind::plugin_metadata, "x", R"({"a":1})")});
    const std::string consumers = json::write(shown.consumers(""));
    REQUIRE(consumers.find("jack") != std::string::npos);
    REQUIRE(consumers.find("secret") == std::string::npos);
    REQUIRE(json::write(shown.consumer_groups("")) == R"([{"id":"g","plugins":["y"],"consumers":1}])");
    REQUIRE(json::write(shown.plugin_metadata("")) == R"([{"id":"x","metadata":{"a":1}}])");
    REQUIRE(shown.consumers("rose").size() == 0);
}
