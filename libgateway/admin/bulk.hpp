// Many objects in one request: checked together, applied as one revision or not at all.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <vector>

#include "libgateway/admin/message.hpp"
#include "libgateway/admin/objects.hpp"
#include "libgateway/admin/target.hpp"
#include "libgateway/json/value.hpp"

namespace gateway::admin {

// One object of a document in the form of a route file.
struct BulkItem {
    config::Kind kind{};
    std::string id;     // in the store
    json::Value value;  // secrets open
};
struct BulkError {
    enum class About : std::uint8_t { item, list, document };  // document: the text says all
    std::string list, id;
    std::size_t index = 0;  // in its list, from 0
    std::string text;
    About about = About::item;
};
struct BulkDocument {
    std::vector<BulkItem> items;
    std::vector<BulkError> errors;
    std::string malformed;       // it is no such document at all
    bool names_plugins = false;  // it has a list of the plugins that may run
};

// The body of a request that is a document: JSON, or YAML where its type says so. Fills `document`, or answers what is
// wrong with it.
std::optional<Reply> read_document(const Request& request, json::Value& document);

// Every object of it with all that can be wrong with it on its own, and names that stand there twice. Versions of lists
// must be numbers; a list of plugins decides which of them objects may name.
BulkDocument read_bulk(const json::Value& document, const sources::CheckRules& rules, const keyring::Keyring* ring);

// `segments` below /apisix/admin: "configs", or "configs", "validate".
//   POST /configs/validate   200 {} or 400 with all errors
//   PUT /configs             makes and replaces what the body names; with ?prune=true deletes what it does not name
boost::asio::awaitable<Reply> answer_bulk(Objects& objects, const Request& request, const Target& target,
                                          const std::vector<std::string>& segments, store::Author author);

}  // namespace gateway::admin
