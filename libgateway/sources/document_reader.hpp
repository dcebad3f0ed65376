// From a parsed route file to a document: walks the lists, checks every item, reports everything that is wrong.
#pragma once

#include "libgateway/json/value.hpp"
#include "libgateway/sources/route_file.hpp"

namespace gateway::sources {

// Of kinds that are config::is_idle.
inline constexpr std::string_view idle_note = "stored; not used by this build";

// Takes from an item what only files have (`modifiedIndex`; the id of plugin_metadata, whose other members are the
// metadata), and gives plugins without settings empty ones.
void normalise_item(config::Kind kind, json::Value& item);

// What an item of a list is called: its id or username, else its place ("arr_3", counted from 1).
std::string id_of_item(config::Kind kind, const json::Value& item, std::size_t position);

// Fills diagnostics, dropped lines and, if the file can be used, the document of `result`. Changes `file`.
void read_document(json::Value& file, const RouteFileSettings& settings, const CheckRules& rules,
                   const Document& previous, RouteFileResult& result);

}  // namespace gateway::sources
