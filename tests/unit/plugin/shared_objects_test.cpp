// Which files of plugins_dir are refused, and why; that good ones run is told by the end-to-end stories.
#include "libgateway/plugin/shared_objects.hpp"

#include <sys/stat.h>

#include "libgateway/plugin/shared_object.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

using namespace gateway;

namespace {

std::string marker(std::string_view abi, std::string_view build) {
    return "\x7f"
           "ELF gateway-plugin abi=" +
           std::string(abi) + " build=" + std::string(build) + ";";
}

// What is said about a folder with this one file.
std::string refusal(const std::string& content, mode_t mode = 0644) {
    const test::TempDir folder;
    folder.write("a.so", content);
    ::chmod((folder / "a.so").c_str(), mode);
    SharedObjects objects;
    const std::string text = objects.load(folder.path().string());
    CHECK(objects.files().empty());
    return text.substr(text.find("a.so: ") + 6);
}

}  // namespace

TEST_CASE("shared objects: a file that is no plugin is refused before it runs", "[plugin][shared_objects]") {
    CHECK(refusal("nothing") == "is no plugin of this gateway (GATEWAY_SHARED_PLUGINS is missing)");
    CHECK(refusal("gateway-plugin without an end") ==
          "is no plugin of this gateway (GATEWAY_SHARED_PLUGINS is missing)");
}

TEST_CASE("shared objects: another ABI or build is named", "[plugin][shared_objects]") {
    CHECK(refusal(marker("7", GATEWAY_PLUGIN_BUILD)) ==
          "was built for plugin ABI 7, this gateway has 1: build it anew");
    CHECK(refusal(marker("1", "0.0.9-abc-gcc7")) ==
          "was built against gateway 0.0.9-abc-gcc7, this is " GATEWAY_PLUGIN_BUILD ": build it anew");
}

TEST_CASE("shared objects: what fits by its words but cannot be loaded is refused", "[plugin][shared_objects]") {
    CHECK(refusal(marker("1", GATEWAY_PLUGIN_BUILD)).find("cannot be loaded: ") == 0);
}

TEST_CASE("shared objects: files that others could write are refused", "[plugin][shared_objects]") {
    CHECK(refusal(marker("1", GATEWAY_PLUGIN_BUILD), 0666) == "can be written by other users");
    CHECK(refusal(marker("1", GATEWAY_PLUGIN_BUILD), 0664) == "can be written by other users");
}

TEST_CASE("shared objects: a folder that is not there is an error, no folder is none", "[plugin][shared_objects]") {
    SharedObjects none, lost;
    CHECK(none.load("") == "");
    CHECK(lost.load("/nowhere/plugins") == "/nowhere/plugins: No such file or directory");
}

TEST_CASE("shared objects: what is loaded once stays; differences are told", "[plugin][shared_objects]") {
    const test::TempDir folder;
    const std::string path = folder.path().string();
    SharedObjects objects;
    CHECK(objects.load(path) == "");
    CHECK(objects.differences(path).empty());
    folder.write("b.so", "x");
    folder.write("readme.txt", "x");
    CHECK(objects.load(path) == "");
    CHECK(objects.files().empty());
    CHECK(objects.differences(path) == std::vector<std::string>{path + "/b.so is new"});
    CHECK(objects.differences("/elsewhere") == std::vector<std::string>{"gateway.plugins_dir"});
}
