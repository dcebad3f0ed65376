#include "libgateway/telemetry/access_log.hpp"

#include <map>
#include <stdexcept>
#include <string>

#include "tests/support/catch.hpp"

using namespace gateway::telemetry;

namespace {

using Values = std::map<std::string, std::string, std::less<>>;

bool read(void* source, const AccessFormat::Piece& piece, std::string_view& value) {
    const auto& values = *static_cast<Values*>(source);
    const auto found = values.find(piece.text);
    if (found == values.end()) return false;
    value = found->second;
    return true;
}

std::string line_of(std::string_view format, Values values, LogEscape escape = LogEscape::standard) {
    LogRing ring(1 << 18);
    const AccessFormat compiled(format, escape);
    if (!compiled.write(ring, read, &values)) return "dropped";
    LogRecord record;
    return ring.front(record) ? std::string(record.text) : "nothing";
}

}  // namespace

TEST_CASE("access log: variables stand by name or in braces, unset ones are a dash", "[telemetry][access_log]") {
    REQUIRE(line_of("$a ${a}b $none.", {{"a", "1"}}) == "1 1b -.\n");
    REQUIRE(line_of("${none}", {}, LogEscape::none) == "-\n");
    REQUIRE(line_of("[$none]", {}, LogEscape::json) == "[]\n");
    REQUIRE(line_of("", {}) == "\n");
}

TEST_CASE("access log: a dollar without a name is no format", "[telemetry][access_log]") {
    for (const char* format : {"$", "a $ b", "${", "${a", "${}", "${a b}", "$-"}) {
        INFO(format);
        REQUIRE_THROWS_AS(AccessFormat(format, LogEscape::standard), std::invalid_argument);
    }
}

TEST_CASE("access log: standard escape keeps a value inside its quotes and its line", "[telemetry][access_log]") {
    REQUIRE(line_of("\"$v\"", {{"v", "a\"b\\c\n\x7f\xc3\xa4"}}) == "\"a\\x22b\\x5Cc\\x0A\\x7F\\xC3\\xA4\"\n");
}

TEST_CASE("access log: json escape gives valid JSON whatever the bytes", "[telemetry][access_log]") {
    REQUIRE(line_of("$v", {{"v", "\"\\\n\r\t\b\f\x01 /"}}, LogEscape::json) == "\\\"\\\\\\n\\r\\t\\b\\f\\u0001 /\n");
    REQUIRE(line_of("$v", {{"v", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"}}, LogEscape::json) ==
            "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\n");
    REQUIRE(line_of("$v", {{"v", "\xff\xc3(\xc0\xaf\xed\xa0\x80"}}, LogEscape::json) ==
            "\\ufffd\\ufffd(\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\n");
}

TEST_CASE("access log: no escape passes values on", "[telemetry][access_log]") {
    REQUIRE(line_of("$v", {{"v", "a\"\\\xff"}}, LogEscape::none) == "a\"\\\xff\n");
}

TEST_CASE("access log: long lines are whole, endless ones are cut and still end", "[telemetry][access_log]") {
    const std::string longer(5000, 'x');
    REQUIRE(line_of("$v", {{"v", longer}}) == longer + "\n");
    const std::string cut = line_of("$v", {{"v", std::string(100000, 'x')}});
    REQUIRE(cut.size() == 65536);
    REQUIRE(cut.back() == '\n');
}

TEST_CASE("access log: a full ring drops the line and counts it", "[telemetry][access_log]") {
    LogRing ring(8192);
    Values values{{"v", std::string(500, 'x')}};
    const AccessFormat format("$v", LogEscape::standard);
    int written = 0;
    while (format.write(ring, read, &values)) ++written;
    REQUIRE(written >= 8);
    REQUIRE(ring.dropped() == 1);
}

TEST_CASE("access log: the default format is the documented one", "[telemetry][access_log]") {
    const AccessFormat format(default_access_format, LogEscape::standard);
    std::string names;
    for (const auto& piece : format.pieces()) names += piece.variable ? piece.text + " " : "";
    REQUIRE(names ==
            "remote_addr remote_user time_local http_host request status body_bytes_sent request_time http_referer "
            "http_user_agent upstream_addr upstream_status upstream_response_time upstream_scheme upstream_host "
            "upstream_uri "
            "apisix_request_id ");
}

TEST_CASE("access log: escape modes are read by name", "[telemetry][access_log]") {
    LogEscape escape = LogEscape::none;
    REQUIRE(parse_log_escape("default", escape));
    REQUIRE(escape == LogEscape::standard);
    REQUIRE(parse_log_escape("json", escape));
    REQUIRE(escape == LogEscape::json);
    REQUIRE_FALSE(parse_log_escape("JSON", escape));
}
