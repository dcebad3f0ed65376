// The first operation of a GraphQL document: type, name, first-level fields (`graphql_*`).
#pragma once

#include <string_view>

#include "libgateway/base/arena.hpp"
#include "libgateway/expr/variable.hpp"

namespace gateway::expr {

struct GraphqlOperation {
    bool valid = false;          // false: a syntax error, nested too deep, or the first definition is no operation
    std::string_view operation;  // query, mutation, subscription
    std::string_view name;       // or empty
    VariableValue root_fields;   // list of names (not aliases) in their order
};

// Checks the whole document (executable definitions of the GraphQL language). Results view `document` or live in
// `arena`.
GraphqlOperation parse_graphql(std::string_view document, Arena& arena);

// Where the document is (router.md 9.2): GET takes it from the query parameter `query`; POST of exactly
// `application/json` from the member `query`; another POST is the document. False if there is none there.
bool graphql_document(std::string_view method, std::string_view content_type, std::string_view query_string,
                      std::string_view body, Arena& arena, std::string_view& document);

}  // namespace gateway::expr
