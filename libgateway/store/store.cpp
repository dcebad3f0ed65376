#include "libgateway/store/store.hpp"

#include <cstring>

namespace gateway::store {

namespace {

constexpr std::int64_t format = 1;

constexpr const char* tables =
    "CREATE TABLE IF NOT EXISTS objects(kind INTEGER, id TEXT, json TEXT, rank INTEGER, created INTEGER,"
    " modified INTEGER, expires INTEGER, hash BLOB, PRIMARY KEY(kind, id)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS revisions(number INTEGER PRIMARY KEY, at INTEGER, author TEXT, peer TEXT, action TEXT,"
    " source TEXT, digest TEXT, changes INTEGER, bytes INTEGER, difference BLOB);"
    "CREATE TABLE IF NOT EXISTS trial(revision INTEGER, started INTEGER, deadline INTEGER, confirm INTEGER,"
    " revert_if TEXT);";

constexpr std::string_view all_objects = "SELECT kind, id, json, rank, created, modified, expires, hash FROM objects";

// Proves at the next start that the file gives back what it was given.
std::string hash_of_row(const Stored& object, std::uint64_t order) {
    const Hash128 hash = config::hash_of({object.kind, false, object.id, order, object.json});
    std::string bytes(sizeof hash.low + sizeof hash.high, '\0');
    std::memcpy(bytes.data(), &hash.low, sizeof hash.low);
    std::memcpy(bytes.data() + sizeof hash.low, &hash.high, sizeof hash.high);
    return bytes;
}

void make_tables(Database& database) {
    std::int64_t version = 0;
    {
        const Statement asks(database, "PRAGMA user_version");
        Run run = asks.run();
        if (run.next()) version = run.number(0);
    }
    if (version == format) return;
    if (version != 0)
        throw Failure(database.path() + ": written by another version of the gateway (format " +
                      std::to_string(version) + ", expected " + std::to_string(format) + ")");
    Transaction transaction(database);
    database.execute(tables);
    database.execute(("PRAGMA user_version = " + std::to_string(format)).c_str());
    transaction.commit();
}

Entry entry_of(const Run& row, const std::string& path) {
    Stored object;
    object.kind = static_cast<config::Kind>(row.number(0));
    object.id = row.text(1);
    object.json = row.text(2);
    const auto order = static_cast<std::uint64_t>(row.number(3));
    object.created = static_cast<std::uint64_t>(row.number(4));
    object.modified = static_cast<std::uint64_t>(row.number(5));
    object.expires_ms = row.number(6);
    if (row.number(0) < 0 || row.number(0) >= config::kind_count || row.text(7) != hash_of_row(object, order))
        throw Failure(path + ": damaged: an object is not what was written");
    return {std::make_shared<const Stored>(std::move(object)), order};
}

Side side_of(const Entry& entry) {
    return {entry.object->json, entry.order, entry.object->expires_ms};
}

Revision revision_of(const Run& row) {
    Revision revision;
    revision.number = static_cast<std::uint64_t>(row.number(0));
    revision.at_ms = row.number(1);
    revision.author = {std::string(row.text(2)), std::string(row.text(3))};
    revision.action = row.text(4);
    revision.source = row.text(5);
    revision.digest = row.text(6);
    revision.changes = static_cast<std::uint64_t>(row.number(7));
    return revision;
}

}  // namespace

struct Store::Statements {
    explicit Statements(Database& database)
        : put(database, "INSERT OR REPLACE INTO objects VALUES(?, ?, ?, ?, ?, ?, ?, ?)"),
          erase(database, "DELETE FROM objects WHERE kind = ? AND id = ?"),
          add_revision(database, "INSERT INTO revisions VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
          oldest(database, "SELECT number, bytes FROM revisions ORDER BY number LIMIT 1"),
          forget(database, "DELETE FROM revisions WHERE number = ?"),
          end_trial(database, "DELETE FROM trial"),
          start_trial(database, "INSERT INTO trial VALUES(?, ?, ?, ?, ?)") {}
    Statement put, erase, add_revision, oldest, forget, end_trial, start_trial;
};

void Store::Forget::operator()(Statements* statements) const noexcept {
    delete statements;
}

Store::Store(std::string path, Limits limits) : database_(std::move(path)), limits_(limits) {
    make_tables(database_);
    statements_.reset(new Statements(database_));
    const Statement sum(database_, "SELECT coalesce(sum(bytes), 0) FROM revisions");
    Run run = sum.run();
    if (run.next()) bytes_ = static_cast<std::uint64_t>(run.number(0));
}

Store::Contents Store::load() {
    Contents contents = load_history();
    const Statement objects(database_, all_objects);
    for (Run row = objects.run(); row.next();) contents.objects.push_back(entry_of(row, database_.path()));
    return contents;
}

Store::Contents Store::load_history() {
    Contents contents;
    const Statement last(database_, "SELECT number, digest FROM revisions ORDER BY number DESC LIMIT 1");
    if (Run row = last.run(); row.next()) {
        contents.last = static_cast<std::uint64_t>(row.number(0));
        contents.last_digest = row.text(1);
    }
    const Statement trial(database_, "SELECT revision, started, deadline, confirm, revert_if FROM trial");
    if (Run row = trial.run(); row.next()) {
        contents.trial = Trial{static_cast<std::uint64_t>(row.number(0)), row.number(1), row.number(2),
                               row.number(3) != 0, std::string(row.text(4))};
    }
    return contents;
}

void Store::commit(const Write& write) {
    const std::string packed = pack(write.difference);
    const auto number = static_cast<std::int64_t>(write.revision.number);
    const std::uint64_t bytes_before = bytes_;
    Transaction transaction(database_);
    for (const auto& [kind, id] : write.erased)
        statements_->erase.run().with(static_cast<std::int64_t>(kind)).with(id).done();
    for (const Entry& entry : write.put) {
        const Stored& object = *entry.object;
        const std::string hash = hash_of_row(object, entry.order);
        statements_->put.run()
            .with(static_cast<std::int64_t>(object.kind))
            .with(object.id)
            .with(object.json)
            .with(static_cast<std::int64_t>(entry.order))
            .with(static_cast<std::int64_t>(object.created))
            .with(static_cast<std::int64_t>(object.modified))
            .with(object.expires_ms)
            .with_bytes(hash)
            .done();
    }
    const Revision& made = write.revision;
    statements_->add_revision.run()
        .with(number)
        .with(made.at_ms)
        .with(made.author.name)
        .with(made.author.from)
        .with(made.action)
        .with(made.source)
        .with(made.digest)
        .with(static_cast<std::int64_t>(made.changes))
        .with(static_cast<std::int64_t>(packed.size()))
        .with_bytes(packed)
        .done();
    if (write.ends_trial || write.trial) statements_->end_trial.run().done();
    if (const auto& trial = write.trial) {
        statements_->start_trial.run()
            .with(number)
            .with(trial->started_ms)
            .with(trial->deadline_ms)
            .with(trial->confirm ? 1 : 0)
            .with(trial->revert_if)
            .done();
    }
    try {
        bytes_ += packed.size();
        prune(write.revision.number);
        transaction.commit();
    } catch (...) {
        bytes_ = bytes_before;
        throw;
    }
}

Store::Write Store::changes_to(const std::vector<Entry>& objects) {
    std::map<std::pair<config::Kind, std::string_view>, const Entry*> fresh;
    for (const Entry& entry : objects) fresh[{entry.object->kind, entry.object->id}] = &entry;
    Write write;
    const Statement known(database_, all_objects);
    for (Run row = known.run(); row.next();) {
        const Entry old = entry_of(row, database_.path());
        const Side before = side_of(old);
        const auto found = fresh.find({old.object->kind, std::string_view(old.object->id)});
        if (found == fresh.end()) {
            write.erased.emplace_back(old.object->kind, old.object->id);
            write.difference.push_back({Layer::store, old.object->kind, old.object->id, before, std::nullopt});
            continue;
        }
        const Entry& now = *found->second;
        fresh.erase(found);
        if (now.object->json == before.json) continue;
        write.put.push_back(now);
        write.difference.push_back({Layer::store, now.object->kind, now.object->id, before, side_of(now)});
    }
    for (const auto& one : fresh) {
        const Entry& now = *one.second;
        write.put.push_back(now);
        write.difference.push_back({Layer::store, now.object->kind, now.object->id, std::nullopt, side_of(now)});
    }
    return write;
}

// The newest stays whatever its size. As many rows are looked at as are removed.
void Store::prune(std::uint64_t newest) {
    for (;;) {
        std::int64_t number = 0, size = 0;
        {
            Run row = statements_->oldest.run();
            if (!row.next()) return;
            number = row.number(0);
            size = row.number(1);
        }
        const bool many = newest - static_cast<std::uint64_t>(number) >= limits_.revisions;
        if (static_cast<std::uint64_t>(number) == newest || (!many && bytes_ <= limits_.bytes)) return;
        statements_->forget.run().with(number).done();
        bytes_ -= static_cast<std::uint64_t>(size);
    }
}

void Store::end_trial() {
    statements_->end_trial.run().done();
}

std::vector<Revision> Store::history(std::uint64_t most) {
    const Statement rows(database_,
                         "SELECT number, at, author, peer, action, source, digest, changes FROM revisions"
                         " ORDER BY number DESC LIMIT ?");
    std::vector<Revision> list;
    Run row = rows.run();
    row.with(static_cast<std::int64_t>(most));
    while (row.next()) list.push_back(revision_of(row));
    return list;
}

std::optional<Revision> Store::revision(std::uint64_t number) {
    const Statement rows(database_,
                         "SELECT number, at, author, peer, action, source, digest, changes FROM revisions"
                         " WHERE number = ?");
    Run row = rows.run();
    row.with(static_cast<std::int64_t>(number));
    return row.next() ? std::optional(revision_of(row)) : std::nullopt;
}

Difference Store::difference(std::uint64_t number) {
    const Statement rows(database_, "SELECT difference FROM revisions WHERE number = ?");
    Run row = rows.run();
    row.with(static_cast<std::int64_t>(number));
    return row.next() ? unpack(row.text(0)) : Difference();
}

// The newest first, so that the oldest word on an object, which is written last, is the one that stays.
Past Store::since(std::uint64_t number) {
    const Statement rows(database_, "SELECT difference FROM revisions WHERE number > ? ORDER BY number DESC");
    Past past;
    Run row = rows.run();
    row.with(static_cast<std::int64_t>(number));
    while (row.next()) {
        for (ObjectChange& change : unpack(row.text(0)))
            past[{change.layer, change.kind, std::move(change.id)}] = std::move(change.before);
    }
    return past;
}

std::uint64_t Store::oldest() {
    Run row = statements_->oldest.run();
    return row.next() ? static_cast<std::uint64_t>(row.number(0)) : 0;
}

}  // namespace gateway::store
