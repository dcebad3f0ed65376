#include "libgateway/http/path.hpp"

#include <string>
#include <string_view>

#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::http;

namespace {

// The variable `uri` of a raw path, "400" if it is refused.
std::string uri_of(std::string_view raw, const PathOptions& options = {}) {
    Arena arena;
    const auto path = normalise(raw, options, arena);
    return path.valid ? std::string(path.uri) : "400";
}

std::string match_of(std::string_view raw, const PathOptions& options) {
    Arena arena;
    const auto path = normalise(raw, options, arena);
    return path.valid ? std::string(path.match) : "400";
}

std::string upstream_of(std::string_view raw, const PathOptions& options) {
    Arena arena;
    const auto path = normalise(raw, options, arena);
    return path.valid ? std::string(path.upstream) : "400";
}

}  // namespace

TEST_CASE("path: a plain path is the same bytes", "[http][path]") {
    Arena arena;
    const std::string_view raw =
        GENERATE("/", "/a", "/a/b.c/d", "/a/", "/.well-known/x", "/a..b/...", "/a;b", "/a+b~!", "*");
    const auto path = normalise(raw, {}, arena);
    REQUIRE(path.valid);
    REQUIRE(path.uri == raw);
    REQUIRE(path.uri.data() == raw.data());
    REQUIRE(path.match.data() == raw.data());
    REQUIRE(path.upstream.data() == raw.data());
}

TEST_CASE("path: one pass of decoding, slashes merged, dot segments taken out", "[http][path]") {
    REQUIRE(uri_of("//hello") == "/hello");
    REQUIRE(uri_of("/a///b//") == "/a/b/");
    REQUIRE(uri_of("/x/../hello") == "/hello");
    REQUIRE(uri_of("/x/y/../../z/./w") == "/z/w");
    REQUIRE(uri_of("/a/.") == "/a/");
    REQUIRE(uri_of("/a/b/..") == "/a/");
    REQUIRE(uri_of("/a/..") == "/");
    REQUIRE(uri_of("/.") == "/");
    REQUIRE(uri_of("/%68ello") == "/hello");
    REQUIRE(uri_of("/a%20b") == "/a b");
    REQUIRE(uri_of("/a+b") == "/a+b");
    REQUIRE(uri_of("/a%3fb%23c%25d") == "/a?b#c%d");
    REQUIRE(uri_of("/a%252fb") == "/a%2fb");
    REQUIRE(uri_of("/%252e%252e/x") == "/%2e%2e/x");
    REQUIRE(uri_of("/v1/u%2Fbob") == "/v1/u/bob");
    REQUIRE(uri_of("/a%2f%2fb") == "/a/b");
    REQUIRE(uri_of("/%2e/a") == "/a");
    REQUIRE(uri_of("/\xc3\xa4/%ff") == "/\xc3\xa4/\xff");
    REQUIRE(uri_of("/a/..b/c") == "/a/..b/c");
    REQUIRE(uri_of("/a/../b%2Fc") == "/b/c");
}

TEST_CASE("path: what is no path is refused", "[http][path]") {
    for (std::string_view raw :
         {std::string_view(""), std::string_view("a"), std::string_view("/.."), std::string_view("/../a"),
          std::string_view("/a/../../b"), std::string_view("/%"), std::string_view("/%4"), std::string_view("/%4g"),
          std::string_view("/%u002e"), std::string_view("/a%00b"), std::string_view("/a\0b", 4),
          std::string_view("/a b"), std::string_view("/a\tb"), std::string_view("/a\x7f"), std::string_view("**")}) {
        INFO(raw);
        CHECK(uri_of(raw) == "400");
    }
}

TEST_CASE("path: what an upstream could read as another path is refused", "[http][path][smuggling]") {
    for (std::string_view raw :
         {"/a/%2e%2e/b", "/a/.%2e/b",   "/a/%2e./b", "/a/..%2fb",  "/a/..%2Fb/c", "/a%2f../b",   "/a%2Fb/../c",
          "/a//../b",    "/a/%2e/../b", "/a\\b",     "/a\\..\\b",  "/a%5cb",      "/a%5C..%5Cb", "/a/..;/b",
          "/a/..;x=1/b", "/a/..%3b/b",  "/.;/admin", "/a/;x/../b", "/a/%2e%2e",   "/a/..;",      "/a/%2e%2e;/b"}) {
        INFO(raw);
        CHECK(uri_of(raw) == "400");
    }
}

TEST_CASE("path: a trailing slash goes only if it is configured, and never the root's", "[http][path]") {
    PathOptions options;
    options.delete_uri_tail_slash = true;
    REQUIRE(uri_of("/hello/") == "/hello/");
    REQUIRE(uri_of("/hello/", options) == "/hello");
    REQUIRE(uri_of("/hello//", options) == "/hello");
    REQUIRE(uri_of("/", options) == "/");
    REQUIRE(match_of("/hello/", options) == "/hello");
    REQUIRE(upstream_of("/hello/", options) == "/hello/");
}

TEST_CASE("path: servlet style drops parameters for matching, not for the upstream", "[http][path]") {
    PathOptions options;
    options.normalize_uri_like_servlet = true;
    REQUIRE(uri_of("/hello;v=1") == "/hello;v=1");
    REQUIRE(uri_of("/hello;v=1", options) == "/hello");
    REQUIRE(uri_of("/a;x/b;y/c", options) == "/a/b/c");
    REQUIRE(uri_of("/a/;x", options) == "/a/");
    REQUIRE(uri_of("/a/;x/b", options) == "400");
    REQUIRE(uri_of("/a/..;x/b", options) == "400");
    REQUIRE(uri_of("/a/.;x", options) == "400");
    REQUIRE(upstream_of("/a;x/%62/../c", options) == "/a;x/c");
    REQUIRE(upstream_of("/a%0d%0ab%20c%3f%25", options) == "/a%0D%0Ab%20c%3F%25");
    REQUIRE(uri_of("/a/b", options) == "/a/b");
}

TEST_CASE("path: an encoded slash can stay one for matching", "[http][path]") {
    PathOptions options;
    options.match_uri_encoded_slash = true;
    REQUIRE(match_of("/u/a%2fb", options) == "/u/a%2Fb");
    REQUIRE(uri_of("/u/a%2fb", options) == "/u/a/b");
    REQUIRE(match_of("/u/a%2fb%20c", options) == "/u/a%2Fb c");
    REQUIRE(match_of("/u//a%2fb", options) == "/u/a/b");
    REQUIRE(match_of("/u/./a%2fb", options) == "/u/a/b");
    REQUIRE(match_of("/u/%61", options) == "/u/a");
    REQUIRE(upstream_of("/u/a%2fb", options) == "/u/a%2fb");
}
