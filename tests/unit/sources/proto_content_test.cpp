#include "libgateway/sources/proto_content.hpp"

#include "tests/support/catch.hpp"

using gateway::sources::proto_problem;

TEST_CASE("proto content: texts of .proto files and descriptor sets pass", "[sources][proto_content]") {
    const std::string content = GENERATE(
        "syntax = \"proto3\";\npackage a.b;\nimport \"x.proto\";\nmessage A { map<string, A> all = 1; }\n",
        "/* a */ edition = '2023'; ; enum E { X = 0; } extend A { optional int32 b = 2; } // end",
        "service S { rpc Do (stream A) returns (B) { option (google.api.http) = { get: \"/}\" }; } }\nmessage A{}",
        "option java_package = \"a\\\"b\";", "CgYKBGEuYmM=", "CgYKBGEuYmMKAA==");
    INFO(content);
    CHECK(proto_problem(content).empty());
}

TEST_CASE("proto content: what cannot be one is told with its place", "[sources][proto_content]") {
    const auto [content, problem] = GENERATE(table<std::string, std::string>({
        {"  \n // only a remark\n", "there is nothing in it"},
        {"message A {", "1:12: the text ends in a statement"},
        {"message A {\n}\nfoo", "3:1: expected a statement of a .proto file, found \"foo\""},
        {"message A { )", "1:13: unexpected \")\""},
        {"import \"x", "1:8: a quoted text without end"},
        {"import \"x\ny\";", "1:8: a quoted text without end"},
        {"message A {} /* open", "1:14: a comment without end"},
        {"package a", "1:10: the text ends in a statement"},
        {"CgYKBGEuYg==", "1:1: expected a statement of a .proto file, found \"CgYKBGEuYg\""},
        {"\xff\xfe", "1:1: expected a statement of a .proto file, found \"\xff\""},
    }));
    INFO(content);
    CHECK(proto_problem(content) == problem);
}
