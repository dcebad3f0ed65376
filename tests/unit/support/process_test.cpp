#include "tests/support/process.hpp"

#include <signal.h>

#include "tests/support/alloc_count.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/fail_after.hpp"
#include "tests/support/temp_dir.hpp"

using namespace gateway::test;
using namespace std::chrono_literals;

TEST_CASE("process: exit status and output of a program are seen", "[support][process]") {
    const auto result = run({"sh", "-c", "echo $MARK; echo err >&2; exit 3"}, 5s, {"MARK=here"});
    REQUIRE(result.exit == 3);
    REQUIRE(result.out == "here\nerr\n");
}

TEST_CASE("process: a signal ends it and the status says which", "[support][process]") {
    const TempDir folder;
    Process process({"sleep", "600"}, folder / "output");
    REQUIRE(process.running());
    process.signal(SIGTERM);
    REQUIRE(process.wait() == 128 + SIGTERM);
}

TEST_CASE("process: destruction leaves no grandchild behind", "[support][process]") {
    const TempDir folder;
    pid_t grandchild = -1;
    {
        const Process process({"sh", "-c", "sleep 600 & wait"}, folder / "output");
        REQUIRE(eventually([&] { return !children_of(process.pid()).empty(); }));
        grandchild = children_of(process.pid()).front();
        REQUIRE(alive(grandchild));
    }
    REQUIRE(eventually([&] { return !alive(grandchild); }));
}

TEST_CASE("temp dir: a written file is whole and gone with the folder", "[support][temp_dir]") {
    std::filesystem::path path;
    {
        const TempDir folder;
        path = folder.write("a", "text");
        REQUIRE(folder.read("a") == "text");
    }
    REQUIRE_FALSE(std::filesystem::exists(path));
}

TEST_CASE("alloc count: every way to allocate is counted, and only on this thread", "[support][alloc_count]") {
    const AllocCount count;
    void* volatile block = ::malloc(10);
    ::free(block);
    REQUIRE(count.count() == 1);
    block = ::aligned_alloc(64, 128);
    ::free(block);
    block = ::operator new(16);
    ::operator delete(block);
    REQUIRE(count.count() == 3);
    void* aligned = nullptr;
    REQUIRE(::posix_memalign(&aligned, 64, 64) == 0);
    ::free(aligned);
    REQUIRE(count.count() == 4);
}

TEST_CASE("fail after: every operation of a story fails once", "[support][fail_after]") {
    std::size_t best = 0;
    const auto failures = for_each_failure([&](FailAfter& fail) {
        std::size_t done = 0;
        while (done < 5 && !fail.fails()) ++done;
        best = done;
    });
    REQUIRE(failures == 5);
    REQUIRE(best == 5);
}
