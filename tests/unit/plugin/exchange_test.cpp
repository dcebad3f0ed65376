#include "libgateway/plugin/exchange.hpp"

#include "libgateway/plugin/debug_header.hpp"
#include "tests/support/alloc_count.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/plugin/probe.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

std::string value_of(const Exchange& exchange, std::string_view name) {
    expr::VariableValue value;
    return exchange.read(expr::compile_variable(name), value) ? std::string(value.plain()) : "(unset)";
}

}  // namespace

TEST_CASE("exchange: the target is sent as received unless something rewrites it", "[plugin][exchange]") {
    FakeExchange exchange("GET", "/a%20b?x=%31");
    CHECK(exchange.upstream_target() == "/a%20b?x=%31");
    CHECK(exchange.upstream_target().data() == exchange.request.target.data());
    SECTION("changed arguments follow the original path") {
        exchange.args = "y=2";
        exchange.args_changed = true;
        CHECK(exchange.upstream_target() == "/a%20b?y=2");
        exchange.has_args = false;
        CHECK(exchange.upstream_target() == "/a%20b");
    }
    SECTION("a path that was normalised for the upstream takes the place of the raw one") {
        exchange.request.raw_path = "/ab";
        CHECK(exchange.upstream_target() == "/ab?x=%31");
    }
    SECTION("a plugin's target is sent whole") {
        exchange.upstream_uri = "/new?z";
        CHECK(exchange.upstream_target() == "/new?z");
    }
}

TEST_CASE("exchange: the fields that describe old bytes go when the body changes", "[plugin][exchange]") {
    FakeExchange exchange;
    for (const char* name : {"Content-Length", "ETag", "Last-Modified", "Content-Encoding", "X-Stays"}) {
        exchange.response.fields.add(name, "1");
    }
    CHECK_FALSE(exchange.body_changes());
    exchange.body_will_change();
    CHECK(exchange.body_changes());
    CHECK(exchange.response.fields.size() == 2);
    exchange.body_will_be_replaced();
    CHECK(exchange.response.fields.size() == 1);
}

TEST_CASE("exchange: a slot belongs to one plugin instance and starts empty", "[plugin][exchange]") {
    FakeExchange exchange;
    std::vector<std::string> story;
    std::vector<std::unique_ptr<Probe>> plugins;
    for (int i = 0; i < 50; ++i) plugins.push_back(std::make_unique<Probe>("p", story));
    for (int i = 0; i < 50; ++i) {
        CHECK(exchange.slot<int>(*plugins[i]) == 0);
        exchange.slot<int>(*plugins[i]) = i;
    }
    for (int i = 0; i < 50; ++i) CHECK(exchange.slot<int>(*plugins[i]) == i);
}

TEST_CASE("exchange: its own members answer variables", "[plugin][exchange]") {
    FakeExchange exchange("POST", "/a%20b?x=1&y");
    exchange.with("X-Many", "1").with("x-many", "2").with("Cookie", "c=3").with("Content-Type", "text/x");
    exchange.response.status = 404;
    exchange.response.fields.add("X-Sent", "s");
    exchange.set_custom(expr::VariableNames::add("test_custom"), "mine");
    const std::vector<std::pair<std::string, std::string>> expected{{"uri", "/a b"},
                                                                    {"args", "x=1&y"},
                                                                    {"is_args", "?"},
                                                                    {"request_method", "POST"},
                                                                    {"arg_x", "1"},
                                                                    {"arg_y", "true"},
                                                                    {"arg_z", "(unset)"},
                                                                    {"http_x_many", "1, 2"},
                                                                    {"http_none", "(unset)"},
                                                                    {"cookie_c", "3"},
                                                                    {"remote_addr", "127.0.0.1"},
                                                                    {"remote_port", "0"},
                                                                    {"host", "localhost"},
                                                                    {"scheme", "http"},
                                                                    {"https", ""},
                                                                    {"status", "404"},
                                                                    {"sent_http_x_sent", "s"},
                                                                    {"content_type", "text/x"},
                                                                    {"server_protocol", "HTTP/1.1"},
                                                                    {"real_request_uri", "/a%20b?x=1&y"},
                                                                    {"test_custom", "mine"},
                                                                    {"upstream_host", "(unset)"},
                                                                    {"request_body", "(unset)"},
                                                                    {"no_such_name", "(unset)"}};
    for (const auto& [name, value] : expected) {
        INFO(name);
        CHECK(value_of(exchange, name) == value);
    }
}

TEST_CASE("debug header: what ran in order, then the later phases of the route by inference",
          "[plugin][debug_header]") {
    std::vector<std::string> story;
    const auto both = static_cast<std::uint8_t>(only(Phase::access) | only(Phase::log));
    ProbeSettings first{}, second{};
    first.phases = second.phases = both;
    first.priority = 1;
    second.meta = R"({"filter":[["arg_never","==","1"]]})";
    const auto chain = Chain::make({probe("limit", story, first), probe("skipped", story, second)});
    FakeExchange exchange;
    exchange.traced = true;
    (void)chain->run<Phase::access>(exchange);
    CHECK(debug_header(exchange, *chain, DebugForm::phases) == "limit#access, limit#log, skipped#log");
    CHECK(debug_header(exchange, *chain, DebugForm::names) == "limit, skipped");
    set_debug_header(exchange, *chain, DebugForm::names);
    const std::string times(exchange.response.fields.get("Apisix-Plugins-Time"));
    CHECK(times.substr(0, 17) == "limit#access;cpu=");
    CHECK(times.find("skipped") == std::string::npos);
}

TEST_CASE("debug header: nothing ran", "[plugin][debug_header]") {
    FakeExchange exchange;
    exchange.response.fields.add("apisix-plugins", "of the upstream");
    set_debug_header(exchange, *Chain::make({}), DebugForm::off);
    CHECK(exchange.response.fields.get("Apisix-Plugins") == "of the upstream");
    set_debug_header(exchange, *Chain::make({}), DebugForm::names);
    CHECK(exchange.response.fields.get("Apisix-Plugins") == "no plugin");
}

TEST_CASE("services: secure random bytes differ and fill what was asked for", "[plugin][services]") {
    class Plain : public FakeServices {
    public:
        void secure_random(void* to, std::size_t size) noexcept override { Services::secure_random(to, size); }
    } services;
    std::array<unsigned char, 700> one{}, two{};
    services.secure_random(one.data(), one.size());
    services.secure_random(two.data(), two.size());
    CHECK(one != two);
    CHECK(std::count(one.begin(), one.end(), 0) < 30);
}
