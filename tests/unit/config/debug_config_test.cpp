// debug.yaml, as debug-mode.md 1 of the specification tells it.
#include "libgateway/config/debug_config.hpp"

#include "tests/support/catch.hpp"

using namespace gateway::config;

namespace {

const std::string off = "basic: {enable: false}\nhttp_filter: {}\n";

DebugReading reading_of(const std::string& text, const std::string& end = "#END\n") {
    return read_debug_config(text + end, "conf/debug.yaml");
}

}  // namespace

TEST_CASE("debug config: members have the defaults of the shipped file", "[config][debug_config]") {
    const auto config = reading_of(off + "hook_conf: {}\n").config;
    REQUIRE(config);
    CHECK(config->basic.enable == std::optional<bool>(false));
    CHECK(config->basic.header_name == "Apisix-Plugins");
    CHECK(config->basic.header_format == "phases");
    CHECK(config->http_filter.enable_header_name == "X-APISIX-Dynamic-Debug");
    CHECK(config->hook_conf.name == "hook_phase");
    CHECK(config->hook_conf.log_level == "warn");
    CHECK((config->hook_conf.is_print_input_args && config->hook_conf.is_print_return_value));
    CHECK(config->hooks.empty());
}

TEST_CASE("debug config: D5, D6: without the end marker in its tail a file is not applied", "[config][debug_config]") {
    const std::string text = off + "hook_conf: {}\n";
    for (const char* end : {"", "#EN", "#END x", "#END\n\n\n\n\n\n\n"}) {
        const DebugReading reading = reading_of(text, end);
        CHECK_FALSE(reading.config);
        CHECK(reading.warning == "missing valid end flag in file conf/debug.yaml");
        CHECK(reading.error.empty());
    }
    for (const char* end : {"#END", "#END\n", "#END \n \n"}) CHECK(reading_of(text, end).config);
    CHECK(reading_of("a: 1", "").warning.empty());
}

TEST_CASE("debug config: D8 and other errors are named", "[config][debug_config]") {
    CHECK(reading_of(off).error == R"(failed to validate debug config property "hook_conf" is required)");
    CHECK(reading_of("a: [\n").error.find("failed to parse the content of file conf/debug.yaml") == 0);
    CHECK(reading_of("basic: {enable: 1}\nhttp_filter: {}\nhook_conf: {}\n").error ==
          "failed to validate debug config property \"basic\" validation failed: property \"enable\" validation "
          "failed: wrong type: expected boolean, got number");
    CHECK(reading_of(off + "hook_conf: {enable: true}\nhook_phase: {apisix: 1}\n").error.find("hook_phase") !=
          std::string::npos);
    CHECK_FALSE(reading_of("basic: {header_name: \"a b\"}\nhttp_filter: {}\nhook_conf: {}\n").config);
}

TEST_CASE("debug config: files of 2.x, with hooks alone, are accepted with a warning", "[config][debug_config]") {
    const DebugReading reading = reading_of("hook_conf: {enable: true}\nhook_phase: {apisix: [http_log_phase]}\n");
    REQUIRE(reading.config);
    CHECK(reading.warning.find("basic and http_filter are missing") != std::string::npos);
    REQUIRE(reading.config->hooks.size() == 1);
    CHECK(reading.config->hooks[0].second == std::vector<std::string>{"http_log_phase"});
}

TEST_CASE("debug config: hooks are read from the key that is named, and only while they are on",
          "[config][debug_config]") {
    const std::string lists = "mine: {apisix.router: [match]}\nhook_phase: {apisix: [http_log_phase]}\n";
    CHECK(reading_of(off + "hook_conf: {enable: true, name: mine}\n" + lists).config->hooks[0].first ==
          "apisix.router");
    CHECK(reading_of(off + "hook_conf: {enable: true, name: none}\n" + lists).config->hooks.empty());
    CHECK(reading_of(off + "hook_conf: {enable: false}\n" + lists).config->hooks.empty());
}

TEST_CASE("debug config: what is encoded for workers comes out the same", "[config][debug_config]") {
    const auto config = reading_of(
                            "basic: {enable: true, header_name: X-P, header_format: names}\n"
                            "http_filter: {enable: true}\nhook_conf: {enable: true, log_level: info}\n"
                            "hook_phase: {apisix: [http_log_phase, handle_upstream]}\n")
                            .config;
    REQUIRE(config);
    const DebugConfig back = decode_debug(encode_debug(*config));
    CHECK(encode_debug(back) == encode_debug(*config));
    CHECK(back.hooks == config->hooks);
    CHECK(back.basic.header_name == "X-P");
}

TEST_CASE("debug config: the file stands beside the static file, by profile", "[config][debug_config]") {
    const auto none = [](std::string_view) { return std::optional<std::string>(); };
    const auto test = [](std::string_view name) {
        return name == "GATEWAY_PROFILE" ? std::optional<std::string>("test") : std::nullopt;
    };
    CHECK(debug_file_of("/etc/gateway/gateway.yaml", none) == "/etc/gateway/debug.yaml");
    CHECK(debug_file_of("/etc/gateway/gateway.yaml", test) == "/etc/gateway/debug-test.yaml");
}
