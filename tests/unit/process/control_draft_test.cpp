#include "libgateway/process/control_draft.hpp"

#include <fstream>

#include "tests/unit/process/control_fakes.hpp"

using namespace gateway;
using namespace gateway::process;
using namespace gateway::process::test;
using config::Kind;
using store::WriteStatus;

namespace {

std::string route(std::string_view uri) {
    return R"({"uri":")" + std::string(uri) + R"(","upstream":{"nodes":{"127.0.0.1:80":1}}})";
}
store::Edit put(std::string id, std::string json) {
    return {Kind::route, std::move(id), std::move(json), std::nullopt, 0, 0};
}
store::Edit removal(std::string id) {
    return {Kind::route, std::move(id), std::nullopt, std::nullopt, 0, 0};
}

struct Story {
    Story() : catalogue(folder.file("gateway.yaml")) {
        std::ofstream(folder.file("gateway.yaml")) << "";
        std::ofstream(folder.file("routes.yaml"))
            << "routes:\n  - {id: f, uri: /file, upstream: {nodes: {\"127.0.0.1:80\": 1}}}\n";
        REQUIRE(catalogue.read_static().ok());
        catalogue.accept(catalogue.read(Catalogue::Files::routes_only));
    }
    Draft draft(std::vector<store::Edit> edits) const { return draft_of(catalogue, edits); }
    // Carries it out as revision `number`.
    void take(std::uint64_t number, const std::vector<store::Edit>& edits) {
        Draft draft = draft_of(catalogue, edits);
        REQUIRE(draft.errors.empty());
        draft.stamp(number);
        catalogue.accept(draft);
    }
    const store::Stored& stored(const std::string& id) const { return *catalogue.find(Kind::route, id)->object; }
    TemporaryFolder folder;
    Catalogue catalogue;
};

}  // namespace

TEST_CASE("draft: what is stored is what was written, with id and times", "[process][control_draft]") {
    Story story;
    story.take(7, {put("a", route("/a"))});
    const json::Value kept = json::parse(story.stored("a").json);
    CHECK(kept.find("uri")->string() == "/a");
    CHECK(kept.find("id")->string() == "a");
    CHECK(kept.find("create_time")->as_int64() == kept.find("update_time")->as_int64());
    CHECK_FALSE(kept.find("priority"));
    CHECK(story.stored("a").created == 7);
    CHECK(story.stored("a").modified == 7);
}

TEST_CASE("draft: a replaced object keeps when it was made, and its rank", "[process][control_draft]") {
    Story story;
    story.take(7, {put("a", R"({"uri":"/a","create_time":5,"upstream":{"nodes":{"127.0.0.1:80":1}}})")});
    story.take(8, {put("b", route("/b"))});
    const std::uint64_t rank = story.catalogue.document().find(Kind::route, "a")->order;
    CHECK(story.catalogue.document().find(Kind::route, "b")->order > rank);
    story.take(9, {put("a", route("/new"))});
    CHECK(story.stored("a").created == 7);
    CHECK(story.stored("a").modified == 9);
    CHECK(json::parse(story.stored("a").json).find("create_time")->as_int64() == 5);
    CHECK(story.catalogue.document().find(Kind::route, "a")->order == rank);
}

TEST_CASE("draft: an expected revision decides", "[process][control_draft]") {
    Story story;
    story.take(7, {put("a", route("/a"))});
    const auto with = [&](std::string id, std::uint64_t expected) {
        store::Edit edit = put(std::move(id), route("/b"));
        edit.expected = expected;
        return story.draft({edit});
    };
    CHECK(with("a", 7).errors.empty());
    CHECK(with("new", 0).errors.empty());
    CHECK(with("a", 6).status == WriteStatus::conflict);
    CHECK(with("a", 6).errors == std::vector<std::string>{"route [a] has revision 7, expected 6"});
    CHECK(with("a", 0).status == WriteStatus::conflict);
    CHECK(with("new", 3).errors == std::vector<std::string>{"route [new] does not exist, expected 3"});
}

TEST_CASE("draft: several edits are one, in any order of who needs whom", "[process][control_draft]") {
    Story story;
    story.take(7, {put("old", route("/old"))});
    const Draft draft = story.draft({{Kind::consumer, "jack/credentials/c1", R"({"id":"c1"})", std::nullopt, 0, 0},
                                     {Kind::consumer, "jack", R"({"username":"jack"})", std::nullopt, 0, 0},
                                     put("a", route("/1")),
                                     put("a", route("/2")),
                                     removal("old")});
    REQUIRE(draft.errors.empty());
    CHECK(draft.steps.size() == 4);
    CHECK(draft.changes().size() == 4);
    story.catalogue.accept(draft);
    CHECK(story.catalogue.document().digest() == draft.after);
    CHECK(json::parse(story.stored("a").json).find("uri")->string() == "/2");
    CHECK_FALSE(story.catalogue.find(Kind::route, "old"));
}

TEST_CASE("draft: one wrong edit refuses all, and every wrong one is told", "[process][control_draft]") {
    Story story;
    const Draft draft = story.draft({put("a", route("/a")), put("b", R"({"uri":5})"), removal("none"),
                                     put("f", route("/x")), put("c", R"({"uri":"/c","urii":1})")});
    CHECK(draft.status == WriteStatus::refused);
    CHECK(draft.errors.size() >= 4);
    CHECK(story.draft({put("f", route("/x"))}).status == WriteStatus::owned);
}

TEST_CASE("draft: an object of the file that says the same is passed over if that is asked for",
          "[process][control_draft]") {
    Story story;
    const std::vector<store::Edit> same{put("f", R"({"id":"f","uri":"/file","update_time":9,)"
                                                 R"("upstream":{"nodes":{"127.0.0.1:80":1}}})")};
    CHECK(draft_of(story.catalogue, same).status == WriteStatus::owned);
    const Draft passed = draft_of(story.catalogue, same, Owned::pass_over_same);
    CHECK(passed.errors.empty());
    CHECK(passed.steps.empty());
    CHECK(draft_of(story.catalogue, {put("f", route("/other"))}, Owned::pass_over_same).status == WriteStatus::owned);
}

TEST_CASE("draft: the difference holds both sides, the store's part what is to be written",
          "[process][control_draft]") {
    Story story;
    story.take(7, {put("a", route("/a")), put("b", route("/b"))});
    Draft draft = story.draft({put("a", route("/2")), removal("b"), put("c", route("/c"))});
    draft.stamp(8);
    store::Store::Write write;
    draft.fill(write);
    CHECK(write.put.size() == 2);
    REQUIRE(write.erased.size() == 1);
    CHECK(write.erased[0].second == "b");
    REQUIRE(write.difference.size() == 3);
    CHECK(write.difference[0].before->json == story.stored("a").json);
    CHECK(write.difference[0].after->json.find("/2") != std::string::npos);
    CHECK_FALSE(write.difference[1].after);
    CHECK_FALSE(write.difference[2].before);
}

TEST_CASE("draft: an object is brought back to its rank", "[process][control_draft]") {
    Story story;
    story.take(7, {put("a", route("/a")), put("b", route("/b"))});
    const config::Digest before = story.catalogue.document().digest();
    const store::Stored kept = story.stored("a");
    const std::uint64_t rank = story.catalogue.shelf().at({Kind::route, "a"}).order;
    story.take(8, {removal("a")});
    CHECK(story.catalogue.document().digest() != before);
    store::Edit back = put("a", kept.json);
    back.rank = rank;
    story.take(9, {back});
    CHECK(story.catalogue.document().digest() == before);
    CHECK(story.stored("a").json == kept.json);
}

TEST_CASE("draft: the earliest end is known", "[process][control_draft]") {
    Story story;
    CHECK(story.catalogue.next_expiry() == 0);
    store::Edit late = put("late", route("/l")), soon = put("soon", route("/s"));
    late.expires_ms = 2000;
    soon.expires_ms = 1000;
    story.take(7, {late, soon});
    CHECK(story.catalogue.next_expiry() == 1000);
    story.take(8, {removal("soon")});
    CHECK(story.catalogue.next_expiry() == 2000);
    story.take(9, {put("late", route("/l"))});
    story.take(10, {removal("late")});
    CHECK(story.catalogue.list(Kind::route).size() == 1);
}

TEST_CASE("draft: a consumer and its credentials go together, whichever is named first", "[process][control_draft]") {
    Story story;
    const auto consumer = [](std::string id, std::optional<std::string> json) {
        return store::Edit{Kind::consumer, std::move(id), std::move(json), std::nullopt, 0, 0};
    };
    story.take(7, {consumer("jack", R"({"username":"jack"})"), consumer("jack/credentials/c", R"({"id":"c"})")});
    std::vector<store::Edit> both{consumer("jack", std::nullopt), consumer("jack/credentials/c", std::nullopt)};
    both[1].expected = 7;
    CHECK(story.draft(both).errors.empty());
    std::swap(both[0], both[1]);
    const Draft draft = story.draft(both);
    CHECK(draft.errors.empty());
    CHECK(draft.steps.size() == 2);
    story.catalogue.accept(draft);
    CHECK(story.draft({consumer("jack", std::nullopt)}).errors ==
          std::vector<std::string>{"consumer [jack] does not exist"});
}

TEST_CASE("draft: a credential is stored under the last part of its id", "[process][control_draft]") {
    Story story;
    story.take(7, {{Kind::consumer, "jack", R"({"username":"jack"})", std::nullopt, 0, 0},
                   {Kind::consumer, "jack/credentials/c", R"({"id":"jack/credentials/c"})", std::nullopt, 0, 0}});
    const auto kept = story.catalogue.find(Kind::consumer, "jack/credentials/c");
    REQUIRE(kept);
    CHECK(json::parse(kept->object->json).find("id")->string() == "c");
}
