#include "libgateway/control/command_line.hpp"

#include "libgateway/control/commands.hpp"
#include "libgateway/control/present.hpp"
#include "libgateway/control/table.hpp"
#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::control;

namespace {

CommandLine parse(std::vector<std::string_view> words) {
    return parse_command_line(words);
}

}  // namespace

TEST_CASE("command line: options may stand before and behind the command", "[control][command_line]") {
    const CommandLine line = parse({"-s", "/run/g.sock", "status", "--json"});
    REQUIRE(line.error.empty());
    REQUIRE(line.socket_path == "/run/g.sock");
    REQUIRE(line.request.command == "status");
    REQUIRE(line.json);
}

TEST_CASE("command line: explain takes method, url, headers and an address", "[control][command_line]") {
    const CommandLine line =
        parse({"explain", "GET", "http://a/b", "-H", "x: 1", "-H", "y: 2", "--from", "10.0.0.1", "--consumer", "jack"});
    REQUIRE(line.error.empty());
    REQUIRE(line.request.text("method") == "GET");
    REQUIRE(line.request.text("url") == "http://a/b");
    REQUIRE(line.request.text("from") == "10.0.0.1");
    REQUIRE(line.request.text("consumer") == "jack");
    REQUIRE(line.request.arguments.find("headers")->items().size() == 2);
    REQUIRE(line.request.arguments.find("headers")->items()[1].string() == "y: 2");
}

TEST_CASE("command line: put names the file whose content is sent", "[control][command_line]") {
    const CommandLine line = parse({"put", "route", "r1", "-"});
    REQUIRE(line.error.empty());
    REQUIRE(line.content_path == "-");
    REQUIRE(line.request.text("kind") == "route");
    REQUIRE(line.request.text("id") == "r1");
}

TEST_CASE("command line: apply, diff and export name a file, revisions are numbers", "[control][command_line]") {
    const CommandLine line =
        parse({"apply", "--prune", "--confirm-within", "30s", "--revert-if", "5xx>5%", "routes.yaml"});
    REQUIRE(line.error.empty());
    CHECK(line.content_path == "routes.yaml");
    CHECK(line.request.flag("prune"));
    CHECK(line.request.text("confirm_within") == "30s");
    CHECK(line.request.text("revert_if") == "5xx>5%");
    CHECK(parse({"apply"}).error.find("usage: gatewayctl apply") == 0);
    CHECK(parse({"diff"}).content_path.empty());
    CHECK(parse({"diff", "--rev", "7", "-"}).content_path == "-");
    CHECK(parse({"diff", "--rev", "7"}).request.text("revision") == "7");
    CHECK(parse({"history", "-n", "5"}).request.text("count") == "5");
    CHECK(parse({"rollback"}).error == "usage: gatewayctl rollback REVISION");
    CHECK(parse({"export", "f"}).output_path == "f");
    CHECK(parse({"export"}).error.empty());
}

TEST_CASE("command line: keys names what to do and a file", "[control][command_line]") {
    const CommandLine line = parse({"keys", "reencrypt", "--dry-run", "--plain", "routes.yaml"});
    REQUIRE(line.error.empty());
    REQUIRE(line.request.text("what") == "reencrypt");
    REQUIRE(line.request.text("file") == "routes.yaml");
    REQUIRE(line.request.flag("dry_run"));
    REQUIRE(line.request.flag("plain"));
    REQUIRE(parse({"keys", "check"}).error.empty());
    for (const std::vector<std::string_view>& bad : std::vector<std::vector<std::string_view>>{
             {"keys"}, {"keys", "reencrypt"}, {"keys", "show"}, {"keys", "check", "a", "b"}})
        REQUIRE(parse(bad).error.find("usage: gatewayctl keys check [FILE]") == 0);
}

TEST_CASE("command line: what is not understood is an error with a hint", "[control][command_line]") {
    REQUIRE(parse({}).error.find("--help") != std::string::npos);
    REQUIRE(parse({"relaod"}).error.find("did you mean \"reload\"") != std::string::npos);
    REQUIRE(parse({"status", "--jsn"}).error == "unknown option --jsn");
    REQUIRE(parse({"status", "-s"}).error == "-s needs a value");
    REQUIRE(parse({"delete", "route"}).error == "usage: gatewayctl delete KIND ID");
    REQUIRE(parse({"status", "more"}).error == "usage: gatewayctl status");
    REQUIRE(parse({"status", "--timeout", "0"}).error.find("--timeout") == 0);
}

TEST_CASE("command line: plugin takes list alone or show with a name", "[control][command_line]") {
    CHECK(parse({"plugin", "list"}).error.empty());
    CHECK(parse({"plugin", "show", "echo"}).request.text("name") == "echo");
    for (const auto& words :
         {std::vector<std::string_view>{"plugin"}, {"plugin", "show"}, {"plugin", "list", "echo"}, {"plugin", "drop"}})
        CHECK(gateway::control::parse_command_line(words).error == "usage: gatewayctl plugin list|show NAME");
}

TEST_CASE("command line: every command is in the help", "[control][command_line]") {
    for (const CommandHelp& command : commands) REQUIRE(help_text().find(command.usage) != std::string::npos);
}

TEST_CASE("table: columns line up and control characters are defused", "[control][table]") {
    Table table({"id", "uri"});
    table.add({"a\x1b[2J", "/x"});
    table.add({"ä", ""});
    REQUIRE(table.text() == "id     uri\na?[2J  /x\nä\n");
}

TEST_CASE("present: a status names every worker and why it is not ready", "[control][present]") {
    Answer answer;
    answer.result = R"({"version":"1","state":"degraded","not_ready":"worker 1 lags","revision":7,"workers":[
        {"index":0,"pid":10,"state":"ready"},{"index":1,"pid":11,"state":"lagging"}],"listeners":[]})";
    const std::string text = present({"status", {}}, answer);
    REQUIRE(text.find("degraded (worker 1 lags)") != std::string::npos);
    REQUIRE(text.find("11   lagging") != std::string::npos);
}

TEST_CASE("present: a refusal does not look like a change", "[control][present]") {
    Answer answer{Status::refused, {"bad"}, R"({"result":"refused","revision":7,"changes":0,"warnings":[]})"};
    REQUIRE(present({"put", {}}, answer) == "refused, revision 7 stays\n");
    answer.result = R"({"result":"applied","revision":8,"changes":1,"warnings":["careful"],"needs_restart":["user"]})";
    REQUIRE(present({"put", {}}, answer) == "revision 8, 1 changes\ncareful\nneeds a restart: user\n");
}

TEST_CASE("present: a difference shows what members became", "[control][present]") {
    Answer answer;
    answer.result = R"([{"object":"routes/a","change":"changed","before":{"uri":"/a","desc":"x"},"after":{"uri":"/b"}},
        {"object":"routes/b","change":"made","before":null,"after":{"uri":"/b"}},
        {"object":"routes/c","owner":"store","change":"removed","before":{},"after":null},
        {"object":"consumers/d","change":"changed","before":{"k":"***"},"after":{"k":"***"}}])";
    REQUIRE(present({"diff", {}}, answer) ==
            "~ routes/a\n    uri: \"/a\" -> \"/b\"\n    desc: \"x\" -> none\n+ routes/b {\"uri\":\"/b\"}\n"
            "- routes/c (store)\n~ consumers/d\n    a secret\n");
    answer.result = "[]";
    REQUIRE(present({"diff", {}}, answer) == "no difference\n");
}

TEST_CASE("present: an unexpected result is no failure", "[control][present]") {
    const std::string result = GENERATE(as<std::string>{}, "null", "[]", "{}", "1", "\"x\"", "not json");
    const std::string command = GENERATE(as<std::string>{}, "status", "reload", "explain", "show", "version", "stop",
                                         "history", "diff", "export", "apply");
    Answer answer;
    answer.result = result;
    REQUIRE_NOTHROW(present({command, json::Value::object({{"what", "routes"}})}, answer));
}
