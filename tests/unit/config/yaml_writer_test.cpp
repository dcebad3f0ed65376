#include "libgateway/config/yaml_writer.hpp"

#include "libgateway/config/yaml_reader.hpp"
#include "tests/support/catch.hpp"

using namespace gateway;

TEST_CASE("yaml writer: blocks that people read", "[config][yaml_writer]") {
    const json::Value value = json::parse(
        R"({"routes":[{"id":"1","uri":"/a","plugins":{},"vars":[["a","==","b"],[]]},"x"],"n":12345678901234567890,"e":null})");
    CHECK(config::write_yaml(value) ==
          "routes:\n"
          "  - id: \"1\"\n"
          "    uri: /a\n"
          "    plugins: {}\n"
          "    vars:\n"
          "      - - a\n"
          "        - \"==\"\n"
          "        - b\n"
          "      - []\n"
          "  - x\n"
          "\"n\": 12345678901234567890\n"
          "e: null\n");
    CHECK(config::write_yaml(json::Value("text")) == "text\n");
    CHECK(config::write_yaml(json::Value::object()) == "{}\n");
}

TEST_CASE("yaml writer: what it wrote reads back as the same value", "[config][yaml_writer]") {
    const std::string text = GENERATE(
        R"(["yes","No","~","","1","0x1","1e3","- a",": ","#","a: b","a #b","null","2024-01-01","<<","=",".inf","\u0000"])",
        R"({"yes":1,"":2,"a b":3,"1":4,"true":5,"<<":6,"-":7})",
        R"(["\u2028\u2029\ufeff\u0085\u009f\u007f","\n\t\"\\ä€😀"])",
        R"([1e3,-1.5E-7,1E+2,0.10,-0,123456789012345678901234567890])", R"([[[]],[{}],{"a":[{"b":[1,{"c":{}}]}]}])",
        R"([true,false,null])", R"("a\nb")", "[]", "12");
    const json::Value value = json::parse(text);
    CHECK(json::equal(config::read_yaml(config::write_yaml(json::Value::object({{"k", value}}))).members()[0].value,
                      value));
    const std::string yaml = config::write_yaml(value);
    INFO(yaml);
    CHECK(json::equal(config::read_yaml(yaml), value));
}

TEST_CASE("yaml writer: keys of any length", "[config][yaml_writer]") {
    json::Value value = json::Value::object();
    value.set(std::string(2000, 'k'), json::Value::object({{"a", 1}}));
    value.set(std::string(300, '\n'), json::Value("x"));
    CHECK(json::equal(config::read_yaml(config::write_yaml(value)), value));
}
