// Expressions, templates and everything that reads a body: any bytes, no crash, no endless work.
#include <cstdint>
#include <string_view>

#include "libgateway/expr/cidr.hpp"
#include "libgateway/expr/expression.hpp"
#include "libgateway/expr/json_text.hpp"
#include "libgateway/expr/template.hpp"
#include "tests/unit/expr/fake_request.hpp"

using namespace gateway;

namespace {

void read_bodies(test::FakeRequest& request, std::string_view name) {
    static const char* const types[] = {"application/json", "application/x-www-form-urlencoded",
                                        "multipart/form-data; boundary=X1"};
    for (const char* type : types) {
        request.headers = {{"Content-Type", type}};
        for (const char* prefix : {"post_arg.", "post_arg_", "arg_", "cookie_", "http_"}) {
            expr::VariableValue value;
            request.read(expr::compile_variable(prefix + std::string(name)), value);
        }
    }
}

void compile(std::string_view text, const test::FakeRequest& request) {
    json::ParseFailure why;
    const auto rule = json::try_parse(text, why);
    if (!rule) return;
    try {
        const expr::Expression expression(*rule);
        expression.evaluate(request);
        expression.first_failure(request);
        expression.conjuncts();
    } catch (const expr::ExpressionError&) {
    }
}

}  // namespace

// The first line is a rule, a template and a name; the rest is the request's body, query and cookies.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const std::size_t cut = std::min(text.find('\n'), text.size());
    const std::string_view first = text.substr(0, cut), rest = text.substr(std::min(cut + 1, text.size()));
    test::FakeRequest request;
    request.method = "POST";
    request.body = request.query = rest;
    read_bodies(request, first);
    request.headers = {{"Cookie", std::string(rest)}, {"Content-Type", "application/json"}};
    compile(first, request);
    expr::Template(first).expand(request, *request.arena);
    expr::parse_graphql(rest, *request.arena);
    expr::parse_cidr(first);
    return 0;
}
