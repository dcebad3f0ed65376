// Any sequence of calls, restarts and kills leaves what a model says: Admin API, gatewayctl, route file and store of
// one gateway together.
#include <signal.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <map>
#include <optional>
#include <random>
#include <thread>

#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/raw_client.hpp"

using namespace gateway::test;
using namespace std::chrono_literals;

namespace {

constexpr int ids = 6;

// What routes answer, by id.
using Routes = std::map<std::string, std::string>;

struct State {
    Routes file, store;
    // What a client gets; the file hides what the store has under the same id.
    std::string answer(const std::string& id) const {
        if (const auto found = file.find(id); found != file.end()) return found->second;
        const auto found = store.find(id);
        return found == store.end() ? std::string() : found->second;
    }
};

std::string object(const std::string& id, const std::string& text) {
    return R"({"uri":"/)" + id + R"(","plugins":{"mocking":{"response_example":")" + text + R"("}}})";
}
std::string item(const std::string& id, const std::string& text) {
    return R"({"id":")" + id + R"(",)" + object(id, text).substr(1);
}
std::string file_of(const Routes& routes) {
    std::string text = "routes:\n";
    for (const auto& [id, answer] : routes) text += "  - " + item(id, answer) + "\n";
    return routes.empty() ? "routes: []\n" : text;
}

// One gateway that is killed and started again in its folder.
class House {
public:
    House() : gateway_({.routes = "routes: []\n", .workers = 2}) { learn(); }

    const GatewayProcess& gateway() const { return gateway_; }
    RunResult ctl(std::vector<std::string> command) const { return gateway_.ctl(std::move(command), 60s); }
    int admin(std::string_view method, const std::string& id, std::string_view body = {}) const {
        const std::string fields = "X-API-KEY: " + key_ + "\r\n";
        const Message answer = fetch(admin_port_, method, "/apisix/admin/routes/" + id, fields, body);
        UNSCOPED_INFO(method << " " << id << ": " << answer.body);
        return answer.status();
    }
    RunResult apply(const Routes& routes, std::vector<std::string> options = {}) const {
        const std::string file = gateway_.folder().write("applied.yaml", file_of(routes)).string();
        options.insert(options.begin(), "apply");
        options.push_back(file);
        return ctl(std::move(options));
    }
    std::string answer(const std::string& id) const {
        const Message found = fetch(port_, "GET", "/" + id);
        return found.status() == 200 ? found.body : "";
    }
    std::uint64_t newest() const {
        const auto rows = boost::json::parse(ctl({"--json", "history", "-n", "1"}).out).at("result");
        return rows.at(0).at("revision").to_number<std::uint64_t>();
    }

    void restart(int signal) {
        Process& master = again_ ? *again_ : gateway_.master();
        if (signal == SIGKILL) {
            ::kill(-master.pid(), SIGKILL);
        } else {
            master.signal(signal);
            REQUIRE(eventually([&] { return !master.running(); }, 20s));
        }
        again_.reset();
        again_.emplace(std::vector<std::string>{program("gatewayd"), "-c", gateway_.config()},
                       gateway_.folder() / ("output" + std::to_string(++starts_)),
                       std::vector<std::string>{"LOGS_DIRECTORY=" + (gateway_.folder() / ".").string()});
        recover();
    }
    void kill_control() {
        const pid_t before = gateway_.control();
        ::kill(before, SIGKILL);
        const auto replaced = [&] {
            const pid_t now = gateway_.control();
            return now > 0 && now != before;
        };
        REQUIRE(eventually(replaced, 20s));
        recover();
    }
    void kill_worker() {
        const std::vector<pid_t> before = gateway_.workers();
        REQUIRE_FALSE(before.empty());
        ::kill(before[0], SIGKILL);
        const auto replaced = [&] {
            const std::vector<pid_t> now = gateway_.workers();
            return now.size() == 2 && std::find(now.begin(), now.end(), before[0]) == now.end();
        };
        REQUIRE(eventually(replaced, 20s));
        recover();
    }

private:
    void recover() {
        REQUIRE(eventually([&] { return gateway_.ready() && gateway_.status().at("state") == "ready"; }, 30s));
        learn();
        REQUIRE(eventually([&] { return admin("GET", "") != 503; }, 20s));
    }
    void learn() {
        port_ = gateway_.status().at("listeners").at(0).at("port").to_number<std::uint16_t>();
        admin_port_ = gateway_.admin_port();
        key_ = gateway_.admin_key();
    }

    GatewayProcess gateway_;
    std::optional<Process> again_;
    int starts_ = 0;
    std::uint16_t port_ = 0, admin_port_ = 0;
    std::string key_;
};

bool done(const RunResult& result) {
    UNSCOPED_INFO(result.out);
    return result.exit == 0 || result.exit == 4;  // on a busy machine a worker may lag
}

// The gateway and what it should be, changed together.
class Story {
public:
    explicit Story(unsigned seed) : random_(seed) { remember(); }

    void step() {
        switch (random_() % 9) {
            case 0:
                return put();
            case 1:
                return remove();
            case 2:
                return patch();
            case 3:
                return apply(false);
            case 4:
                return apply(true);
            case 5:
                return rollback();
            case 6:
                return change_file();
            case 7:
                return tried();
            default:
                return torn();
        }
    }
    void disturb() {
        switch (random_() % 4) {
            case 0:
                house_.restart(SIGKILL);
                break;
            case 1:
                house_.restart(SIGTERM);
                break;
            case 2:
                house_.kill_worker();
                break;
            default:
                house_.kill_control();
        }
        remember();
    }
    void check() {
        for (int i = 0; i < ids; ++i) {
            const std::string id = "r" + std::to_string(i);
            INFO(log_ << house_.gateway().log());
            // Either worker.
            for (int n = 0; n < 4; ++n) REQUIRE(house_.answer(id) == state_.answer(id));
            REQUIRE(house_.admin("GET", id) == (state_.answer(id).empty() ? 404 : 200));
        }
    }

private:
    std::string some_id() { return "r" + std::to_string(random_() % ids); }
    std::string some_text() { return "t" + std::to_string(random_() % 1000); }
    Routes some_routes() {
        Routes routes;
        for (unsigned i = random_() % 3 + 1; i != 0; --i) routes[some_id()] = some_text();
        return routes;
    }
    bool owned(const std::string& id) const { return state_.file.count(id) != 0; }
    bool stored(const std::string& id) const { return state_.store.count(id) != 0; }
    void note(const std::string& text) { log_ += text + "\n"; }
    // What was so at the newest revision.
    void remember() {
        const std::uint64_t number = house_.newest();
        INFO(log_);
        REQUIRE(number >= last_);
        last_ = number;
        history_[number] = state_;
    }

    void put() {
        const std::string id = some_id(), text = some_text();
        note("put " + id + " " + text);
        if (random_() % 2) {
            const int wanted = owned(id) ? 400 : stored(id) ? 200 : 201;
            REQUIRE(house_.admin("PUT", id, object(id, text)) == wanted);
        } else {
            const std::string file = house_.gateway().folder().write("object.json", object(id, text)).string();
            REQUIRE(done(house_.ctl({"put", "route", id, file})) == !owned(id));
        }
        if (!owned(id)) state_.store[id] = text;
        remember();
    }
    void remove() {
        const std::string id = some_id();
        note("delete " + id);
        if (random_() % 2) {
            REQUIRE(house_.admin("DELETE", id) == (owned(id) ? 400 : stored(id) ? 200 : 404));
        } else {
            REQUIRE(done(house_.ctl({"delete", "route", id})) == (stored(id) && !owned(id)));
        }
        if (!owned(id)) state_.store.erase(id);
        remember();
    }
    void patch() {
        const std::string id = some_id(), text = some_text();
        note("patch " + id + " " + text);
        const int wanted = owned(id) ? 400 : stored(id) ? 200 : 404;
        REQUIRE(house_.admin("PATCH", id, R"({"plugins":{"mocking":{"response_example":")" + text + R"("}}})") ==
                wanted);
        if (wanted == 200) state_.store[id] = text;
        remember();
    }
    void apply(bool prunes) {
        const Routes routes = some_routes();
        note("apply" + std::string(prunes ? " --prune" : "") + "\n" + file_of(routes));
        const bool fits = std::all_of(routes.begin(), routes.end(), [&](const auto& one) {
            return !owned(one.first) || state_.file.at(one.first) == one.second;
        });
        const std::vector<std::string> options =
            prunes ? std::vector<std::string>{"--prune"} : std::vector<std::string>();
        REQUIRE(done(house_.apply(routes, options)) == fits);
        if (fits) take(routes, prunes);
        remember();
    }
    void take(const Routes& routes, bool prunes) {
        if (prunes)
            std::erase_if(state_.store, [&](const auto& one) { return !routes.count(one.first) && !owned(one.first); });
        for (const auto& [id, text] : routes) {
            if (!owned(id)) state_.store[id] = text;
        }
    }
    // Refused if the file would have to change, or an object of the store that the file hides.
    void rollback() {
        auto then = history_.begin();
        std::advance(then, static_cast<std::ptrdiff_t>(random_() % history_.size()));
        note("rollback " + std::to_string(then->first));
        bool possible = then->second.file == state_.file;
        for (int i = 0; i < ids; ++i) {
            const std::string id = "r" + std::to_string(i);
            const auto now = state_.store.find(id), past = then->second.store.find(id);
            const bool same = (now == state_.store.end()) == (past == then->second.store.end()) &&
                              (now == state_.store.end() || now->second == past->second);
            // The times of a hidden object may differ though its answer does not: then either is right.
            if (!same && owned(id)) possible = false;
        }
        const RunResult result = house_.ctl({"rollback", std::to_string(then->first)});
        INFO(log_ << result.out);
        const bool hidden = result.out.find("is defined in") != std::string::npos;
        REQUIRE((done(result) == possible || hidden));
        if (done(result)) state_.store = then->second.store;
        remember();
    }
    void change_file() {
        const Routes routes = random_() % 3 ? some_routes() : Routes();
        note("route file\n" + file_of(routes));
        house_.gateway().folder().write("routes.yaml", file_of(routes));
        REQUIRE(done(house_.ctl({"reload"})));
        state_.file = routes;
        remember();
    }
    // On trial, and then kept or taken back, with a death of control between.
    void tried() {
        const State before = state_;
        Routes routes{{"r0", some_text()}};
        if (owned("r0")) return;
        note("apply --confirm-within\n" + file_of(routes));
        REQUIRE(done(house_.apply(routes, {"--confirm-within", "1h"})));
        take(routes, false);
        const std::uint64_t from = last_;
        remember();
        if (random_() % 2) house_.kill_control();
        REQUIRE(house_.apply(routes, {"--confirm-within", "1h"}).exit == 1);
        if (random_() % 2) {
            note("confirm");
            REQUIRE(done(house_.ctl({"confirm"})));
        } else {
            note("rollback " + std::to_string(from));
            REQUIRE(done(house_.ctl({"rollback", std::to_string(from)})));
            state_ = before;
        }
        remember();
    }
    // Control dies during a write: all of it is there, or nothing of it, and all if it was acknowledged.
    void torn() {
        const std::string id = some_id(), text = some_text();
        if (owned(id)) return;
        note("torn put " + id + " " + text);
        const std::string file = house_.gateway().folder().write("torn.json", object(id, text)).string();
        RunResult put;
        std::thread writer([&] { put = house_.ctl({"put", "route", id, file}); });
        std::this_thread::yield();
        house_.kill_control();
        writer.join();
        const std::string found = house_.answer(id);
        INFO(log_ << "exit " << put.exit << ", found " << found << put.out);
        const bool acknowledged = done(put) && put.out.find("loading") == std::string::npos;
        REQUIRE((found == text || (!acknowledged && found == state_.answer(id))));
        if (found == text) state_.store[id] = text;
        remember();
    }

    std::mt19937 random_;
    House house_;
    State state_;
    std::map<std::uint64_t, State> history_;
    std::uint64_t last_ = 0;
    std::string log_;
};

}  // namespace

TEST_CASE("store: any calls, restarts and kills leave what a model says", "[e2e][store_model]") {
    const unsigned seed = GENERATE(1u, 20261122u);
    INFO("seed " << seed);
    Story story(seed);
    for (int round = 0; round < 6; ++round) {
        for (int i = 0; i < 6; ++i) story.step();
        story.check();
        story.disturb();
        story.check();
    }
}
