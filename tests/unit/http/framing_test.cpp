#include "libgateway/http/framing.hpp"

#include <boost/beast/http/verb.hpp>
#include <initializer_list>
#include <string>
#include <utility>

#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::http;

namespace {

using Lines = std::initializer_list<std::pair<const char*, const char*>>;

Fields fields_of(Lines lines) {
    Fields fields;
    for (const auto& [name, value] : lines) fields.add(name, value);
    return fields;
}

unsigned request_status(Lines lines, std::uint8_t version = 11) {
    return judge_request_framing(fields_of(lines), version).status;
}

FramingVerdict response(Lines lines, unsigned status = 200, Verb method = Verb::get, std::uint8_t version = 11) {
    return judge_response_framing(fields_of(lines), version, status, method);
}

constexpr const char* te = "Transfer-Encoding";
constexpr const char* cl = "Content-Length";

}  // namespace

TEST_CASE("framing: requests with one meaning", "[http][framing]") {
    REQUIRE(judge_request_framing(fields_of({}), 11).body.kind == BodyKind::none);
    const auto length = judge_request_framing(fields_of({{cl, "12"}}), 10);
    REQUIRE(length.status == 0);
    REQUIRE(length.body.kind == BodyKind::length);
    REQUIRE(length.body.length == 12);
    REQUIRE(judge_request_framing(fields_of({{cl, "0"}}), 11).body.kind == BodyKind::length);
    REQUIRE(judge_request_framing(fields_of({{te, "Chunked"}}), 11).body.kind == BodyKind::chunked);
    REQUIRE(judge_request_framing(fields_of({{cl, "9223372036854775807"}}), 11).status == 0);
}

TEST_CASE("framing: every contradiction in a request is a 400", "[http][framing]") {
    REQUIRE(request_status({{te, "chunked"}, {cl, "3"}}) == 400);
    REQUIRE(request_status({{cl, "3"}, {te, "chunked"}}) == 400);
    REQUIRE(request_status({{cl, "3"}, {te, "chunked"}}, 10) == 400);
    REQUIRE(request_status({{cl, "3"}, {te, "gzip"}}) == 400);
    REQUIRE(request_status({{cl, "3"}, {te, ""}}) == 400);
    REQUIRE(request_status({{cl, "3"}, {cl, "3"}}) == 400);
    REQUIRE(request_status({{cl, "3"}, {cl, "4"}}) == 400);
    REQUIRE(request_status({{te, "chunked"}}, 10) == 400);
    REQUIRE(request_status({{te, "chunked"}, {te, "chunked"}}) == 400);
    REQUIRE(request_status({{te, "chunked"}, {te, "identity"}}) == 400);
}

TEST_CASE("framing: a length is decimal digits below 2^63 and nothing else", "[http][framing]") {
    const char* value = GENERATE("", "-1", "+1", " 1", "1 ", "1,1", "0x1", "1e1", "1.0", "9223372036854775808",
                                 "18446744073709551616", "99999999999999999999999", "one", "\xd9\xa1");
    INFO(value);
    REQUIRE(request_status({{cl, value}}) == 400);
}

TEST_CASE("framing: chunked must be the only coding", "[http][framing]") {
    for (const char* value : {"identity", "gzip", "gzip, chunked", "xchunked", "chunkedx", "x-chunked"}) {
        INFO(value);
        REQUIRE(request_status({{te, value}}) == 501);
    }
    for (const char* value : {"", ",", "chunked,", ", chunked", "chunked, chunked", "chunked, gzip", "chunked;q=1",
                              "chunked x", "\"chunked\"", "gzip,,chunked", "chunked;"}) {
        INFO(value);
        REQUIRE(request_status({{te, value}}) == 400);
    }
}

TEST_CASE("framing: a response ends by its fields, else with the connection", "[http][framing]") {
    REQUIRE(response({{cl, "5"}}).body.length == 5);
    REQUIRE(response({{te, "chunked"}}).body.kind == BodyKind::chunked);
    REQUIRE(response({}).body.kind == BodyKind::until_close);
    REQUIRE(response({}, 200, Verb::get, 10).body.kind == BodyKind::until_close);
}

TEST_CASE("framing: some responses have no body whatever their fields say", "[http][framing]") {
    REQUIRE(response({{cl, "5"}}, 200, Verb::head).body.kind == BodyKind::none);
    REQUIRE(response({{te, "chunked"}}, 200, Verb::head).body.kind == BodyKind::none);
    REQUIRE(response({}, 200, Verb::head).body.kind == BodyKind::none);
    REQUIRE(response({{cl, "5"}}, 304).body.kind == BodyKind::none);
    REQUIRE(response({{cl, "5"}}, 204).body.kind == BodyKind::none);
    REQUIRE(response({}, 100).body.kind == BodyKind::none);
    REQUIRE(response({}, 101).body.kind == BodyKind::none);
    REQUIRE(response({}, 200, Verb::connect).body.kind == BodyKind::none);
    REQUIRE(response({}, 404, Verb::connect).body.kind == BodyKind::until_close);
}

TEST_CASE("framing: ambiguous responses fail", "[http][framing]") {
    REQUIRE(response({{cl, "5"}, {te, "chunked"}}).status != 0);
    REQUIRE(response({{cl, "5"}, {te, "chunked"}}, 200, Verb::head).status != 0);
    REQUIRE(response({{cl, "5"}, {cl, "6"}}).status != 0);
    REQUIRE(response({{cl, "five"}}).status != 0);
    REQUIRE(response({{te, "gzip"}}).status != 0);
    REQUIRE(response({{te, "chunked, gzip"}}).status != 0);
    REQUIRE(response({{te, "chunked"}}, 200, Verb::get, 10).status != 0);
    REQUIRE(response({{te, "chunked"}}, 204).status != 0);
    REQUIRE(response({{te, "chunked"}}, 103).status != 0);
}
