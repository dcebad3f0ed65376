// A connection to an SQLite file and its statements: errors are exceptions, nothing is left open.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace gateway::store {

// What a file cannot do, in one line that names it: "/var/lib/gateway/store.db: database disk image is malformed".
struct Failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// One run of a prepared statement; put back when it goes. Parameters and columns count from 0 in the order written.
class Run {
public:
    explicit Run(sqlite3_stmt* statement) noexcept : statement_(statement) {}
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;
    ~Run();

    // Texts must outlive the run.
    Run& with(std::int64_t number);
    Run& with(std::string_view text);
    Run& with_bytes(std::string_view bytes);
    // True while there is a row. Throws Failure.
    bool next();
    // For statements without rows.
    void done() { next(); }
    std::int64_t number(int column) const noexcept;
    // Valid until the next step.
    std::string_view text(int column) const noexcept;

private:
    sqlite3_stmt* statement_;
    int bound_ = 0;
};

// One thread.
class Database {
public:
    // Opens or makes the file (mode 0600) for durable writing: WAL, synchronous FULL. Throws Failure.
    explicit Database(std::string path);
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;
    ~Database();

    const std::string& path() const noexcept { return path_; }
    // Several statements without parameters or rows.
    void execute(const char* text);
    sqlite3_stmt* prepare(std::string_view text);

private:
    struct Close {
        void operator()(sqlite3* handle) const noexcept;
    };
    std::string path_;
    std::unique_ptr<sqlite3, Close> handle_;
};

// Kept prepared for the life of its database.
class Statement {
public:
    Statement(Database& database, std::string_view text) : statement_(database.prepare(text)) {}
    Run run() const noexcept { return Run(statement_.get()); }

private:
    struct Finish {
        void operator()(sqlite3_stmt* statement) const noexcept;
    };
    std::unique_ptr<sqlite3_stmt, Finish> statement_;
};

// All or nothing: undone unless commit() returned.
class Transaction {
public:
    explicit Transaction(Database& database);
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    ~Transaction();
    // On disk when it returns. Throws Failure: then nothing was changed.
    void commit();

private:
    Database& database_;
    bool open_ = true;
};

}  // namespace gateway::store
