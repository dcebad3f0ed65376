// Objects in the form of a route file: what apply and import read and what export writes.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/process/control_catalogue.hpp"

namespace gateway::process {

struct FileEdits {
    std::vector<store::Edit> edits;   // one for each item, in the order of the file
    std::vector<std::string> errors;  // of its form; the items themselves are not checked
};
// YAML or JSON; references to environment variables stay as they are written.
FileEdits edits_of_file(std::string_view text, std::string_view name);
// Every error of such a file as `gatewayctl check` would tell it, with its place; empty if it finds none.
std::vector<std::string> errors_of_file(const Catalogue& in_force, std::string_view text, const std::string& name);
// Secrets in the edits that no key of the ring reads.
std::vector<std::string> unreadable_secrets(const std::vector<store::Edit>& edits, const keyring::Keyring& ring);

// All objects in force, one on a line; secrets are encrypted if the ring can.
std::string file_of(const Catalogue& in_force, const std::string& heading);

// Objects of the store as they are kept, in the form of a route file in JSON, one on a line; the n-th of a kind is the
// n-th in its list.
std::string file_of_stored(const std::vector<store::StoredPtr>& objects);

// Objects without what does not matter to a comparison: secrets in plain text, no times.
using Contents = std::map<Catalogue::Key, json::Value>;
json::Value content_of(config::Kind kind, std::string_view id, std::string_view text, const keyring::Keyring& ring);
Contents contents_of(const sources::Document& document, const keyring::Keyring& ring);

// What turns one into the other, for people and programs: [{"object", "change", "before", "after"}], secrets masked.
json::Value changes_between(const Contents& before, const Contents& after);
// One row of it.
json::Value change_row(const Catalogue::Key& key, const json::Value* before, const json::Value* after);

}  // namespace gateway::process
