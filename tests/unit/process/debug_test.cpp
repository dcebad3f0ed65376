// How debug.yaml gets from the file to the workers.
#include <unistd.h>

#include "libgateway/config/debug_config.hpp"
#include "libgateway/process/control_debug.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/log_lines.hpp"
#include "tests/support/temp_dir.hpp"

using namespace gateway;
using namespace gateway::process;

namespace {

const std::string on = "basic: {enable: true}\nhttp_filter: {}\nhook_conf: {}\n";

struct Story {
    std::unique_ptr<DebugPage> page = std::make_unique<DebugPage>();
    test::TempDir folder;
    DebugFile file{(folder / "debug.yaml").string(), *page};
    std::uint64_t version = 0;

    std::string text() { return page->read(version).value_or("(being written)"); }
    bool enabled() {
        const std::string now = text();
        return !now.empty() && config::decode_debug(now).basic.enable.value_or(false);
    }
};

}  // namespace

TEST_CASE("debug page: a text of any length that fits comes out as it went in", "[process][debug_page]") {
    const auto page = std::make_unique<DebugPage>();
    std::uint64_t version = 0;
    CHECK(page->read(version) == "");
    for (const std::size_t size : {0u, 1u, 8u, 9u, 4095u, 4096u}) {
        const std::string text(size, 'x');
        CHECK(page->write(text));
        CHECK(page->read(version) == text);
        CHECK(version == page->version());
    }
    CHECK_FALSE(page->write(std::string(4097, 'y')));
    CHECK(page->read(version) == std::string(4096, 'x'));
}

TEST_CASE("debug file: one that is not there switches debug mode off and is told once", "[process][debug_file]") {
    Story story;
    log::set_level(LogLevel::debug);
    const test::LogLines lines;
    story.file.poll();
    story.file.poll();
    REQUIRE(lines.all().size() == 1);
    CHECK(lines.all()[0].find("is not there: debug mode is off") != std::string::npos);
    story.folder.write("debug.yaml", on + "#END\n");
    story.file.poll();
    CHECK(story.enabled());
    ::unlink((story.folder / "debug.yaml").c_str());
    story.file.poll();
    CHECK(story.text().empty());
}

TEST_CASE("debug file: D5, D6, D8: a file that is bad or not finished leaves what was in force",
          "[process][debug_file]") {
    Story story;
    const test::LogLines lines;
    story.folder.write("debug.yaml", on + "#END\n");
    story.file.poll();
    REQUIRE(story.enabled());
    for (const std::string& bad : {std::string("basic: {enable: false}\nhttp_filter: {}\nhook_conf: {}\n"),
                                   std::string("basic: {}\nhttp_filter: {}\n#END"), std::string("a: [#END")}) {
        story.folder.write("debug.yaml", bad);
        story.file.poll();
        CHECK(story.enabled());
    }
    REQUIRE(lines.all().size() == 4);
    CHECK(lines.all()[0].find("debug.yaml reloaded") != std::string::npos);
    CHECK(lines.all()[1].find("missing valid end flag in file") != std::string::npos);
    CHECK(lines.all()[2].find("failed to validate debug config property \"hook_conf\" is required") !=
          std::string::npos);
    CHECK(lines.all()[3].find("failed to parse the content of file") != std::string::npos);
}

TEST_CASE("debug file: D15: a touch installs the same again, rest costs nothing", "[process][debug_file]") {
    Story story;
    story.folder.write("debug.yaml", on + "#END\n");
    const test::LogLines lines;
    story.file.poll();
    const std::uint64_t first = story.page->version();
    story.file.poll();
    CHECK(story.page->version() == first);
    story.folder.write("debug.yaml", on + "#END\n");
    story.file.poll();
    CHECK(story.page->version() > first);
    CHECK(story.enabled());
}
