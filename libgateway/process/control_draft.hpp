// Changes to objects of the store, thought through before anybody hears of them; and what revisions changed, for the
// history.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "libgateway/process/control_catalogue.hpp"

namespace gateway::process {

// Several edits as one: checked together, in force together or not at all. Valid while the caller holds the pass for
// writes.
struct Draft {
    struct Step {
        Catalogue::Key key;
        Catalogue::Shelved before, after;         // not there(): made, or removed; `before.object` is what workers have
        std::optional<std::uint64_t> expected{};  // as the edit says
        std::shared_ptr<store::Stored> fresh;     // what `after` keeps, until it is stamped
        bool keeps_end = false;                   // as the edit says
        bool changes_workers() const noexcept;
    };
    store::WriteStatus status = store::WriteStatus::ok;
    std::vector<std::string> errors, warnings;  // any error: the rest is void
    std::vector<Step> steps;                    // each object once
    config::Digest after;                       // of the document with them

    std::vector<config::Change> changes() const;
    store::Difference difference() const;
    // Leaves out what would be the same as before.
    void drop_unchanged();
    // Gives what is made its revisions, and its times where they are not written in it.
    void stamp(std::uint64_t revision);
    // The store's part of it.
    void fill(store::Store::Write& write) const;
    std::vector<store::StoredPtr> made() const;
};

// What becomes of an edit of an object that the route file defines.
enum class Owned : std::uint8_t {
    refuse,
    pass_over_same,  // one that says the same is left out
};
// `in_force`: what is changed. Never throws for what the edits say.
Draft draft_of(const Catalogue& in_force, const std::vector<store::Edit>& edits, Owned owned = Owned::refuse);
// Of what another place stores already: a certificate that cannot be served keeps its names.
Draft draft_of_stored(const Catalogue& in_force, const std::vector<store::Edit>& edits);

// As workers get it: with its id, without times, which do not concern them. The same from what was sent as from what is
// stored.
sources::ObjectPtr object_for_workers(config::Kind kind, const std::string& id, std::uint64_t order,
                                      const sources::CheckedObject& checked);

// What the reading changes of the objects of the files, with their secrets encrypted. Of settings only that they
// differ.
store::Difference file_difference(const sources::Document& active, const sources::Document& file,
                                  const Catalogue::Reading& reading, const keyring::Keyring& ring);

}  // namespace gateway::process
