#include "libgateway/expr/variable.hpp"

#include "tests/support/catch.hpp"

using namespace gateway::expr;

TEST_CASE("variable: names are compiled to kinds and keys", "[expr][variable]") {
    const auto [name, kind, key] = GENERATE(table<std::string, VariableKind, std::string>({
        {"uri", VariableKind::uri, ""},
        {"document_uri", VariableKind::uri, ""},
        {"method", VariableKind::request_method, ""},
        {"request_method", VariableKind::request_method, ""},
        {"query_string", VariableKind::args, ""},
        {"request", VariableKind::request_line, ""},
        {"remote_addr", VariableKind::remote_addr, ""},
        {"upstream_addr", VariableKind::upstream_addr, ""},
        {"upstream_uri", VariableKind::upstream_uri, ""},
        {"args", VariableKind::args, ""},
        {"balancer_port", VariableKind::balancer_port, ""},
        {"arg_Name-x", VariableKind::arg, "Name-x"},
        {"http_X-Env", VariableKind::http, "x_env"},
        {"http_x_env", VariableKind::http, "x_env"},
        {"sent_http_Content-Type", VariableKind::sent_http, "content_type"},
        {"upstream_http_etag", VariableKind::upstream_http, "etag"},
        {"upstream_cookie_sid", VariableKind::upstream_cookie, "sid"},
        {"upstream_trailer_X-Sum", VariableKind::upstream_trailer, "x_sum"},
        {"cookie_SID", VariableKind::cookie, "SID"},
        {"uri_param_id", VariableKind::uri_param, "id"},
        {"post_arg_key", VariableKind::post_arg_form, "key"},
        {"post_arg.model.name", VariableKind::post_arg_path, "model.name"},
        {"ssl_client_verify", VariableKind::ssl, "client_verify"},
        {"tcpinfo_rtt", VariableKind::tcpinfo, "rtt"},
        {"graphql_root_fields", VariableKind::graphql_root_fields, ""},
        {"no_such_name", VariableKind::unknown, ""},
        {"arg_", VariableKind::unknown, ""},
        {"", VariableKind::unknown, ""},
        {"URI", VariableKind::unknown, ""},
    }));
    CAPTURE(name);
    const Variable variable = compile_variable(name);
    CHECK(variable.kind == kind);
    CHECK(variable.key == key);
    CHECK(variable.name == name);
}

TEST_CASE("variable: body-derived ones say so", "[expr][variable]") {
    CHECK(compile_variable("post_arg.a").needs_body());
    CHECK(compile_variable("post_arg_a").needs_body());
    CHECK(compile_variable("graphql_name").needs_body());
    CHECK_FALSE(compile_variable("request_body").needs_body());
    CHECK_FALSE(compile_variable("arg_a").needs_body());
}

TEST_CASE("variable: plugins register further names", "[expr][variable]") {
    CHECK(compile_variable("test_only_name").kind == VariableKind::unknown);
    const auto index = VariableNames::add("test_only_name");
    CHECK(VariableNames::add("test_only_name") == index);
    CHECK(VariableNames::add("test_only_other") != index);
    const Variable variable = compile_variable("test_only_name");
    CHECK(variable.kind == VariableKind::custom);
    CHECK(variable.index == index);
}

TEST_CASE("variable: header keys meet fields in any case, with dashes", "[expr][variable]") {
    CHECK(names_header("x_env", "X-Env"));
    CHECK(names_header("x_env", "x_ENV"));
    CHECK_FALSE(names_header("x_env", "X-Envy"));
    CHECK_FALSE(names_header("x_env", "Y-Env"));
}
