// The set of plugins as a whole: complete, unique, documented.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "libgateway/plugin/describe.hpp"
#include "libgateway/plugin/registry.hpp"
#include "libplugins/test_slow_body/test_slow_body.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_exchange.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

// Plugins by the folders that hold them.
std::vector<std::string> folders() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(std::string(GATEWAY_SOURCE_DIR) + "/libplugins")) {
        std::string name = entry.path().filename().string();
        if (!entry.is_directory() || name == "common") continue;
        std::replace(name.begin(), name.end(), '_', '-');
        names.push_back(std::move(name));
    }
    return names;
}

std::string read_file(const std::string& path) {
    std::ifstream in(std::string(GATEWAY_SOURCE_DIR) + path);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace

TEST_CASE("plugins: every folder of libplugins is in the registry", "[plugins][registry]") {
    const auto names = folders();
    REQUIRE(names.size() >= 9);
    for (const std::string& name : names) {
        INFO(name);
        const bool for_tests = name.rfind("test-", 0) == 0;
        CHECK((plugin_registry().find(name) != nullptr) == (!for_tests || plugins::test_plugins_wanted()));
    }
}

TEST_CASE("plugins: names and priorities are unique", "[plugins][registry]") {
    CHECK(plugin_registry().problem() == "");
}

TEST_CASE("plugins: priorities are those of the specification", "[plugins][registry]") {
    const std::map<std::string, int> expected{{"request-id", 12015},
                                              {"fault-injection", 11000},
                                              {"mocking", 10900},
                                              {"ip-restriction", 3000},
                                              {"proxy-rewrite", 1008},
                                              {"redirect", 900},
                                              {"response-rewrite", 899},
                                              {"echo", 412},
                                              {"cors", 4000},
                                              {"ua-restriction", 2999},
                                              {"referer-restriction", 2990},
                                              {"csrf", 2980},
                                              {"uri-blocker", 2900},
                                              {"client-control", 22000},
                                              {"real-ip", 23000},
                                              {"request-validation", 2800},
                                              {"gzip", 995},
                                              {"public-api", 501},
                                              {"forward-auth", 2002},
                                              {"proxy-mirror", 1010},
                                              {"traffic-split", 966},
                                              {"multi-auth", 2600},
                                              {"basic-auth", 2520},
                                              {"key-auth", 2500},
                                              {"consumer-restriction", 2400},
                                              {"jwt-auth", 2510},
                                              {"hmac-auth", 2530}};
    for (const auto& [name, priority] : expected) {
        INFO(name);
        REQUIRE(plugin_registry().find(name));
        CHECK(plugin_registry().find(name)->priority == priority);
    }
}

TEST_CASE("plugins: every setting is documented in the schema and on the plugin's page", "[plugins][registry]") {
    for (const PluginType& type : plugin_registry().types()) {
        const std::string page = read_file("/docs/plugins/" + std::string(type.name) + ".md");
        INFO(type.name);
        REQUIRE_FALSE(page.empty());
        CHECK(page.find("priority " + std::to_string(type.priority)) != std::string::npos);
        std::vector<config::SchemaTable> schemas{type.schema()};
        if (type.credential_schema) schemas.push_back(type.credential_schema());
        if (type.metadata_schema) schemas.push_back(type.metadata_schema());
        for (const config::SchemaTable& schema : schemas) {
            for (const config::Row& row : schema.rows()) {
                INFO(row.name);
                CHECK_FALSE(row.doc.empty());
                CHECK(page.find("`" + row.name + "`") != std::string::npos);
            }
        }
    }
}

TEST_CASE("plugins: README and the list of pages name every plugin", "[plugins][registry]") {
    const std::string readme = read_file("/README.md"), list = read_file("/docs/plugins/README.md");
    for (const PluginType& type : plugin_registry().types()) {
        if (type.name.starts_with("test-")) continue;
        const std::string page(std::string(type.name) + ".md)");
        INFO(page);
        CHECK(readme.find("](docs/plugins/" + page) != std::string::npos);
        CHECK(list.find("](" + page) != std::string::npos);
    }
}

TEST_CASE("test-slow-body: holds every piece of the body, passes it unchanged", "[plugins][test_slow_body]") {
    BuildScope scope{"routes/1"};
    const auto instance = make_instance(plugins::test_slow_body_type(), json::parse(R"({"delay_ms":30})"), scope);
    FakeExchange exchange;
    const Seen& answer = exchange.run(*Chain::make({instance}), {200, {}, {"a", "b", "c"}, true});
    CHECK(answer.body == "abc");
    CHECK(exchange.own_services.slept == Milliseconds(90));
}
