// The embedded store: objects made at run time and the numbered history of everything that was applied, in one file.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "libgateway/store/database.hpp"
#include "libgateway/store/difference.hpp"
#include "libgateway/store/object.hpp"

namespace gateway::store {

// An object with its rank among those of its kind.
struct Entry {
    StoredPtr object;
    std::uint64_t order = 0;
};

// One applied configuration.
struct Revision {
    std::uint64_t number = 0;
    std::int64_t at_ms = 0;  // wall clock
    Author author;
    std::string action;  // start, reload, put, delete, apply, import, rollback, revert, expiry
    std::string source;  // the route file or a file that was applied; may be empty
    std::string digest;  // of the whole document
    std::uint64_t changes = 0;
};

// An applied revision that will be taken back: at the deadline, or when too many answers are of a class.
struct Trial {
    std::uint64_t revision = 0;
    std::int64_t started_ms = 0, deadline_ms = 0;  // wall clock; no deadline: until it is confirmed
    bool confirm = false;                          // reverts at the deadline; else it stays then
    std::string revert_if;                         // "5xx>5%"; empty: nothing is watched
};

struct Limits {
    std::uint64_t revisions = 10'000;
    std::uint64_t bytes = 256 << 20;  // of packed differences
};

// Objects of both layers by what they were before; nothing: they were not there.
using ObjectKey = std::tuple<Layer, config::Kind, std::string>;
using Past = std::map<ObjectKey, std::optional<Side>>;

// One thread, one process. Every call throws Failure when the file does not do its part; a write that threw changed
// nothing. Each call that writes is on disk when it returns.
class Store {
public:
    Store(std::string path, Limits limits);

    struct Contents {
        std::vector<Entry> objects;
        std::uint64_t last = 0;   // number of the newest revision; 0: none yet
        std::string last_digest;  // of its document
        std::optional<Trial> trial;
    };
    // Also proves that every object is what was written.
    Contents load();
    // The same without objects, of which nothing is proved.
    Contents load_history();

    // What a revision does to the store.
    struct Write {
        Revision revision;
        std::vector<Entry> put;
        std::vector<std::pair<config::Kind, std::string>> erased;
        Difference difference;
        std::optional<Trial> trial;
        bool ends_trial = false;
    };
    void commit(const Write& write);
    // What a write would have to say for the store to hold these objects and no others. Ranks and revisions that differ
    // are no difference.
    Write changes_to(const std::vector<Entry>& objects);
    void end_trial();
    void limit(Limits limits) noexcept { limits_ = limits; }

    // The newest first.
    std::vector<Revision> history(std::uint64_t most);
    std::optional<Revision> revision(std::uint64_t number);
    Difference difference(std::uint64_t number);
    // What every object that changed since was at that revision.
    Past since(std::uint64_t number);
    std::uint64_t oldest();

private:
    void prune(std::uint64_t newest);
    struct Statements;
    struct Forget {
        void operator()(Statements* statements) const noexcept;
    };
    Database database_;
    std::unique_ptr<Statements, Forget> statements_;
    Limits limits_;
    std::uint64_t bytes_ = 0;  // of all differences
};

}  // namespace gateway::store
