// The scenarios of debug mode (D1 to D15 of the specification), by the file alone, without a reload.
#include <signal.h>

#include "tests/integration/http_story.hpp"
#include "tests/support/catch.hpp"

using namespace gateway::test;

namespace {

constexpr const char* basic_on = "basic: {enable: true}\nhttp_filter: {}\nhook_conf: {}\n";

// A gateway with one route, and debug.yaml beside its static file.
class Debugged {
public:
    explicit Debugged(const std::string& plugins, const std::string& file = {}, StageOptions options = {})
        : stage(with(std::move(options), plugins)) {
        if (!file.empty()) write(file);
    }
    void write(const std::string& text, const std::string& end = "#END\n") {
        stage.gateway.folder().write("debug.yaml", text + end);
    }
    std::string header(std::string_view lines = {}, const char* name = "apisix-plugins") {
        const Message answer = stage.get("/", lines);
        return answer.count(name) == 0 ? "(none)" : std::string(answer.field(name));
    }
    // Whether answers carry that soon; the file is looked at once a second.
    bool becomes(const std::string& value, const char* name = "apisix-plugins") {
        return eventually([&] { return header({}, name) == value; }, 10s);
    }
    bool says(const std::string& text) {
        return eventually([&] { return stage.gateway.log().find(text) != std::string::npos; }, 10s);
    }
    std::size_t count(const std::string& text) const {
        const std::string log = stage.gateway.log();
        std::size_t found = 0;
        for (std::size_t at = 0; (at = log.find(text, at)) != std::string::npos; ++at) ++found;
        return found;
    }
    Stage stage;

private:
    static StageOptions with(StageOptions options, const std::string& plugins) {
        options.route_lines = "plugins: {" + plugins + "}";
        return options;
    }
};

constexpr const char* limits =
    "limit-conn: {conn: 9, burst: 0, default_conn_delay: 0.1, key: remote_addr}, "
    "limit-count: {count: 1000, time_window: 60, key: remote_addr}";
constexpr const char* all_hooks =
    "basic: {}\nhttp_filter: {}\nhook_conf: {enable: true, log_level: warn}\nhook_phase:\n  apisix: "
    "[http_access_phase, handle_upstream, http_header_filter_phase, http_body_filter_phase, http_log_phase]\n";

}  // namespace

TEST_CASE("debug mode: D1, D2, D7: the header comes and goes with the file, in both forms", "[e2e][debug_mode]") {
    Debugged debugged(limits);
    CHECK(debugged.header() == "(none)");
    debugged.write(basic_on);
    CHECK(debugged.becomes("limit-conn#access, limit-count#access, limit-conn#log"));
    CHECK(debugged.says("debug.yaml reloaded"));
    debugged.write("basic: {enable: true, header_format: names}\nhttp_filter: {}\nhook_conf: {}\n");
    CHECK(debugged.becomes("limit-conn, limit-count"));
    debugged.write("basic: {enable: false}\nhttp_filter: {}\nhook_conf: {}\n");
    CHECK(debugged.becomes("(none)"));
}

TEST_CASE("debug mode: D3, D14: no plugin, and a field of another name", "[e2e][debug_mode]") {
    Debugged debugged("", basic_on);
    CHECK(debugged.becomes("no plugin"));
    debugged.write("basic: {enable: true, header_name: X-Debug-Plugins}\nhttp_filter: {}\nhook_conf: {}\n");
    CHECK(debugged.becomes("no plugin", "x-debug-plugins"));
    CHECK(debugged.header() == "(none)");
}

TEST_CASE("debug mode: D4: plugins of the consumer stand where they ran", "[e2e][debug_mode]") {
    Debugged debugged("key-auth: {}", basic_on);
    const char* jack =
        R"({"username":"jack","plugins":{"key-auth":{"key":"jack-key"},"proxy-rewrite":{"headers":{"set":{"X-A":"1"}}}}})";
    REQUIRE(debugged.stage.gateway.put("consumer", "jack", jack).exit == 0);
    CHECK(eventually(
        [&] { return debugged.header("apikey: jack-key\r\n") == "key-auth#rewrite, proxy-rewrite#rewrite"; }, 10s));
    CHECK(debugged.header() == "key-auth#rewrite");
}

TEST_CASE("debug mode: D5, D6: a file without its end is not applied before it has one", "[e2e][debug_mode]") {
    Debugged debugged("request-id: {}");
    debugged.write(basic_on, "");
    CHECK(debugged.says("missing valid end flag in file"));
    CHECK(debugged.header() == "(none)");
    debugged.write(basic_on);
    CHECK(debugged.becomes("request-id#rewrite, request-id#header_filter"));
}

TEST_CASE("debug mode: D8: what is wrong with the file is in the log", "[e2e][debug_mode]") {
    Debugged debugged("", "basic: {}\nhttp_filter: {}\n");
    CHECK(debugged.says("failed to validate debug config property \"hook_conf\" is required"));
}

TEST_CASE("debug mode: D9, D12, D15: hooks print what comes in and out; what is unknown is named",
          "[e2e][debug_mode]") {
    Debugged debugged("echo: {body: x}", std::string(all_hooks) + "  apisix.plugins.echo: [header_filter, nothing]\n");
    CHECK(debugged.says("failed to find function [nothing] in module:apisix.plugins.echo"));
    CHECK(eventually(
        [&] {
            debugged.stage.get("/");
            return debugged.count("http_log_phase() return:") > 0;
        },
        10s));
    for (const char* name : {"http_access_phase", "http_header_filter_phase", "http_body_filter_phase"}) {
        INFO(name);
        CHECK(debugged.says(std::string("call require(\"apisix\").") + name + "() args:{ "));
        CHECK(debugged.says(std::string("call require(\"apisix\").") + name + "() return:{"));
    }
    CHECK(debugged.says("call require(\"apisix.plugins.echo\").header_filter() args:{ conf: routes/1, "));
    CHECK(debugged.header() == "(none)");
    debugged.write(std::string(all_hooks));
    CHECK(eventually([&] { return debugged.count("debug.yaml reloaded") == 2; }, 10s));
}

TEST_CASE("debug mode: D11: with the filter hooks print for requests that ask for it", "[e2e][debug_mode]") {
    std::string file = all_hooks;
    file.replace(file.find("http_filter: {}"), 15, "http_filter: {enable: true}");
    Debugged debugged("", file);
    CHECK(eventually(
        [&] {
            debugged.stage.get("/early", "X-APISIX-Dynamic-Debug: 1\r\n");
            return debugged.count("uri: /early,") > 0;
        },
        10s));
    debugged.stage.get("/without");
    debugged.stage.get("/with", "x-apisix-dynamic-debug: 0\r\n");
    CHECK(debugged.says("uri: /with,"));
    CHECK(debugged.count("uri: /without,") == 0);
    CHECK(debugged.count("http_access_phase() args") == 0);
}

TEST_CASE("debug mode: the old switch gives names, unless the file says otherwise", "[e2e][debug_mode]") {
    StageOptions options;
    options.apisix = "enable_debug: true";
    Debugged debugged("request-id: {}", "", options);
    CHECK(debugged.header() == "request-id");
    debugged.write("basic: {enable: false}\nhttp_filter: {}\nhook_conf: {}\n");
    CHECK(debugged.becomes("(none)"));
    debugged.write("basic: {}\nhttp_filter: {}\nhook_conf: {}\n");
    CHECK(debugged.becomes("request-id"));
}

TEST_CASE("debug mode: it survives workers, and rules for the whole gateway that run late are logged",
          "[e2e][debug_mode]") {
    Debugged debugged("", basic_on);
    REQUIRE(debugged.stage.gateway
                .put("global_rule", "1",
                     R"({"plugins":{"api-breaker":{"break_response_code":502,"unhealthy":{"http_statuses":[500]}}}})")
                .exit == 0);
    CHECK(debugged.becomes("api-breaker#access"));
    CHECK(debugged.says("Apisix-Plugins: api-breaker#log"));
    const pid_t worker = debugged.stage.gateway.workers().at(0);
    ::kill(worker, SIGKILL);
    CHECK(eventually([&] { return !alive(worker) && debugged.stage.gateway.ready(); }, 10s));
    CHECK(debugged.header() == "api-breaker#access");
}
