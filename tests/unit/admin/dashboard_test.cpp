#include "libgateway/admin/dashboard.hpp"

#include "libgateway/admin/ui_page.hpp"
#include "tests/support/admin_client.hpp"
#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::test;
using admin::ListQuestion;
using control::Answer;
using control::Status;

namespace {

// Notes what it is asked, and answers that.
class NotingDashboard final : public admin::Dashboard {
public:
    json::Value status() const override { return json::Value::object({{"state", "ready"}}); }
    Coming routes(ListQuestion question) override { return tell("routes", question); }
    Coming upstreams(ListQuestion question) override { return tell("upstreams", question); }
    Coming history(std::uint64_t most) override { return tell("history " + std::to_string(most)); }
    Coming revision(std::uint64_t number) override { return tell("revision " + std::to_string(number)); }
    Coming explain(json::Value arguments) override { return tell("explain " + json::write(arguments)); }
    Coming roll_back(std::uint64_t number, store::Author author) override {
        return tell("roll back " + std::to_string(number) + " by " + author.name + " from " + author.from);
    }
    Answer answer{Status::ok, {}, R"({"done":true})"};
    std::vector<std::string> asked;

private:
    Coming tell(std::string what, const ListQuestion& question) {
        return tell(what + " " + question.filter + " " + std::to_string(question.from) + " " +
                    std::to_string(question.most));
    }
    Coming tell(std::string what) {
        asked.push_back(what);
        co_return answer;
    }
};

struct House {
    House() { client.api.show(dashboard); }
    admin::Reply ask(std::string method, std::string path, std::string key = "secret") {
        return client.raw({std::move(method),
                           "/apisix/admin/ui" + std::move(path),
                           {},
                           {{"X-API-KEY", std::move(key)}},
                           "127.0.0.1"});
    }
    admin::Reply page(std::string path, admin::Fields fields = {}, std::string method = "GET") {
        return client.raw({std::move(method), std::move(path), {}, std::move(fields), "127.0.0.1"});
    }
    NotingDashboard dashboard;
    AdminClient client;
};

}  // namespace

TEST_CASE("dashboard: each question reaches control with its parameters", "[admin][dashboard]") {
    House house;
    const auto [path, asked] = GENERATE(table<std::string, std::string>({
        {"/routes", "routes  0 50"},
        {"/routes?filter=a%20b&from=20&most=10", "routes a b 20 10"},
        {"/routes?from=x&most=9999", "routes  0 200"},
        {"/upstreams?filter=u", "upstreams u 0 50"},
        {"/revisions", "history 20"},
        {"/revisions?most=100000", "history 500"},
        {"/revisions/7", "revision 7"},
        {"/explain?method=GET&url=/a&headers=a%3A%20b%0A%0A%20c:d&from=::1",
         R"(explain {"method":"GET","url":"/a","from":"::1","headers":["a: b","c:d"]})"},
    }));
    INFO(path);
    const auto reply = house.ask("GET", path);
    REQUIRE(reply.status == 200);
    REQUIRE(reply.body == "{\"done\":true}\n");
    REQUIRE(house.dashboard.asked == std::vector<std::string>{asked});
}

TEST_CASE("dashboard: the status tells whose key it was and what it may do", "[admin][dashboard]") {
    House house;
    REQUIRE_THAT(house.ask("GET", "/status").body, contains(R"("key":{"name":"admin","role":"admin"})"));
    REQUIRE_THAT(house.ask("GET", "/status", "looking").body, contains(R"("key":{"name":"reader","role":"viewer"})"));
}

TEST_CASE("dashboard: a rollback is an admin's, under the name of the key", "[admin][dashboard]") {
    House house;
    REQUIRE(house.ask("POST", "/revisions/3/rollback").status == 200);
    REQUIRE(house.dashboard.asked == std::vector<std::string>{"roll back 3 by admin from 127.0.0.1"});
    const auto refused = house.ask("POST", "/revisions/3/rollback", "looking");
    REQUIRE(refused.status == 401);
    REQUIRE_THAT(refused.body, contains("invalid method for role viewer"));
    REQUIRE(house.ask("GET", "/revisions/3/rollback").status == 405);
    REQUIRE(house.dashboard.asked.size() == 1);
}

TEST_CASE("dashboard: nothing is told without a key", "[admin][dashboard]") {
    House house;
    for (const char* path : {"/status", "/routes", "/upstreams", "/revisions", "/revisions/1", "/explain"}) {
        REQUIRE(house.ask("GET", path, "wrong").status == 401);
        REQUIRE(house.page(std::string("/apisix/admin/ui") + path).status == 401);
    }
    REQUIRE(house.dashboard.asked.empty());
}

TEST_CASE("dashboard: what is not there is 404, other methods are 405", "[admin][dashboard]") {
    House house;
    for (const char* path :
         {"", "/", "/nothing", "/status/1", "/routes/1", "/revisions/x", "/revisions/1/2", "/revisions/-1"})
        CHECK(house.ask("GET", path).status == 404);
    CHECK(house.ask("PUT", "/routes").status == 405);
    CHECK(house.ask("POST", "/revisions/x/rollback").status == 405);
    CHECK(house.ask("DELETE", "/revisions/1").status == 405);
    REQUIRE(house.dashboard.asked.empty());
}

TEST_CASE("dashboard: refusals of control keep their words", "[admin][dashboard]") {
    House house;
    house.dashboard.answer = {Status::refused, {"one", "two"}, "null"};
    const auto refused = house.ask("GET", "/revisions/1");
    REQUIRE(refused.status == 400);
    REQUIRE(refused.body == "{\"error_msg\":\"one\\ntwo\"}\n");
    house.dashboard.answer = {Status::not_ready, {"loading"}, "null"};
    REQUIRE(house.ask("GET", "/routes").status == 503);
    house.dashboard.answer = {Status::not_ready, {}, R"({"lagging":[1]})"};
    REQUIRE(house.ask("POST", "/revisions/1/rollback").status == 200);
}

TEST_CASE("dashboard: the page needs no key, and its files name nothing outside", "[admin][ui_page]") {
    House house;
    const auto index = house.page("/ui/");
    REQUIRE(index.status == 200);
    REQUIRE(index.content_type == "text/html; charset=utf-8");
    REQUIRE(field_of(index, "Content-Security-Policy").find("default-src 'none'; script-src 'self'") == 0);
    REQUIRE(field_of(index, "Cache-Control") == "no-cache");
    REQUIRE(field_of(index, "X-Content-Type-Options") == "nosniff");
    REQUIRE(admin::ui_files().size() > 5);
    for (const admin::UiFile& file : admin::ui_files()) {
        INFO(file.name);
        REQUIRE(house.page("/ui/" + std::string(file.name)).body == file.text);
        const bool icon = file.name == "icon.svg";  // the name of its language is an address
        REQUIRE((icon || file.text.find("//www") == file.text.npos));
        REQUIRE(file.text.find("https:") == file.text.npos);
        REQUIRE(file.text.find("innerHTML") == file.text.npos);
        REQUIRE(file.text.find("style=\"") == file.text.npos);
        REQUIRE(file.text.find("eval(") == file.text.npos);
    }
}

TEST_CASE("dashboard: who has a file already is not sent it again", "[admin][ui_page]") {
    House house;
    const std::string tag = field_of(house.page("/ui/main.js"), "ETag");
    REQUIRE(tag.size() == 34);
    const auto known = house.page("/ui/main.js", {{"If-None-Match", "\"old\", " + tag}});
    REQUIRE(known.status == 304);
    REQUIRE(known.body.empty());
    REQUIRE(field_of(known, "ETag") == tag);
    REQUIRE(house.page("/ui/main.js", {{"If-None-Match", "\"old\""}}).status == 200);
    REQUIRE(house.page("/ui/style.css", {{"If-None-Match", tag}}).status == 200);
}

TEST_CASE("dashboard: the page answers GET and HEAD below /ui/ alone", "[admin][ui_page]") {
    House house;
    const auto moved = house.page("/ui");
    REQUIRE(moved.status == 301);
    REQUIRE(field_of(moved, "Location") == "/ui/");
    REQUIRE(house.page("/ui/", {}, "HEAD").status == 200);
    REQUIRE(house.page("/ui/", {}, "POST").status == 405);
    REQUIRE(house.page("/ui/nothing.js").status == 404);
    REQUIRE(house.page("/ui/../ui/main.js").status == 404);
    REQUIRE(house.page("/uix").status == 404);
}

TEST_CASE("dashboard: its setting switches off the page and what it asks for", "[admin][ui_page]") {
    House house;
    auto settings = open_settings();
    settings.ui = false;
    house.client.api.use(settings);
    REQUIRE(house.page("/ui/").status == 404);
    REQUIRE(house.page("/ui").status == 404);
    REQUIRE(house.ask("GET", "/status").status == 404);
    AdminClient without;
    REQUIRE(without.raw({"GET", "/ui/", {}, {}, "127.0.0.1"}).status == 404);
}

TEST_CASE("dashboard: only networks that are let in see the page", "[admin][ui_page]") {
    House house;
    REQUIRE(house.client.raw({"GET", "/ui/", {}, {}, "192.0.2.1"}).status == 403);
}
