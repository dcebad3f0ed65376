#include "libgateway/route/pattern.hpp"

#include <string>

#include "tests/support/catch.hpp"

using namespace gateway::route;

TEST_CASE("pattern: kind and literal beginning", "[route][pattern]") {
    const auto [text, parameters, kind, literal] = GENERATE(table<std::string, bool, PatternKind, std::string>({
        {"/a/b", false, PatternKind::exact, "/a/b"},      {"/a/*", false, PatternKind::prefix, "/a/"},
        {"/a*", false, PatternKind::prefix, "/a"},        {"*", false, PatternKind::prefix, ""},
        {"/a*b", false, PatternKind::prefix, "/a"},       {"/a*b/*c", false, PatternKind::prefix, "/a"},
        {"/a/*x", false, PatternKind::template_, "/a/"},  {"/a/*/b", false, PatternKind::template_, "/a/"},
        {"*/b", false, PatternKind::template_, ""},       {"/a/*/", false, PatternKind::template_, "/a/"},
        {"/a/:x", false, PatternKind::exact, "/a/:x"},    {"/a/:x", true, PatternKind::template_, "/a/"},
        {"/a/:x/*", true, PatternKind::template_, "/a/"}, {"/a/*/:x", true, PatternKind::template_, "/a/"},
        {"/a*/:x", true, PatternKind::prefix, "/a"},      {"/a/b:x", true, PatternKind::exact, "/a/b:x"},
        {"/a/:", true, PatternKind::exact, "/a/:"},       {"/a/:/b", true, PatternKind::exact, "/a/:/b"},
        {"/a/?", true, PatternKind::exact, "/a/?"},       {"", true, PatternKind::exact, ""},
    }));
    CAPTURE(text, parameters);
    const Pattern pattern = Pattern::parse(text, parameters);
    CHECK(pattern.kind() == kind);
    CHECK(pattern.literal() == literal);
    CHECK(pattern.text() == text);
}

TEST_CASE("pattern: says when it ignores its end", "[route][pattern]") {
    CHECK(Pattern::parse("/a*b", false).ignores_rest());
    CHECK_FALSE(Pattern::parse("/a*", false).ignores_rest());
    CHECK_FALSE(Pattern::parse("/a/*b", false).ignores_rest());
}

TEST_CASE("pattern: templates fit whole paths only", "[route][pattern]") {
    const auto [text, path, fits] = GENERATE(table<std::string, std::string, bool>({
        {"/u/:id", "/u/1", true},
        {"/u/:id", "/u/", false},
        {"/u/:id", "/u/1/", false},
        {"/u/:id", "/u/1/2", false},
        {"/u/:id/", "/u/1/", true},
        {"/u/:id/", "/u/1", false},
        {"/u/:id/?", "/u/1/", true},
        {"/u/:id/?", "/u/1", true},
        {"/u/:id/?", "/u/1/2", false},
        {"/u/:id/x/?", "/u/1/x/", true},
        {"/d/*p", "/d/", true},
        {"/d/*p", "/d/a/b", true},
        {"/d/*/t", "/d/t", false},
        {"/d/*/t", "/d/x/t", true},
        {"/d/*/t", "/d/x/t/u", false},
        {"/d/*/t/*", "/d/a/t/t/t/", true},
        {"/a/:x/*r", "/a/1", false},
        {"/a/:x/*r", "/a/1/", true},
        {"/a/*/b/:c/d", "/a/x/b/1/d", true},
        {"/a/*/b/:c/d", "/a/b/1/d", false},
        {"*/b", "/x/b", true},
        {"/a.c/:x", "/abc/1", false},
        {"/:x/(b)", "/1/(b)", true},
    }));
    CAPTURE(text, path);
    const Pattern pattern = Pattern::parse(text, true);
    const bool begins = path.substr(0, pattern.literal().size()) == pattern.literal();
    CHECK((begins && pattern.fits(path)) == fits);
}

TEST_CASE("pattern: captures are greedy from the left, the last of equal names counts", "[route][pattern]") {
    const auto [text, path, name, value] = GENERATE(table<std::string, std::string, std::string, std::string>({
        {"/u/:id/o/:oid", "/u/42/o/7", "oid", "7"},
        {"/u/:id/o/:oid", "/u/42/o/7", "id", "42"},
        {"/d/*p", "/d/a/b.txt", "p", "a/b.txt"},
        {"/d/*p", "/d/", "p", ""},
        {"/i/*/t/*name", "/i/a/t/b/t/c", ":ext", "a/t/b"},
        {"/i/*/t/*name", "/i/a/t/b/t/c", "name", "c"},
        {"/:x/:x", "/1/2", "x", "2"},
        {"/*a/x/*b/x/*c", "/x/x/x/x/x", "a", "x"},
        {"/*a/x/*b/x/*c", "/1/x/2/x/3/x/4", "a", "1/x/2"},
        {"/*a/x/*b/x/*c", "/1/x/2/x/3/x/4", "b", "3"},
        {"/u/:id/?", "/u/1/", "id", "1"},
        {"/d/*p/?", "/d/a/", "p", "a/"},
    }));
    CAPTURE(text, path, name);
    std::string_view found;
    REQUIRE(Pattern::parse(text, true).param(name, path, found));
    CHECK(found == value);
}

TEST_CASE("pattern: other names are not captured", "[route][pattern]") {
    std::string_view value;
    CHECK_FALSE(Pattern::parse("/u/:id", true).param("other", "/u/1", value));
    CHECK_FALSE(Pattern::parse("/u/:id", true).param("id", "/u/", value));
    CHECK_FALSE(Pattern::parse("/u/*", true).param(":ext", "/u/1", value));
    CHECK_FALSE(Pattern::parse("/u", true).param("", "/u", value));
}

TEST_CASE("pattern: many wildcards against a long path stay cheap", "[route][pattern]") {
    std::string text, path;
    for (int i = 0; i < 400; ++i) text += "/*/a";
    for (int i = 0; i < 8000; ++i) path += "/a";
    CHECK(Pattern::parse(text, false).fits(path));
    CHECK_FALSE(Pattern::parse(text, false).fits(path + "/b"));
}
