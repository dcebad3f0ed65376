// The calls about schemas and plugins: documents for people and tools, and checks of a body against them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libgateway/admin/message.hpp"
#include "libgateway/admin/objects.hpp"
#include "libgateway/admin/target.hpp"

namespace gateway::admin {

// `segments` below /apisix/admin: "schema" or "plugins" and what follows.
Reply answer_about_schemas(const Objects& objects, std::string_view method, const std::string& body,
                           const std::vector<std::string>& segments, const Target& target);

// A real JSON Schema of an object's kind ("route", "credential", "plugins", "id_schema" …); null if there is none.
json::Value schema_document(std::string_view name);
// Every plugin by its name: version, priority, schemas, type, scope. Nothing listed: all that this program has.
json::Value all_plugins(const std::optional<std::vector<std::string>>& enabled);

}  // namespace gateway::admin
