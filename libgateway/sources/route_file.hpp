// The route file: read whole, checked whole, and turned into a document, or refused with everything that is wrong with
// it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/config/diagnostic.hpp"
#include "libgateway/config/environment.hpp"
#include "libgateway/sources/check.hpp"
#include "libgateway/sources/document.hpp"

namespace gateway::sources {

struct RouteFileSettings {
    std::string path;
    bool json = false;                // else YAML
    bool require_end_marker = false;  // only YAML
    bool drop_invalid = false;        // leave bad items out instead of refusing the file
};

// An item that is not in force because the checks refuse it.
struct LeftOut {
    std::string resource, id, error;  // "routes", "12" (its position if it is no object), the first error
};

struct RouteFileResult {
    std::optional<Document> document;  // absent: the previous configuration stays
    config::Diagnostics diagnostics;
    std::vector<std::string> dropped;  // with drop_invalid: a log line for each item left out
    std::vector<LeftOut> left_out;     // the same items
};

// `previous` gives unchanged objects their order keys, so that a later diff is as small as the edit.
RouteFileResult parse_route_file(std::string_view text, const RouteFileSettings& settings, const CheckRules& rules,
                                 const config::Environment& environment, const Document& previous);
// The same from disk; an unreadable file is an error that names owner and mode.
RouteFileResult read_route_file(const RouteFileSettings& settings, const CheckRules& rules,
                                const config::Environment& environment, const Document& previous);

// One object given alone, YAML or JSON text, checked like an item of the file.
struct CheckedObject {
    json::Value written;  // as it was given
    json::Value checked;  // as workers get it: normalised, secrets in plain text
};
// `exists` tells of all other objects. Nothing is returned if it was refused.
std::optional<CheckedObject> check_object(config::Kind kind, std::string_view id, std::string_view text,
                                          std::string_view file, const CheckRules& rules, const Exists& exists,
                                          config::Diagnostics& diagnostics);

// The same, made an object of the document. The result stands behind all others of its kind, or keeps the rank of the
// object that it replaces. Nothing is returned if it was refused.
ObjectPtr parse_object(config::Kind kind, std::string_view id, std::string_view text, std::string_view file,
                       const CheckRules& rules, const Document& current, config::Diagnostics& diagnostics);

}  // namespace gateway::sources
