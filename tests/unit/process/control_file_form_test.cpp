#include "libgateway/process/control_file_form.hpp"

#include <fstream>

#include "libgateway/process/control_draft.hpp"
#include "tests/unit/process/control_fakes.hpp"

using namespace gateway;
using namespace gateway::process;
using namespace gateway::process::test;
using config::Kind;

namespace {

const Catalogue::Key route_a{Kind::route, "a"};

json::Value value(std::string_view text) {
    return json::parse(text);
}

}  // namespace

TEST_CASE("file form: every item is an edit, in YAML and JSON", "[process][control_file_form]") {
    const std::string_view text =
        GENERATE("routes:\n  - {id: 1, uri: /a}\nconsumers:\n  - {username: jack}\n  - {id: jack/credentials/c1}\n",
                 R"({"routes":[{"id":1,"uri":"/a"}],"consumers":[{"username":"jack"},{"id":"jack/credentials/c1"}]})");
    const FileEdits file = edits_of_file(text, "f");
    REQUIRE(file.errors.empty());
    REQUIRE(file.edits.size() == 3);
    CHECK(file.edits[0].id == "jack");
    CHECK(file.edits[1].id == "jack/credentials/c1");
    CHECK(file.edits[2].kind == Kind::route);
    CHECK(file.edits[2].id == "1");
    CHECK(*file.edits[2].json == R"({"id":1,"uri":"/a"})");
}

TEST_CASE("file form: what cannot be in the store is told with its place", "[process][control_file_form]") {
    CHECK(edits_of_file("routes: [", "f").errors.size() == 1);
    CHECK(edits_of_file("5", "f").errors == std::vector<std::string>{"f: expected an object of lists"});
    CHECK(edits_of_file("routes: 5\n", "f").errors == std::vector<std::string>{"f: routes: expected a list"});
    CHECK(edits_of_file("routes:\n  - {uri: /a}\n", "f").errors ==
          std::vector<std::string>{"f:2: routes/1: it needs an id"});
    CHECK(edits_of_file("plugins:\n  - {name: x}\n", "f").errors.size() == 1);
    CHECK(edits_of_file("", "f").errors.empty());
    CHECK(edits_of_file("routes:\n", "f").edits.empty());
}

TEST_CASE("file form: an export is read back as the same objects", "[process][control_file_form]") {
    const TemporaryFolder folder;
    std::ofstream(folder.file("gateway.yaml")) << "";
    std::ofstream(folder.file("routes.yaml")) << "routes:\n  - {id: f, uri: /f, service_id: s}\n";
    Catalogue catalogue(folder.file("gateway.yaml"));
    REQUIRE(catalogue.read_static().ok());
    catalogue.accept(catalogue.read(Catalogue::Files::routes_only));
    catalogue.accept(draft_of(catalogue, {{Kind::route, "a", R"({"uri":"/a: #","service_id":"s"})", {}, 0, 0},
                                          {Kind::consumer, "jack", R"({"username":"jack"})", {}, 0, 0},
                                          {Kind::consumer, "jack/credentials/c1", R"({"id":"c1"})", {}, 0, 0}}));
    const std::string text = file_of(catalogue, "heading");
    CHECK(text.starts_with("# heading\n"));
    CHECK(text.ends_with("#END\n"));
    const FileEdits file = edits_of_file(text, "f");
    CHECK(file.errors.empty());
    REQUIRE(file.edits.size() == 4);
    Draft draft = draft_of(catalogue, file.edits, Owned::pass_over_same);
    CHECK(draft.errors.empty());
    draft.drop_unchanged();
    CHECK(draft.steps.empty());
    CHECK(errors_of_file(catalogue, text, "f").empty());
}

TEST_CASE("file form: contents compare without times and ids", "[process][control_file_form]") {
    const keyring::Keyring none;
    const json::Value content =
        content_of(Kind::route, "a", R"({"id":"a","uri":"/a","create_time":1,"update_time":2})", none);
    CHECK(json::write(content) == R"({"uri":"/a"})");
    Contents before{{route_a, value(R"({"uri":"/a","desc":"x"})")}, {{Kind::route, "gone"}, value("{}")}};
    Contents after{{route_a, value(R"({"desc":"x","uri":"/a"})")}, {{Kind::service, "s"}, value("{}")}};
    json::Value rows = changes_between(before, after);
    REQUIRE(rows.items().size() == 2);
    CHECK(rows.items()[0].find("object")->string() == "routes/gone");
    CHECK(rows.items()[0].find("change")->string() == "removed");
    CHECK(rows.items()[1].find("change")->string() == "made");
    after[route_a] = value(R"({"uri":"/b"})");
    rows = changes_between(before, after);
    REQUIRE(rows.items().size() == 3);
    CHECK(rows.items()[0].find("change")->string() == "changed");
    CHECK(json::write(*rows.items()[0].find("after")) == R"({"uri":"/b"})");
}
