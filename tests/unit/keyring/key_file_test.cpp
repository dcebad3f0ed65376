#include "libgateway/keyring/key_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include "libgateway/keyring/key.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

using namespace gateway::keyring;
using gateway::test::TempDir;

namespace {

std::string why_refused(const std::string& path) {
    try {
        read_key_file(path);
    } catch (const std::exception& error) {
        return error.what();
    }
    return "";
}

bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("key file: made once, for its owner alone, and never made again", "[keyring][key_file]") {
    const TempDir folder;
    const std::string path = (folder / "keyring").string();
    REQUIRE_FALSE(read_key_file(path));
    make_key_file(path);
    struct stat about {};
    REQUIRE(::stat(path.c_str(), &about) == 0);
    CHECK((about.st_mode & 07777) == 0600);
    const auto keys = read_key_file(path);
    REQUIRE(keys);
    REQUIRE(keys->size() == 1);
    CHECK(keys->front().size() == 32);
    make_key_file(path);
    CHECK(read_key_file(path) == keys);
    std::size_t files = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path())) ++files;
    CHECK(files == 1);
}

TEST_CASE("key file: two gateways make two keys", "[keyring][key_file]") {
    const TempDir folder;
    make_key_file((folder / "a").string());
    make_key_file((folder / "b").string());
    CHECK(read_key_file((folder / "a").string()) != read_key_file((folder / "b").string()));
}

TEST_CASE("key file: refused if others can read it, or if it is no file", "[keyring][key_file]") {
    const TempDir folder;
    const std::string path = (folder / "keyring").string();
    make_key_file(path);
    for (const mode_t mode : {0640, 0604, 0660, 0602}) {
        ::chmod(path.c_str(), mode);
        CHECK(contains(why_refused(path), "expected 0600"));
    }
    ::chmod(path.c_str(), 0400);
    CHECK(why_refused(path).empty());
    ::symlink("keyring", (folder / "link").c_str());
    CHECK(contains(why_refused((folder / "link").string()), "expected a regular file"));
    CHECK(contains(why_refused(folder.path().string()), "expected a regular file"));
}

TEST_CASE("key file: comments and blank lines are passed over; a line that is no key is named by its number",
          "[keyring][key_file]") {
    const TempDir folder;
    const std::string path =
        folder.write("keyring", "# new\n\n0123456789abcdef\r\n  AAAAAAAAAAAAAAAABBBBBBBBBBBBBBBB\n").string();
    ::chmod(path.c_str(), 0600);
    CHECK(read_key_file(path) == std::vector<std::string>{"0123456789abcdef", "AAAAAAAAAAAAAAAABBBBBBBBBBBBBBBB"});
    folder.write("keyring", "0123456789abcdef\nmy-secret\n");
    ::chmod(path.c_str(), 0600);
    CHECK(contains(why_refused(path), ":2: expected a key of 16 or 32 bytes, found 9"));
    CHECK_FALSE(contains(why_refused(path), "my-secret"));
    folder.write("keyring", "# nothing\n");
    ::chmod(path.c_str(), 0600);
    CHECK(contains(why_refused(path), "there is no key in it"));
}

TEST_CASE("key file: a folder that is not there is an error of making it", "[keyring][key_file]") {
    const TempDir folder;
    CHECK_THROWS_AS(make_key_file((folder / "none/keyring").string()), std::system_error);
}
