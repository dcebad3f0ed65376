// Access and error log of the real gateway: what is written, when, where to, and that a log never stops traffic.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include <boost/json/parse.hpp>
#include <filesystem>
#include <regex>
#include <sstream>

#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/scripted_upstream.hpp"

using namespace gateway::test;
using namespace std::chrono_literals;

namespace {

constexpr auto flush_limit = 1500ms;  // a second is the bound

std::vector<std::string> lines_of(const std::filesystem::path& file) {
    std::vector<std::string> lines;
    std::istringstream text(TempDir::read_file(file));
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
}

// A gateway of one worker that writes its access log to `file`; `further` are lines of nginx_config.http.
GatewayOptions logging_to(const std::filesystem::path& file, const ScriptedUpstream& upstream,
                          const std::string& further = {}) {
    GatewayOptions options{.routes = route_to(upstream.node())};
    options.nginx_config = "  http:\n    access_log: " + file.string() + "\n" + further;
    return options;
}

// The last line once there are so many, as JSON.
boost::json::value last_entry(const std::filesystem::path& file, std::size_t count) {
    REQUIRE(eventually([&] { return lines_of(file).size() >= count; }, flush_limit));
    return boost::json::parse(lines_of(file).back());
}

}  // namespace

TEST_CASE("access log: a line of the default format is there within a second", "[logs]") {
    TempDir folder;
    const auto file = folder / "access.log";
    ScriptedUpstream upstream;
    GatewayProcess gateway(logging_to(file, upstream));
    fetch(gateway.port(), "GET", "/a?b=1", "User-Agent: story \"1\"\r\nReferer: here\r\n");
    REQUIRE(eventually([&] { return lines_of(file).size() == 1; }, flush_limit));
    const std::string node = std::regex_replace(upstream.node(), std::regex("\\."), "\\.");
    const std::regex line(
        "127\\.0\\.0\\.1 - - \\[[^\\]]+ [+-]\\d{4}\\] localhost \"GET /a\\?b=1 HTTP/1\\.1\" 200 2 "
        "\\d+\\.\\d{3} \"here\" \"story \\\\x221\\\\x22\" " +
        node + " 200 \\d+\\.\\d{3} \"http://[^\"]+/a\\?b=1\" \"[^\"]*\"");
    INFO(lines_of(file)[0]);
    CHECK(std::regex_match(lines_of(file)[0], line));
}

TEST_CASE("access log: json escape keeps every line valid, and each request tells why it ended", "[logs]") {
    TempDir folder;
    const auto file = folder / "access.log";
    ScriptedUpstream upstream([](Connection& to, const Message& request) {
        if (request.target() == "/reset") return to.reset();
        if (request.target() == "/held") return ScriptedUpstream::stalls()(to, request);
        to.send(make_response(200, "ok"));
    });
    GatewayProcess gateway(logging_to(file, upstream,
                                      "    access_log_format_escape: json\n"
                                      "    access_log_format: '{\"agent\": \"$http_user_agent\", \"status\": "
                                      "\"$status\", \"why\": \"$end_reason\"}'\n"));
    fetch(gateway.port(), "GET", "/", "User-Agent: a\"b\\c\td\r\n");
    auto entry = last_entry(file, 1);
    CHECK(entry.at("agent").as_string() == "a\"b\\c\td");
    CHECK(entry.at("why").as_string() == "completed");
    fetch(gateway.port(), "GET", "/reset");
    entry = last_entry(file, 2);
    CHECK(entry.at("status").as_string() == "502");
    CHECK(entry.at("why").as_string() == "upstream_reset");
    RawClient leaves(gateway.port());
    leaves.send(make_request("GET", "/held"));
    REQUIRE(eventually([&] { return upstream.requests().back().target() == "/held"; }));
    leaves.reset();
    entry = last_entry(file, 3);
    CHECK(entry.at("status").as_string() == "499");
    CHECK(entry.at("why").as_string() == "client_gone");
}

TEST_CASE("access log: what is under way is written before a stop", "[logs]") {
    TempDir folder;
    const auto file = folder / "access.log";
    ScriptedUpstream upstream;
    GatewayProcess gateway(logging_to(file, upstream));
    RawClient client(gateway.port());
    for (int i = 0; i < 100; ++i) client.get("/");
    CHECK(gateway.stop(GENERATE(SIGTERM, SIGQUIT)) == 0);
    CHECK(lines_of(file).size() == 100);
}

TEST_CASE("logs: USR1 opens both again, and no line is lost", "[logs]") {
    TempDir folder;
    const auto access = folder / "access.log", error = folder / "error.log";
    ScriptedUpstream upstream;
    GatewayOptions options = logging_to(access, upstream);
    options.static_file =
        "apisix:\n  node_listen: [{ip: 127.0.0.1, port: 0}]\nnginx_config:\n  worker_processes: 2\n"
        "  error_log: " +
        error.string() + "\n" + options.nginx_config + "gateway: {data_dir: data, socket: gateway.sock}\n";
    GatewayProcess gateway(options);
    fetch(gateway.port(), "GET", "/before");
    REQUIRE(eventually([&] { return lines_of(access).size() == 1; }));
    std::filesystem::rename(access, folder / "access.old");
    std::filesystem::rename(error, folder / "error.old");
    const bool by_signal = GENERATE(true, false);
    by_signal ? gateway.master().signal(SIGUSR1) : (void)gateway.ctl({"reopen"});
    REQUIRE(eventually([&] { return std::filesystem::exists(access) && std::filesystem::exists(error); }));
    std::size_t sent = 1;
    // A worker follows in its own time: until then its lines go to the old file.
    const auto arrives = [&] {
        fetch(gateway.port(), "GET", "/after");
        ++sent;
        return !lines_of(access).empty();
    };
    CHECK(eventually(arrives));
    CHECK(eventually([&] { return lines_of(access).size() + lines_of(folder / "access.old").size() == sent; }));
    gateway.reload("routes: [{id: 1, uri: 5}]\n");
    CHECK(eventually([&] { return TempDir::read_file(error).find("routes/1 uri: ") != std::string::npos; }));
}

TEST_CASE("access log: a pipe that nobody reads does not slow traffic", "[logs]") {
    TempDir folder;
    const auto pipe = folder / "pipe";
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    ScriptedUpstream upstream;
    GatewayProcess gateway(
        logging_to(pipe, upstream, "    access_log_format: '$request_uri " + std::string(2000, 'x') + "'\n"));
    RawClient client(gateway.port());
    // More than pipe (64 KiB) and ring (1 MiB) hold together.
    for (int i = 0; i < 1000; ++i) REQUIRE(client.get("/" + std::to_string(i)).status() == 200);
    const gateway::UniqueFd reader(::open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    std::string text;
    const auto drained = [&] {
        char block[65536];
        for (ssize_t n; (n = ::read(reader.get(), block, sizeof block)) > 0;)
            text.append(block, static_cast<std::size_t>(n));
        return text.size() > 1000000;
    };
    CHECK(eventually(drained, 10s));
    CHECK(text.compare(0, 4, "/0 x") == 0);
    CHECK(gateway.stop(SIGTERM) == 0);
}
