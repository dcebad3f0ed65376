#include "libgateway/store/database.hpp"

#include <fcntl.h>
#include <sqlite3.h>

#include <cerrno>
#include <cstring>

#include "libgateway/base/unique_fd.hpp"

namespace gateway::store {

namespace {

constexpr int lock_wait_ms = 1000;

// The path is SQLite's own name of the file; what it says of the system's error is more than its own text.
[[noreturn]] void fail(sqlite3* handle, const std::string& path) {
    std::string text = path + ": " + ::sqlite3_errmsg(handle);
    const int code = ::sqlite3_errcode(handle), system = ::sqlite3_system_errno(handle);
    const bool by_system = code == SQLITE_IOERR || code == SQLITE_CANTOPEN;
    if (by_system && system != 0) text.append(" (").append(std::strerror(system)).append(")");
    throw Failure(text);
}

sqlite3* handle_of(sqlite3_stmt* statement) noexcept {
    return ::sqlite3_db_handle(statement);
}

// Made beforehand: SQLite would let the umask decide who may read it. Its other files take the mode of this one.
void make_private(const std::string& path) {
    const UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!file && errno != EACCES && errno != EROFS) throw Failure(path + ": " + std::strerror(errno));
}

}  // namespace

Run::~Run() {
    ::sqlite3_reset(statement_);
    ::sqlite3_clear_bindings(statement_);
}

Run& Run::with(std::int64_t number) {
    ::sqlite3_bind_int64(statement_, ++bound_, number);
    return *this;
}

Run& Run::with(std::string_view text) {
    ::sqlite3_bind_text64(statement_, ++bound_, text.data() ? text.data() : "", text.size(), SQLITE_STATIC,
                          SQLITE_UTF8);
    return *this;
}

Run& Run::with_bytes(std::string_view bytes) {
    ::sqlite3_bind_blob64(statement_, ++bound_, bytes.data() ? bytes.data() : "", bytes.size(), SQLITE_STATIC);
    return *this;
}

bool Run::next() {
    const int result = ::sqlite3_step(statement_);
    if (result == SQLITE_ROW) return true;
    if (result != SQLITE_DONE) fail(handle_of(statement_), ::sqlite3_db_filename(handle_of(statement_), "main"));
    return false;
}

std::int64_t Run::number(int column) const noexcept {
    return ::sqlite3_column_int64(statement_, column);
}

std::string_view Run::text(int column) const noexcept {
    const auto* bytes = static_cast<const char*>(::sqlite3_column_blob(statement_, column));
    return {bytes ? bytes : "", static_cast<std::size_t>(::sqlite3_column_bytes(statement_, column))};
}

void Database::Close::operator()(sqlite3* handle) const noexcept {
    ::sqlite3_close_v2(handle);
}

Database::Database(std::string path) : path_(std::move(path)) {
    make_private(path_);
    sqlite3* handle = nullptr;
    const int result = ::sqlite3_open_v2(path_.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
    handle_.reset(handle);
    if (result != SQLITE_OK) fail(handle, path_);
    ::sqlite3_extended_result_codes(handle, 0);
    ::sqlite3_busy_timeout(handle, lock_wait_ms);
    execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864");
}

Database::~Database() = default;

void Database::execute(const char* text) {
    if (::sqlite3_exec(handle_.get(), text, nullptr, nullptr, nullptr) != SQLITE_OK) fail(handle_.get(), path_);
}

sqlite3_stmt* Database::prepare(std::string_view text) {
    sqlite3_stmt* statement = nullptr;
    const int size = static_cast<int>(text.size());
    if (::sqlite3_prepare_v3(handle_.get(), text.data(), size, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) !=
        SQLITE_OK)
        fail(handle_.get(), path_);
    return statement;
}

void Statement::Finish::operator()(sqlite3_stmt* statement) const noexcept {
    ::sqlite3_finalize(statement);
}

Transaction::Transaction(Database& database) : database_(database) {
    database_.execute("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
    if (!open_) return;
    try {
        database_.execute("ROLLBACK");
    } catch (const Failure&) {
        return;  // SQLite has rolled back itself: after a full disk, for one
    }
}

void Transaction::commit() {
    database_.execute("COMMIT");
    open_ = false;
}

}  // namespace gateway::store
