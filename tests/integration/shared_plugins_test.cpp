// Plugins in shared objects: built outside of this tree with what an installation gives, loaded, refused, kept.
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/integration/http_story.hpp"
#include "tests/support/catch.hpp"

using namespace gateway::test;

namespace {

// The example of tests/shared_plugin, built once for all stories with the installed headers alone.
class Workshop {
public:
    Workshop() {
        const std::string build = std::filesystem::path(GATEWAY_BIN_DIR).parent_path().string();
        const std::string stage = (folder_ / "stage").string(), made = (folder_ / "made").string();
        must({"cmake", "--install", build, "--component", "development", "--prefix", stage});
        std::filesystem::create_directory(folder_ / "source");
        for (const char* file : {"greeting.cpp", "CMakeLists.txt"}) {
            std::filesystem::copy(std::string(GATEWAY_SOURCE_DIR) + "/tests/shared_plugin/" + file,
                                  folder_ / "source" / file);
        }
        must({"cmake", "-G", "Ninja", "-S", (folder_ / "source").string(), "-B", made, "-DCMAKE_PREFIX_PATH=" + stage,
              std::string("-DCMAKE_CXX_COMPILER=") + GATEWAY_CXX});
        must({"cmake", "--build", made});
        std::ifstream in(made + "/greeting.so", std::ios::binary);
        bytes_.assign(std::istreambuf_iterator<char>(in), {});
        REQUIRE(bytes_.size() > 1000);
    }
    // The object, with one text in the place of another of the same length.
    std::string greeting(std::string_view from = {}, std::string_view to = {}) const {
        std::string copy = bytes_;
        if (!from.empty()) copy.replace(copy.find(from), from.size(), to);
        return copy;
    }

private:
    static void must(std::vector<std::string> command) {
        const RunResult result = run(std::move(command), milliseconds(300000));
        INFO(result.out);
        REQUIRE(result.exit == 0);
    }
    TempDir folder_;
    std::string bytes_;
};

const Workshop& workshop() {
    static const Workshop shop;
    return shop;
}

// A folder of plugins with one file in it, if there is to be one.
class Plugins {
public:
    explicit Plugins(const std::string& content) {
        if (!content.empty()) add("greeting.so", content);
    }
    void add(const std::string& name, const std::string& content, mode_t mode = 0644) const {
        folder_.write(name, content);
        ::chmod((folder_ / name).c_str(), mode);
    }
    GatewayOptions options(const std::string& entry) const {
        GatewayOptions options;
        options.further = "  plugins_dir: " + folder_.path().string() + "\n";  // below `gateway:`
        options.routes = routes(entry);
        return options;
    }
    static std::string routes(const std::string& entry) {
        return "routes:\n  - {id: 1, uri: /, plugins: {mocking: {response_example: made}, " + entry + "}}\n";
    }
    std::string path(const std::string& name) const { return (folder_ / name).string(); }

private:
    TempDir folder_;
};

// What a gateway that does not start says.
std::string last_words(GatewayOptions options) {
    options.wait = false;
    GatewayProcess gateway(options);
    CHECK(eventually([&] { return !gateway.master().running(); }, 10s));
    return gateway.log();
}

}  // namespace

TEST_CASE("shared plugins: one that was built apart is checked, shown, runs, and outlives workers and control",
          "[e2e][shared_plugins]") {
    const Plugins plugins(workshop().greeting());
    GatewayProcess gateway(plugins.options("greeting: {who: rose}"));
    CHECK(fetch(gateway.port(), "GET", "/").field("x-greeting") == "hello, rose");
    CHECK(gateway.ctl({"plugin", "show", "greeting"}).out.find("whom to greet") != std::string::npos);
    CHECK(gateway.ctl({"check"}).exit == 0);
    const RunResult refused = gateway.put("route", "2", R"({"uri":"/2","plugins":{"greeting":{"whom":"x"}}})");
    CHECK(refused.out.find("additional properties forbidden, found whom") != std::string::npos);

    for (const pid_t one : {gateway.workers().at(0), gateway.control()}) {
        ::kill(one, SIGKILL);
        CHECK(eventually([&] { return !alive(one) && gateway.ready(); }, 10s));
    }
    CHECK(gateway.reload(Plugins::routes("greeting: {only: true}")).exit == 0);
    CHECK(eventually([&] { return fetch(gateway.port(), "GET", "/").field("x-greeting") == "hello, stranger"; }, 5s));
}

TEST_CASE("shared plugins: one of another build or ABI is refused with both named", "[e2e][shared_plugins]") {
    const std::string bytes = workshop().greeting();
    const std::size_t at = bytes.find("build=") + 6;
    const std::string build = bytes.substr(at, bytes.find(';', at) - at);
    std::string other = build;
    other[other.find('-') + 1] = other[other.find('-') + 1] == '0' ? '1' : '0';
    const Plugins another_build(workshop().greeting(build, other)), another_abi(workshop().greeting("abi=1", "abi=9"));
    CHECK(last_words(another_build.options("greeting: {}"))
              .find("greeting.so: was built against gateway " + other + ", this is " + build) != std::string::npos);
    CHECK(last_words(another_abi.options("greeting: {}"))
              .find("greeting.so: was built for plugin ABI 9, this gateway has 1") != std::string::npos);
}

TEST_CASE("shared plugins: two of one name, and files that others can write, are refused", "[e2e][shared_plugins]") {
    const Plugins twice(workshop().greeting());
    twice.add("second.so", workshop().greeting());
    CHECK(last_words(twice.options("greeting: {}")).find("second.so: plugin greeting is registered twice") !=
          std::string::npos);
    const Plugins open("");
    open.add("greeting.so", workshop().greeting(), 0666);
    CHECK(last_words(open.options("greeting: {}")).find("greeting.so: can be written by other users") !=
          std::string::npos);
}

TEST_CASE("shared plugins: a reload names files that need a restart, and a new binary takes them",
          "[e2e][shared_plugins]") {
    const Plugins plugins("");
    GatewayProcess gateway(plugins.options("request-id: {}"));
    plugins.add("greeting.so", workshop().greeting());
    const RunResult reload = gateway.ctl({"reload"});
    CHECK(reload.exit == 0);
    CHECK(reload.out.find("needs a restart: " + plugins.path("greeting.so") + " is new") != std::string::npos);
    CHECK(gateway.reload(Plugins::routes("greeting: {}")).exit == 1);
    CHECK(gateway.ctl({"plugin", "show", "greeting"}).exit == 1);

    gateway.write_routes(Plugins::routes("request-id: {}"));
    gateway.master().signal(SIGUSR2);
    CHECK(eventually([&] { return gateway.ctl({"plugin", "show", "greeting"}).exit == 0; }, 20s));
    CHECK(eventually([&] { return gateway.reload(Plugins::routes("greeting: {who: jack}")).exit == 0; }, 20s));
    CHECK(eventually([&] { return fetch(gateway.port(), "GET", "/").field("x-greeting") == "hello, jack"; }, 20s));
}
