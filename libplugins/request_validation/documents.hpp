// Parts of a request as JSON documents, for schemas to look at.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "libgateway/base/arena.hpp"
#include "libgateway/http/fields.hpp"
#include "libgateway/json/value.hpp"

namespace gateway::plugins {

// Lower-case names; a repeated field is an array of strings.
json::Value document_of(const http::Fields& fields);

// Whether a Content-Type says that the body is an urlencoded form.
bool is_form(std::string_view content_type) noexcept;

// Values are strings, `true` without `=`, arrays where a name is repeated.
json::Value document_of_form(std::string_view body, Arena& arena);

// Nothing, with the parser's text in `why`, if the body is no JSON.
std::optional<json::Value> document_of_json(std::string_view body, std::string& why);

}  // namespace gateway::plugins
