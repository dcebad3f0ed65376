#include "libgateway/process/control_catalogue.hpp"

#include <fstream>

#include "libgateway/plugin/registry.hpp"
#include "tests/unit/process/control_fakes.hpp"

using namespace gateway;
using namespace gateway::process;
using namespace gateway::process::test;
using config::Kind;

namespace {

constexpr const char* one_route = "routes:\n  - id: 1\n    uri: /a\n    upstream: {nodes: {\"127.0.0.1:80\": 1}}\n";
constexpr const char* object = R"({"uri":"/put","upstream":{"nodes":{"127.0.0.1:80":1}}})";

// An auth plugin of this test.
class CatalogueAuth final : public Plugin {
public:
    struct Settings {
        int unused = 0;
    };
    struct Credential {
        std::string key;
        static constexpr auto schema = config::fields(config::field("key", &Credential::key, "key", config::required));
    };
    static constexpr std::string_view name = "catalogue-auth", credential_key = "key";
    static constexpr int priority = 90010;
    static constexpr bool is_auth = true;
    static constexpr auto schema = config::fields(config::field("unused", &Settings::unused, "nothing"));
    CatalogueAuth(Settings, BuildScope&) {}
    Step rewrite(Exchange&) const override { return Verdict::next; }
};
const Registration<CatalogueAuth> registration;

std::string auth(std::string_view key) {
    return R"("plugins":{"catalogue-auth":{"key":")" + std::string(key) + R"("}})";
}

// A gateway's files in a folder of their own, read and taken as what is in force.
struct Story {
    Story() : catalogue(folder.file("gateway.yaml")) {
        write("gateway.yaml", "");
        write("routes.yaml", one_route);
        REQUIRE(catalogue.read_static().ok());
        take();
    }
    void write(const std::string& name, const std::string& text) { std::ofstream(folder.file(name)) << text; }
    void take() {
        Catalogue::Reading reading = catalogue.read(Catalogue::Files::routes_only);
        REQUIRE(reading.document);
        catalogue.accept(std::move(reading));
    }
    std::vector<config::Change> difference(const Catalogue::Reading& reading) {
        return sources::diff(catalogue.document(), *reading.document);
    }
    void put(const std::string& id) {
        const Catalogue::Edit edit = catalogue.put(Kind::route, id, object);
        REQUIRE(edit.errors.empty());
        catalogue.accept(edit);
    }
    // The refusal, or nothing: then it is in force.
    std::string put_consumer(const std::string& id, const std::string& members) {
        const bool credential = id.find('/') != std::string::npos;
        const std::string text = credential ? "{" + members + "}" : "{\"username\":\"" + id + "\"," + members + "}";
        const Catalogue::Edit edit = catalogue.put(Kind::consumer, id, text);
        if (!edit.errors.empty()) return edit.errors.front();
        catalogue.accept(edit);
        return "";
    }
    TemporaryFolder folder;
    Catalogue catalogue;
};

}  // namespace

TEST_CASE("catalogue: the same files give no difference", "[process][control_catalogue]") {
    Story story;
    REQUIRE(story.difference(story.catalogue.read(Catalogue::Files::both)).empty());
}

TEST_CASE("catalogue: an inserted route is one change", "[process][control_catalogue]") {
    Story story;
    story.write("routes.yaml", std::string(one_route) + "  - id: 2\n    uri: /b\n    service_id: s\n");
    const auto reading = story.catalogue.read(Catalogue::Files::routes_only);
    REQUIRE(reading.document);
    const auto changes = story.difference(reading);
    REQUIRE(changes.size() == 1);
    REQUIRE(changes[0].id == "2");
}

TEST_CASE("catalogue: a bad route file gives errors and nothing to apply", "[process][control_catalogue]") {
    Story story;
    story.write("routes.yaml", "routes:\n  - id: 1\n    uri: 5\n  - id: 2\n    urii: /a\n");
    const auto reading = story.catalogue.read(Catalogue::Files::both);
    REQUIRE_FALSE(reading.document);
    REQUIRE(reading.errors().size() >= 2);
    REQUIRE(reading.errors()[0].find("routes.yaml:") != std::string::npos);
}

TEST_CASE("catalogue: a bad static file stops good routes too", "[process][control_catalogue]") {
    Story story;
    story.write("gateway.yaml", "apisix: {node_lisen: 80}\n");
    const auto reading = story.catalogue.read(Catalogue::Files::both);
    REQUIRE_FALSE(reading.document);
    REQUIRE(reading.errors().size() == 1);
}

TEST_CASE("catalogue: a listed plugin that there is not is a warning", "[process][control_catalogue]") {
    Story story;
    story.write("gateway.yaml", "plugins: [nosuch]\n");
    const auto reading = story.catalogue.read(Catalogue::Files::both);
    REQUIRE(reading.document);
    REQUIRE(reading.warnings().size() == 1);
    REQUIRE(reading.warnings()[0].find("warning: plugins: unknown plugin [nosuch]: it is ignored") !=
            std::string::npos);
}

TEST_CASE("catalogue: an object that is put is one change with the digest after it", "[process][control_catalogue]") {
    Story story;
    const Catalogue::Edit edit = story.catalogue.put(Kind::route, "p", object);
    REQUIRE(edit.changes_something);
    REQUIRE(edit.changes().front().json == object);
    story.catalogue.accept(edit);
    REQUIRE(story.catalogue.document().digest() == edit.after);
    REQUIRE_FALSE(story.catalogue.put(Kind::route, "p", object).changes_something);
    REQUIRE(story.catalogue.place_of(Kind::route, "p") == "put by gatewayctl");
}

TEST_CASE("catalogue: an object of the file cannot be put or deleted", "[process][control_catalogue]") {
    Story story;
    const std::string refusal = "route [1] is defined in " + story.folder.file("routes.yaml") + ":2";
    REQUIRE(story.catalogue.put(Kind::route, "1", object).errors == std::vector<std::string>{refusal});
    REQUIRE(story.catalogue.remove(Kind::route, "1").errors == std::vector<std::string>{refusal});
}

TEST_CASE("catalogue: what is put wrongly is refused with reasons", "[process][control_catalogue]") {
    Story story;
    REQUIRE_FALSE(story.catalogue.put(Kind::route, "p", "{").errors.empty());
    REQUIRE_FALSE(story.catalogue.put(Kind::route, "p", "[]").errors.empty());
    REQUIRE_FALSE(story.catalogue.put(Kind::route, "p", R"({"uri":"/a","more":1})").errors.empty());
    REQUIRE_FALSE(story.catalogue.put(Kind::route, "p/q", object).errors.empty());
    REQUIRE(story.catalogue.remove(Kind::route, "p").errors == std::vector<std::string>{"route [p] does not exist"});
}

TEST_CASE("catalogue: the overlay outlives a reload and gives way to the file", "[process][control_catalogue]") {
    Story story;
    story.put("p");
    const auto unchanged = story.catalogue.read(Catalogue::Files::both);
    REQUIRE(story.difference(unchanged).empty());
    story.write("routes.yaml", std::string(one_route) + "  - id: p\n    uri: /file\n    service_id: s\n");
    auto reading = story.catalogue.read(Catalogue::Files::both);
    REQUIRE(story.difference(reading).size() == 1);
    REQUIRE(reading.hidden.size() == 1);
    story.catalogue.accept(std::move(reading));
    REQUIRE(story.catalogue.put(Kind::route, "p", object).errors.size() == 1);
}

TEST_CASE("catalogue: what was kept is recognised, with or without the overlay", "[process][control_catalogue]") {
    Story story;
    story.put("p");
    const FullDelta kept = encode_full(story.catalogue.document(), 7);
    REQUIRE(kept.digest == story.catalogue.document().digest());

    Catalogue next(story.folder.file("gateway.yaml"));
    REQUIRE(next.read_static().ok());
    const bool keep = GENERATE(true, false);
    REQUIRE(next.adopt(kept, keep ? Catalogue::Overlay::keep : Catalogue::Overlay::drop));
    const auto reading = next.read(Catalogue::Files::routes_only);
    REQUIRE(reading.document);
    REQUIRE((reading.document->digest() == kept.digest) == keep);
    REQUIRE((next.document().find(Kind::route, "p") != nullptr) == keep);
}

TEST_CASE("catalogue: the settings of a bad static file come from what was kept", "[process][control_catalogue]") {
    Story story;
    const FullDelta kept = encode_full(story.catalogue.document(), 7);
    story.write("gateway.yaml", "apisix: [");
    Catalogue next(story.folder.file("gateway.yaml"));
    REQUIRE_FALSE(next.read_static().ok());
    REQUIRE(next.adopt_settings(kept));
    REQUIRE(next.route_file() == story.folder.file("routes.yaml"));
}

TEST_CASE("catalogue: a credential key that another consumer has is refused, also after changes and reloads",
          "[process][control_catalogue]") {
    Story story;
    REQUIRE(story.put_consumer("jack", auth("k")).empty());
    REQUIRE(story.put_consumer("jack/credentials/c1", auth("k1")).empty());
    REQUIRE(story.put_consumer("rose", auth("k")) ==
            "duplicate key of plugin catalogue-auth found with consumer: jack");
    REQUIRE(story.put_consumer("rose", auth("k1")) ==
            "duplicate key of plugin catalogue-auth found with credential: c1 of consumer: jack");
    REQUIRE(story.put_consumer("jack", auth("other")).empty());
    REQUIRE(story.put_consumer("rose", auth("k")).empty());
    story.take();
    REQUIRE(story.put_consumer("jack", auth("k")) ==
            "duplicate key of plugin catalogue-auth found with consumer: rose");
}

TEST_CASE("catalogue: a consumer that is deleted takes its credentials with it", "[process][control_catalogue]") {
    Story story;
    const config::Digest before = story.catalogue.document().digest();
    REQUIRE(story.put_consumer("jack", auth("k")).empty());
    REQUIRE(story.put_consumer("jack/credentials/c1", auth("k1")).empty());
    const Catalogue::Edit edit = story.catalogue.remove(Kind::consumer, "jack");
    REQUIRE(edit.changes().size() == 2);
    REQUIRE(edit.after == before);
    story.catalogue.accept(edit);
    REQUIRE(story.catalogue.document().digest() == before);
    REQUIRE_FALSE(story.catalogue.document().find(Kind::consumer, "jack/credentials/c1"));
    REQUIRE(story.put_consumer("rose", auth("k1")).empty());
}
