#include "libgateway/process/control_standalone.hpp"

#include <fstream>
#include <iterator>

#include "libgateway/config/objects.hpp"
#include "libgateway/process/control_catalogue.hpp"
#include "tests/unit/process/control_fakes.hpp"

using namespace gateway;
using namespace gateway::process;
using namespace gateway::process::test;
using config::Kind;

namespace {

// A gateway in standalone API mode; nothing was put yet.
struct StandaloneStory {
    explicit StandaloneStory(const std::string& admin = "{}") : catalogue(folder.file("gateway.yaml")) {
        std::ofstream(folder.file("gateway.yaml"))
            << "deployment: {role_traditional: {config_provider: yaml}, admin: " << admin << "}\n";
        REQUIRE(catalogue.read_static().ok());
        take(catalogue.read(Catalogue::Files::routes_only));
    }
    void take(Catalogue::Reading reading) {
        INFO(reading.found.text());
        REQUIRE(reading.document);
        catalogue.accept(std::move(reading));
    }
    static admin::Configuration whole(const std::string& text) {
        return std::make_shared<const json::Value>(json::parse(text, {.positions = false}));
    }
    TemporaryFolder folder;
    Catalogue catalogue;
};

constexpr const char* whole_text =
    R"({"routes":[{"id":"1","uri":"/a","upstream":{"nodes":{"127.0.0.1:80":1}}},{"id":"2","uri":"/b","service_id":1}],)"
    R"("routes_conf_version":1,"X-Digest":"one","X-Last-Modified":5})";

}  // namespace

TEST_CASE("standalone: no file is read, and a whole configuration is what is in force",
          "[process][control_standalone]") {
    StandaloneStory story;
    CHECK_FALSE(story.catalogue.whole());
    CHECK(story.catalogue.document().size(Kind::route) == 0);
    story.take(story.catalogue.read_whole(StandaloneStory::whole(whole_text)));
    CHECK(story.catalogue.document().size(Kind::route) == 2);
    CHECK(story.catalogue.whole()->find("X-Digest")->string() == "one");
    CHECK(story.catalogue.place_of(Kind::route, "1") == "Admin API");
    const sources::Document before = story.catalogue.document();

    SECTION("a reload changes nothing") {
        const auto reading = story.catalogue.read(Catalogue::Files::both);
        REQUIRE(reading.document);
        CHECK(sources::diff(before, *reading.document).empty());
        CHECK(reading.whole == story.catalogue.whole());
    }
    SECTION("what is the same is no change but that of the configuration itself") {
        std::string text = whole_text;
        text.replace(text.find("/b"), 2, "/c");
        const auto reading = story.catalogue.read_whole(StandaloneStory::whole(text));
        REQUIRE(reading.document);
        const auto changes = sources::diff(before, *reading.document);
        REQUIRE(changes.size() == 2);
        CHECK(changes[0].id == "2");
        CHECK(changes[1].kind == Kind::standalone);
    }
    SECTION("a bad one changes nothing") {
        const auto reading = story.catalogue.read_whole(StandaloneStory::whole(R"({"routes":[{"id":"1"}]})"));
        CHECK_FALSE(reading.document);
        CHECK_FALSE(reading.errors().empty());
    }
    SECTION("a control that follows finds it in the journal") {
        Catalogue next(story.folder.file("gateway.yaml"));
        REQUIRE(next.read_static().ok());
        REQUIRE(next.adopt(encode_full(before, 9)));
        REQUIRE(next.whole());
        CHECK(json::equal(*next.whole(), *story.catalogue.whole()));
        const auto reading = next.read(Catalogue::Files::routes_only);
        REQUIRE(reading.document);
        CHECK(sources::diff(before, *reading.document).empty());
    }
}

TEST_CASE("standalone: the snapshot is encrypted, and read at the start", "[process][control_standalone]") {
    keyring::Keyring ring;
    ring.add("0123456789abcdef", keyring::Keyring::Use::both, "test");
    StandaloneStory story("{standalone_snapshot: kept}");
    const std::string path = story.folder.file("kept");
    CHECK_FALSE(load_snapshot(path, ring));
    const admin::Configuration whole = StandaloneStory::whole(whole_text);
    save_snapshot(path, *whole, ring);
    save_snapshot(path, *whole, ring);
    CHECK(json::equal(*load_snapshot(path, ring), *whole));
    std::ifstream in(path);
    CHECK(std::string(std::istreambuf_iterator<char>(in), {}).find("routes") == std::string::npos);
    CHECK_THROWS(load_snapshot(path, keyring::Keyring()));
    CHECK_THROWS(save_snapshot(story.folder.file("none/kept"), *whole, ring));

    // No key reads it here: it is told, and there is no configuration.
    const auto refused = story.catalogue.read(Catalogue::Files::routes_only);
    CHECK(refused.document);
    CHECK_FALSE(refused.whole);
    REQUIRE(refused.hidden.size() == 1);
    save_snapshot(path, *whole, keyring::Keyring());
    story.take(story.catalogue.read(Catalogue::Files::routes_only));
    CHECK(story.catalogue.document().size(Kind::route) == 2);
    std::ofstream(path) << "[]";
    CHECK_THROWS(load_snapshot(path, ring));
}
