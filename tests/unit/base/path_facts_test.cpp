#include "libgateway/base/path_facts.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

using namespace gateway;

TEST_CASE("path facts: a file is told with its owner and mode, a missing one by its name", "[base][path_facts]") {
    test::TempDir folder;
    const std::string file = folder.write("a.log", "").string();
    REQUIRE(::chmod(file.c_str(), 0640) == 0);
    CHECK(describe_path(file) == file + " (owner " + user_text(::geteuid()) + ", mode 0640)");
    CHECK(describe_path(file + ".gone") == file + ".gone");
}

TEST_CASE("path facts: a user without a name is a number", "[base][path_facts]") {
    CHECK(user_text(4'000'000'001u) == "4000000001");
}

TEST_CASE("path facts: rights and missing folders are explained by folder and user, other errors not",
          "[base][path_facts]") {
    test::TempDir folder;
    const std::string path = (folder / "a.log").string(), me = "; this is " + user_text(::geteuid());
    CHECK(who_may(path, EACCES) == "; directory " + describe_path(folder.path().string()) + me);
    CHECK(who_may("a.log", ENOENT) == me);
    CHECK(who_may(path, EISDIR).empty());
}
