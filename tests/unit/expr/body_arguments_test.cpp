#include "libgateway/expr/body_arguments.hpp"

#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::expr;

namespace {

VariableValue read(std::string_view name, std::string_view type, std::string_view body, Arena& arena) {
    return read_body_argument(compile_variable(name), type, body, arena);
}

const std::string multipart =
    "preamble\r\n--X1\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none\r\n--X1\r\n"
    "content-type: text/plain\r\ncontent-disposition: form-data; filename=f; "
    "name=b\r\n\r\ntwo\r\n\r\nlines\r\n--X1--\r\n";

}  // namespace

TEST_CASE("body arguments: the content type decides how a field is read", "[expr][body_arguments]") {
    Arena arena;
    const std::string_view form = "application/x-www-form-urlencoded; charset=utf-8";
    CHECK(read("post_arg_key", form, "key=a%20b&k2=b", arena).text == "a b");
    CHECK(read("post_arg.key", form, "key=a", arena).text == "a");
    CHECK(read("post_arg.model.name", "Application/JSON; x", R"({"model":{"name":"m"}})", arena).text == "m");
    CHECK(read("post_arg.model.name", "text/x; application/json", R"({"model":{"name":"m"}})", arena).text == "m");
    CHECK_FALSE(read("post_arg_key", "multipart/x; application/x-www-form-urlencoded", "key=a", arena));
    CHECK_FALSE(read("post_arg_key", "application/json", R"({"key":"a"})", arena));
    CHECK_FALSE(read("post_arg.key", "", "key=a", arena));
    CHECK_FALSE(read("post_arg.key", "text/plain", "key=a", arena));
    CHECK_FALSE(read("arg_key", form, "key=a", arena));
}

TEST_CASE("body arguments: parts are found by name", "[expr][body_arguments]") {
    Arena arena;
    const std::string type =
        GENERATE("multipart/form-data; boundary=X1", "multipart/form-data; boundary=\"X1\"; charset=x");
    CHECK(read("post_arg.a", type, multipart, arena).text == "one");
    CHECK(read("post_arg.b", type, multipart, arena).text == "two\r\n\r\nlines");
    CHECK_FALSE(read("post_arg.c", type, multipart, arena));
}

TEST_CASE("body arguments: broken multipart bodies have no values", "[expr][body_arguments]") {
    std::string_view value;
    CHECK_FALSE(find_part("multipart/form-data", multipart, "a", value));
    CHECK_FALSE(find_part("multipart/form-data; boundary=Y", multipart, "a", value));
    CHECK_FALSE(find_part("multipart/form-data; boundary=X1", "", "a", value));
    CHECK_FALSE(find_part("multipart/form-data; boundary=X1", multipart.substr(0, 60), "a", value));
    CHECK_FALSE(find_part("multipart/form-data; boundary=X1", "--X1\r\nContent-Disposition: form-data; name=\"a\"", "a",
                          value));
}
