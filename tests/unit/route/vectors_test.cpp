// The routing vectors of the specification, all of them.
#include <fstream>
#include <map>
#include <sstream>

#include "libgateway/base/strings.hpp"
#include "libgateway/http/host.hpp"
#include "libgateway/http/path.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/expr/fake_request.hpp"
#include "tests/unit/route/rules.hpp"

using namespace gateway;
using gateway::test::FakeRequest;

namespace {

json::Value read_vectors() {
    std::ifstream in(std::string(GATEWAY_GOLDEN_DIR) + "/router-vectors.json");
    std::stringstream text;
    text << in.rdbuf();
    return json::parse(text.str());
}

std::string string_of(const json::Value& object, std::string_view key, std::string_view otherwise) {
    const json::Value* found = object.find(key);
    return found ? found->string() : std::string(otherwise);
}

std::vector<std::string> strings_of(const json::Value& object, std::string_view one, std::string_view many) {
    std::vector<std::string> out;
    if (const json::Value* found = object.find(one)) out.push_back(found->string());
    if (const json::Value* found = object.find(many)) {
        for (const json::Value& item : found->items()) out.push_back(item.string());
    }
    return out;
}

std::vector<std::string> hosts_of(const json::Value& set, const json::Value& route) {
    std::vector<std::string> hosts = strings_of(route, "host", "hosts");
    const json::Value* service_id = route.find("service_id");
    if (hosts.empty() && service_id) {
        for (const json::Value& service : set.find("services")->items()) {
            if (service.find("id")->string() == service_id->string()) hosts = strings_of(service, "host", "hosts");
        }
    }
    for (std::string& host : hosts) host = to_lower(host);
    return hosts;
}

Ref<const route::RouteRule> rule_of(const json::Value& set, const json::Value& route, std::uint64_t order) {
    Ref<route::RouteRule> rule =
        test::make_rule(route.find("id")->string(), order, strings_of(route, "uri", "uris"), hosts_of(set, route));
    if (const json::Value* priority = route.find("priority")) rule->priority = int(*priority->as_int64());
    for (const std::string& method : strings_of(route, "", "methods")) rule->methods |= route::method_bit(method);
    std::vector<expr::Cidr> networks;
    for (const std::string& text : strings_of(route, "remote_addr", "remote_addrs")) {
        networks.push_back(expr::parse_cidr(text).value());
    }
    rule->addresses = expr::CidrSet(networks);
    if (const json::Value* vars = route.find("vars"))
        rule->vars = Ref<const expr::Expression>(new expr::Expression(*vars));
    return rule;
}

route::Router router_of(const json::Value& vector, const json::Value& set) {
    route::Router router(route::router_kind(vector.find("router")->string()).value());
    std::uint64_t order = 0;
    for (const json::Value& route : set.find("routes")->items()) {
        const json::Value* status = route.find("status");
        if (!status || *status->as_int64() != 0) router.add(rule_of(set, route, ++order));
    }
    return router;
}

http::PathOptions options_of(const json::Value& vector) {
    http::PathOptions options;
    const json::Value* settings = vector.find("settings");
    const auto on = [&](std::string_view name) { return settings && settings->find(name); };
    options.delete_uri_tail_slash = on("delete_uri_tail_slash");
    options.normalize_uri_like_servlet = on("normalize_uri_like_servlet");
    options.match_uri_encoded_slash = on("match_uri_encoded_slash");
    return options;
}

struct Request {
    explicit Request(const json::Value& request, const http::PathOptions& options) {
        fake.method = string_of(request, "method", "GET");
        fake.remote_addr = string_of(request, "remote_addr", "127.0.0.1");
        fake.body = string_of(request, "body", "");
        if (const json::Value* headers = request.find("headers")) {
            for (const json::Member& field : headers->members())
                fake.headers.emplace_back(field.key, field.value.string());
        }
        const std::string target = string_of(request, "target", "");
        const std::size_t cut = target.find('?');
        raw_path = target.substr(0, cut);
        if (cut != std::string::npos) fake.query = target.substr(cut + 1);
        path = http::normalise(raw_path, options, arena);
        raw_host = string_of(request, "host", "vectors.invalid");
        host = http::host_of(raw_host, arena);
    }
    route::MatchInput input() const {
        route::MatchInput out;
        out.path = path.match;
        out.host = host;
        out.raw_host = raw_host;
        out.method = route::method_bit(fake.method);
        out.client = expr::parse_address(fake.remote_addr).value();
        out.variables = &fake;
        return out;
    }
    Arena arena;
    FakeRequest fake;
    std::string raw_path, raw_host;
    std::string_view host;
    http::NormalisedPath path;
};

void check_params(const json::Value& wanted, const route::RouteMatch& match) {
    std::map<std::string, std::string> found, expected;
    match.each_param([&](std::string_view name, std::string_view value) { found[std::string(name)] = value; });
    for (const json::Member& member : wanted.members()) expected[member.key] = member.value.string();
    CHECK(found == expected);
    for (const auto& [name, value] : expected) {
        std::string_view one;
        CHECK(match.param(name, one));
        CHECK(one == value);
    }
}

void check_vector(const json::Value& vector, const json::Value& set) {
    const Request request(*vector.find("request"), options_of(vector));
    const json::Value& expect = *vector.find("expect");
    const json::Value* status = expect.find("status");
    const bool refused = status && *status->as_int64() == 400;
    CHECK(request.path.valid == !refused);
    if (refused) return;
    const route::Router router = router_of(vector, set);
    const route::RouteMatch match = router.find(request.input());
    CHECK(test::id_of(match) == (status ? "none" : expect.find("route")->string()));
    if (match && expect.find("params")) check_params(*expect.find("params"), match);
}

}  // namespace

TEST_CASE("router: answers every vector of the specification", "[route][vectors]") {
    const json::Value all = read_vectors();
    std::size_t checked = 0, scripts = 0;
    for (const json::Value& vector : all.find("vectors")->items()) {
        INFO(vector.find("id")->string() << ": " << string_of(vector, "note", ""));
        const json::Value& set = *all.find("route_sets")->find(vector.find("set")->string());
        if (vector.find("requires")) {
            // `filter_func` is refused where routes are read: "not supported by this build".
            CHECK(set.find("routes")->items().front().find("filter_func"));
            ++scripts;
            continue;
        }
        check_vector(vector, set);
        ++checked;
    }
    CHECK(checked == 100);
    CHECK(scripts == 2);
}
