#include "libgateway/process/control_catalogue.hpp"

#include <fstream>

#include "libgateway/config/objects.hpp"
#include "libgateway/plugin/registry.hpp"
#include "libgateway/process/control_admin_route.hpp"
#include "libgateway/process/control_draft.hpp"
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
    Draft put(Kind kind, const std::string& id, const std::string& text) const {
        return draft_of(catalogue, {{kind, id, text, std::nullopt, 0, 0}});
    }
    Draft remove(Kind kind, const std::string& id) const {
        return draft_of(catalogue, {{kind, id, std::nullopt, std::nullopt, 0, 0}});
    }
    void put(const std::string& id) {
        const Draft draft = put(Kind::route, id, object);
        REQUIRE(draft.errors.empty());
        catalogue.accept(draft);
    }
    // What the store would hold now.
    std::vector<store::Entry> entries() const {
        std::vector<store::Entry> list;
        for (const auto& one : catalogue.shelf()) list.push_back({one.second.stored, one.second.order});
        return list;
    }
    // The refusal, or nothing: then it is in force.
    std::string put_consumer(const std::string& id, const std::string& members) {
        const bool credential = id.find('/') != std::string::npos;
        const std::string text = credential ? "{" + members + "}" : "{\"username\":\"" + id + "\"," + members + "}";
        const Draft draft = put(Kind::consumer, id, text);
        if (!draft.errors.empty()) return draft.errors.front();
        catalogue.accept(draft);
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
    const Draft draft = story.put(Kind::route, "p", object);
    REQUIRE(draft.changes().size() == 1);
    REQUIRE(draft.changes().front().json == R"({"uri":"/put","upstream":{"nodes":{"127.0.0.1:80":1}},"id":"p"})");
    story.catalogue.accept(draft);
    REQUIRE(story.catalogue.document().digest() == draft.after);
    Draft again = story.put(Kind::route, "p", object);
    REQUIRE(again.changes().empty());
    again.drop_unchanged();
    REQUIRE(again.steps.empty());
    REQUIRE(story.catalogue.place_of(Kind::route, "p") == "store");
}

TEST_CASE("catalogue: an object of the file cannot be put or deleted", "[process][control_catalogue]") {
    Story story;
    const std::string refusal = "route [1] is defined in " + story.folder.file("routes.yaml") + ":2";
    REQUIRE(story.put(Kind::route, "1", object).errors == std::vector<std::string>{refusal});
    REQUIRE(story.remove(Kind::route, "1").errors == std::vector<std::string>{refusal});
}

TEST_CASE("catalogue: what is put wrongly is refused with reasons", "[process][control_catalogue]") {
    Story story;
    REQUIRE_FALSE(story.put(Kind::route, "p", "{").errors.empty());
    REQUIRE_FALSE(story.put(Kind::route, "p", "[]").errors.empty());
    REQUIRE_FALSE(story.put(Kind::route, "p", R"({"uri":"/a","more":1})").errors.empty());
    REQUIRE_FALSE(story.put(Kind::route, "p/q", object).errors.empty());
    REQUIRE(story.remove(Kind::route, "p").errors == std::vector<std::string>{"route [p] does not exist"});
}

TEST_CASE("catalogue: an object of the store outlives a reload and is hidden while the file defines it",
          "[process][control_catalogue]") {
    Story story;
    story.put("p");
    const auto unchanged = story.catalogue.read(Catalogue::Files::both);
    REQUIRE(story.difference(unchanged).empty());
    story.write("routes.yaml", std::string(one_route) + "  - id: p\n    uri: /file\n    service_id: s\n");
    auto reading = story.catalogue.read(Catalogue::Files::both);
    REQUIRE(story.difference(reading).size() == 1);
    REQUIRE(reading.hidden.size() == 1);
    REQUIRE(reading.difference.size() == 1);
    REQUIRE_FALSE(reading.difference[0].before);
    story.catalogue.accept(std::move(reading));
    const Draft refused = story.put(Kind::route, "p", object);
    REQUIRE(refused.status == store::WriteStatus::owned);
    REQUIRE(refused.errors.size() == 1);
    REQUIRE(story.catalogue.find(Kind::route, "p")->place == story.folder.file("routes.yaml") + ":5");
    story.write("routes.yaml", one_route);
    story.take();
    REQUIRE(story.catalogue.document().find(Kind::route, "p"));
    REQUIRE(story.catalogue.find(Kind::route, "p")->place.empty());
}

TEST_CASE("catalogue: what was kept is recognised, with its objects of the store", "[process][control_catalogue]") {
    Story story;
    story.put("p");
    const FullDelta kept = encode_full(story.catalogue.document(), 7);
    REQUIRE(kept.digest == story.catalogue.document().digest());

    Catalogue next(story.folder.file("gateway.yaml"));
    REQUIRE(next.read_static().ok());
    REQUIRE(next.adopt(kept));
    const auto entries = story.entries();
    SECTION("the store cannot be read: they stay") {
        const auto reading = next.read(Catalogue::Files::routes_only);
        REQUIRE(reading.document);
        REQUIRE(reading.document->digest() == kept.digest);
        REQUIRE(reading.difference.empty());
    }
    SECTION("the store says the same") {
        const auto reading = next.read(Catalogue::Files::routes_only, &entries);
        REQUIRE(reading.document);
        REQUIRE(reading.document->digest() == kept.digest);
    }
    SECTION("the store says otherwise") {
        const std::vector<store::Entry> none;
        auto reading = next.read(Catalogue::Files::routes_only, &none);
        REQUIRE(reading.document);
        next.accept(std::move(reading));
        REQUIRE_FALSE(next.document().find(Kind::route, "p"));
    }
    SECTION("the route file cannot be read: the store counts") {
        story.write("routes.yaml", "routes: 5\n");
        const std::vector<store::Entry> none;
        auto reading = next.read(Catalogue::Files::routes_only, &none);
        REQUIRE_FALSE(reading.document);
        next.fall_back(reading);
        REQUIRE(reading.document->find(Kind::route, "1"));
        REQUIRE_FALSE(reading.document->find(Kind::route, "p"));
    }
}

TEST_CASE("catalogue: an object of the store that the checks refuse is left out and told",
          "[process][control_catalogue]") {
    Story story;
    const auto bad = std::make_shared<const store::Stored>(store::Stored{Kind::route, "bad", R"({"uri":5})", 1, 1, 0});
    const std::vector<store::Entry> entries{{bad, std::uint64_t{1} << 63}};
    auto reading = story.catalogue.read(Catalogue::Files::routes_only, &entries);
    REQUIRE(reading.document);
    REQUIRE_FALSE(reading.hidden.empty());
    REQUIRE(reading.hidden[0].find("routes/bad uri: ") != std::string::npos);
    story.catalogue.accept(std::move(reading));
    REQUIRE_FALSE(story.catalogue.document().find(Kind::route, "bad"));
    REQUIRE(story.catalogue.find(Kind::route, "bad"));
    story.catalogue.accept(story.put(Kind::route, "bad", object));
    REQUIRE(story.catalogue.document().find(Kind::route, "bad"));
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
    const Draft draft = story.remove(Kind::consumer, "jack");
    REQUIRE(draft.changes().size() == 2);
    REQUIRE(draft.after == before);
    story.catalogue.accept(draft);
    REQUIRE(story.catalogue.document().digest() == before);
    REQUIRE_FALSE(story.catalogue.document().find(Kind::consumer, "jack/credentials/c1"));
    REQUIRE(story.put_consumer("rose", auth("k1")).empty());
}

TEST_CASE("catalogue: who names whom is known after every change", "[process][control_catalogue]") {
    Story story;
    const auto user = [&story] {
        return story.catalogue.indexes().references.first_user(Kind::service, "s", Kind::route, sources::Use::member);
    };
    CHECK(user().empty());
    story.write("routes.yaml", std::string(one_route) + "  - id: 2\n    uri: /b\n    service_id: s\n");
    story.take();
    CHECK(user() == "2");
    story.catalogue.accept(story.put(Kind::route, "11", R"({"uri":"/c","service_id":"s"})"));
    CHECK(user() == "11");
    story.catalogue.accept(story.put(Kind::route, "11", R"({"uri":"/c","service_id":"t"})"));
    CHECK(user() == "2");
    story.catalogue.accept(story.put(Kind::route, "11", R"({"uri":"/c","service_id":"s"})"));
    story.catalogue.accept(story.remove(Kind::route, "11"));
    CHECK(user() == "2");
    story.write("routes.yaml", one_route);
    story.take();
    CHECK(user().empty());
}

TEST_CASE("catalogue: an object of the store that is refused still uses what it names",
          "[process][control_catalogue]") {
    Story story;
    const store::Stored refused{Kind::route, "r", R"({"uri":5,"service_id":"s"})", 1, 1, 0};
    const std::vector<store::Entry> entries{{std::make_shared<const store::Stored>(refused), 1}};
    story.catalogue.accept(story.catalogue.read(Catalogue::Files::routes_only, &entries));
    const auto user = [&story] {
        return story.catalogue.indexes().references.first_user(Kind::service, "s", Kind::route, sources::Use::member);
    };
    CHECK(user() == "r");
    story.catalogue.accept(story.remove(Kind::route, "r"));
    CHECK(user().empty());
}

TEST_CASE("catalogue: ends are known in their order, and forgotten with their object", "[process][control_catalogue]") {
    Story story;
    const auto put_until = [&story](const std::string& id, std::int64_t end) {
        Draft draft = draft_of(story.catalogue, {{Kind::route, id, object, std::nullopt, end, 0}});
        draft.stamp(7);
        story.catalogue.accept(draft);
    };
    put_until("late", 2000);
    put_until("soon", 1000);
    CHECK(story.catalogue.next_expiry() == 1000);
    CHECK(story.catalogue.ended(999).empty());
    CHECK(story.catalogue.ended(1000) == std::set<Catalogue::Key>{{Kind::route, "soon"}});
    CHECK(story.catalogue.ended(5000).size() == 2);
    put_until("soon", 0);
    CHECK(story.catalogue.next_expiry() == 2000);
    story.catalogue.accept(story.remove(Kind::route, "late"));
    CHECK(story.catalogue.next_expiry() == 0);
}

TEST_CASE("catalogue: the route to the Admin API belongs to no file and no store", "[process][control_admin_route]") {
    Story story;
    story.write("gateway.yaml",
                "apisix: {compat: {admin_on_node_listen: true}}\n"
                "deployment: {admin: {admin_listen: {ip: 0.0.0.0, port: 9180}, allow_admin: [10.0.0.0/8]}}\n");
    Catalogue::Reading reading = story.catalogue.read(Catalogue::Files::both);
    REQUIRE(reading.document);
    story.catalogue.accept(std::move(reading));
    const auto route = story.catalogue.document().find(Kind::route, admin_route_id);
    REQUIRE(route);
    CHECK(route->json ==
          R"({"id":"gateway.admin_on_node_listen","uris":["/apisix/admin","/apisix/admin/*"],"priority":2147483647,)"
          R"("upstream":{"nodes":[{"host":"127.0.0.1","port":9180,"weight":1}],"retries":0},)"
          R"("remote_addrs":["10.0.0.0/8"]})");
    config::Errors errors;
    config::check_object(Kind::route, json::parse(route->json), errors);
    CHECK(errors.empty());
    CHECK(story.catalogue.list(Kind::route).size() == 1);
    Catalogue next(story.folder.file("gateway.yaml"));
    REQUIRE(next.read_static().ok());
    REQUIRE(next.adopt(encode_full(story.catalogue.document(), 9)));
    CHECK(next.list(Kind::route).size() == 1);
    CHECK(next.document().find(Kind::route, admin_route_id));
    story.write("gateway.yaml", "");
    reading = story.catalogue.read(Catalogue::Files::both);
    REQUIRE(reading.document);
    CHECK_FALSE(reading.document->find(Kind::route, admin_route_id));
}
