#include "store/sqlite.h"

#include <sqlite3.h>

#include <unordered_map>

namespace magpie {
namespace detail {

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

struct Connection {
  std::string name;
  sqlite3* handle = nullptr;
  std::unordered_map<std::string, std::vector<sqlite3_stmt*>, TextHash, std::equal_to<>> idle;  // by their text

  ~Connection() {
    for (auto& [sql, statements] : idle) {
      for (sqlite3_stmt* statement : statements) sqlite3_finalize(statement);
    }
    sqlite3_close(handle);
  }
};

}  // namespace detail

namespace {

Code code_of(int error) {
  switch (error & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return Code::kBusy;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return Code::kCorrupt;
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
    case SQLITE_CANTOPEN: return Code::kUnavailable;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH: return Code::kForbidden;
    case SQLITE_TOOBIG: return Code::kTooLarge;
    default: return Code::kInternal;
  }
}

Failure fail_sqlite(const detail::Connection& connection, int error) {
  return fail(code_of(error), "{}: {}", connection.name, sqlite3_errmsg(connection.handle));
}

// SQLite reads a null pointer as NULL; an empty text is a text.
const char* data_of(std::string_view text) { return text.data() == nullptr ? "" : text.data(); }

}  // namespace

Query::Query(Query&& other) noexcept
    : connection_(other.connection_), idle_(other.idle_), statement_(std::exchange(other.statement_, nullptr)) {}

Query::~Query() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
  idle_->push_back(statement_);
}

Result<bool> Query::next() {
  const int got = sqlite3_step(statement_);
  if (got == SQLITE_ROW) return true;
  if (got == SQLITE_DONE) return false;
  return fail_sqlite(*connection_, got);
}

std::int64_t Query::int64(int column) const { return sqlite3_column_int64(statement_, column); }
double Query::real(int column) const { return sqlite3_column_double(statement_, column); }
bool Query::is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

std::string_view Query::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (text == nullptr) return {};
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::string_view Query::blob(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

Result<void> Query::bind_int64(int at, std::int64_t value) {
  const int done = sqlite3_bind_int64(statement_, at, value);
  if (done != SQLITE_OK) return fail_sqlite(*connection_, done);
  return {};
}

Result<void> Query::bind_real(int at, double value) {
  const int done = sqlite3_bind_double(statement_, at, value);
  if (done != SQLITE_OK) return fail_sqlite(*connection_, done);
  return {};
}

Result<void> Query::bind_text(int at, std::string_view value) {
  const int done = sqlite3_bind_text64(statement_, at, data_of(value), value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  if (done != SQLITE_OK) return fail_sqlite(*connection_, done);
  return {};
}

Result<void> Query::bind_blob(int at, std::string_view value) {
  const int done = sqlite3_bind_blob64(statement_, at, data_of(value), value.size(), SQLITE_TRANSIENT);
  if (done != SQLITE_OK) return fail_sqlite(*connection_, done);
  return {};
}

Result<void> Query::bind_null(int at) {
  const int done = sqlite3_bind_null(statement_, at);
  if (done != SQLITE_OK) return fail_sqlite(*connection_, done);
  return {};
}

Database::Database(std::unique_ptr<detail::Connection> connection) : connection_(std::move(connection)) {}
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;
Database::~Database() = default;

Result<Database> Database::open(const fs::path& file, const DatabaseOptions& options) {
  auto connection = std::make_unique<detail::Connection>();
  connection->name = file.string();
  std::error_code ignored;
  if (options.read_only && !fs::exists(file, ignored)) return fail(Code::kNotFound, "{} is not there", connection->name);
  // NOMUTEX: a connection belongs to one thread at a time, so SQLite need not lock each call.
  const int flags = SQLITE_OPEN_NOMUTEX | (options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  const int opened = sqlite3_open_v2(connection->name.c_str(), &connection->handle, flags, nullptr);
  if (opened != SQLITE_OK) return fail_sqlite(*connection, opened);
  sqlite3_extended_result_codes(connection->handle, 1);
  sqlite3_busy_timeout(connection->handle, static_cast<int>(options.busy_timeout.count()));
  Database database(std::move(connection));
  MAGPIE_TRY_DO(
      database.execute(fmt::format("PRAGMA foreign_keys = ON; PRAGMA cache_size = -{}; PRAGMA mmap_size = {}; PRAGMA temp_store = MEMORY;",
                                   options.cache_kib, options.mapped_max)));
  if (!options.read_only) {
    MAGPIE_TRY_DO(
        database.execute(fmt::format("PRAGMA journal_mode = WAL; PRAGMA synchronous = {};", options.sync_on_commit ? "FULL" : "NORMAL")));
  }
  return database;
}

Result<Query> Database::prepare(std::string_view sql) {
  auto known = connection_->idle.find(sql);
  if (known == connection_->idle.end()) known = connection_->idle.try_emplace(std::string(sql)).first;
  auto& idle = known->second;
  if (!idle.empty()) {
    sqlite3_stmt* statement = idle.back();
    idle.pop_back();
    return Query(connection_.get(), idle, statement);
  }
  sqlite3_stmt* statement = nullptr;
  const int done =
      sqlite3_prepare_v3(connection_->handle, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (done != SQLITE_OK) return fail_sqlite(*connection_, done);
  return Query(connection_.get(), idle, statement);
}

Result<std::int64_t> Database::finish(Query& query) {
  while (true) {
    MAGPIE_TRY(const bool more, query.next());
    if (!more) return sqlite3_changes64(connection_->handle);
  }
}

Result<void> Database::execute(const std::string& sql) {
  const int done = sqlite3_exec(connection_->handle, sql.c_str(), nullptr, nullptr, nullptr);
  if (done != SQLITE_OK) return fail_sqlite(*connection_, done);
  return {};
}

std::int64_t Database::last_id() const { return sqlite3_last_insert_rowid(connection_->handle); }

Result<Transaction> Transaction::begin(Database& database, Kind kind) {
  // IMMEDIATE takes the write lock now: a transaction that starts by reading could otherwise be refused at its first write.
  if (kind == Kind::kWrite) {
    MAGPIE_TRY_DO(database.run("BEGIN IMMEDIATE"));
  } else {
    MAGPIE_TRY_DO(database.run("BEGIN"));
  }
  return Transaction(database);
}

Transaction::~Transaction() {
  // A failed statement may have rolled back already; a second rollback is then an error of no interest.
  if (database_ != nullptr) (void)database_->run("ROLLBACK");
}

Result<void> Transaction::commit() {
  MAGPIE_TRY_DO(database_->run("COMMIT"));
  database_ = nullptr;
  return {};
}

}  // namespace magpie
