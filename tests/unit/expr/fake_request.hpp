// A request made of texts, as source of variables for tests of expr/ and route/.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libgateway/base/arena.hpp"
#include "libgateway/expr/body_arguments.hpp"
#include "libgateway/expr/graphql.hpp"
#include "libgateway/expr/query.hpp"
#include "libgateway/expr/variable.hpp"

namespace gateway::test {

class FakeRequest final : public expr::VariableSource {
public:
    std::string method = "GET", query, remote_addr = "127.0.0.1", body;
    std::vector<std::pair<std::string, std::string>> headers;
    std::map<std::string, std::string> others;  // any other variable by its name
    std::unique_ptr<Arena> arena = std::make_unique<Arena>();
    mutable std::size_t reads = 0;

    bool read(const expr::Variable& variable, expr::VariableValue& out) const override {
        ++reads;
        out = value_of(variable);
        return static_cast<bool>(out);
    }

private:
    std::string_view header(std::string_view key) const {
        for (const auto& [name, value] : headers) {
            if (expr::names_header(key, name)) return value;
        }
        return {};
    }
    expr::VariableValue text_or_absent(std::string_view text) const {
        return text.empty() ? expr::VariableValue() : expr::VariableValue::of(text);
    }
    expr::VariableValue graphql(expr::VariableKind kind) const {
        std::string_view document;
        if (!expr::graphql_document(method, header("content_type"), query, body, *arena, document)) return {};
        const expr::GraphqlOperation operation = expr::parse_graphql(document, *arena);
        if (!operation.valid) return {};
        if (kind == expr::VariableKind::graphql_root_fields) return operation.root_fields;
        return expr::VariableValue::of(kind == expr::VariableKind::graphql_name ? operation.name : operation.operation);
    }
    expr::VariableValue value_of(const expr::Variable& variable) const {
        using Kind = expr::VariableKind;
        switch (variable.kind) {
            case Kind::arg:
                return expr::find_argument(query, variable.key, *arena);
            case Kind::http:
                return text_or_absent(header(variable.key));
            case Kind::remote_addr:
                return expr::VariableValue::of(remote_addr);
            case Kind::request_method:
                return expr::VariableValue::of(method);
            case Kind::cookie: {
                std::string_view value;
                const bool found = expr::find_cookie(header("cookie"), variable.key, value);
                return found ? expr::VariableValue::of(value) : expr::VariableValue();
            }
            case Kind::post_arg_form:
            case Kind::post_arg_path:
                return expr::read_body_argument(variable, header("content_type"), body, *arena);
            case Kind::graphql_name:
            case Kind::graphql_operation:
            case Kind::graphql_root_fields:
                return graphql(variable.kind);
            default: {
                const auto at = others.find(variable.name);
                return at == others.end() ? expr::VariableValue() : expr::VariableValue::of(at->second);
            }
        }
    }
};

}  // namespace gateway::test
