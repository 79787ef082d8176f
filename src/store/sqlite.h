#pragma once
// SQLite behind Result: a connection, prepared statements kept by their text, and a transaction that rolls back by itself.
//   MAGPIE_TRY(Database db, Database::open(path, {}));
//   MAGPIE_TRY(Query rows, db.query("SELECT id, url FROM urls WHERE kind = ?", 2));
//   while (true) {
//     MAGPIE_TRY(bool more, rows.next());
//     if (!more) break;
//     use(rows.int64(0), rows.text(1));
//   }
//   MAGPIE_TRY_DO(db.run("UPDATE urls SET kind = ? WHERE id = ?", 1, id));
//
// Errors of all calls: kBusy (somebody else writes for longer than busy_timeout), kCorrupt (damaged file, or none of SQLite's),
// kUnavailable (disk full, I/O), kForbidden (written to while read-only), kNotFound (open only), kInternal (a fault in the SQL).
// Threads: a Database and its queries belong to one thread at a time. It must outlive its queries, and may be moved only without any.
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/files.h"
#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace magpie {

/// Bytes to bind as a BLOB; plain text is bound as TEXT.
struct Blob {
  std::string_view bytes;
};

struct DatabaseOptions {
  bool read_only = false;
  std::chrono::milliseconds busy_timeout{10'000};
  bool sync_on_commit = true;  // a commit survives a power cut; false: it survives only a killed process
  int cache_kib = 16 * 1024;
  std::int64_t mapped_max = 0;  // bytes of the file that are read where the system holds them, not copied; SQLite takes up to 2 GiB
};

namespace detail {
struct Connection;
}

/// The rows of one statement. Gives the statement back to its connection when it goes.
class Query {
 public:
  Query(Query&& other) noexcept;
  Query& operator=(Query&&) = delete;
  ~Query();

  /// Steps to the next row; false behind the last.
  Result<bool> next();

  // Columns of the current row, from 0. NULL reads as 0 or empty. Views live until the next next().
  std::int64_t int64(int column) const;
  double real(int column) const;
  std::string_view text(int column) const;
  std::string string(int column) const { return std::string(text(column)); }
  std::string_view blob(int column) const;
  bool is_null(int column) const;

 private:
  friend class Database;
  using Statements = std::vector<sqlite3_stmt*>;
  Query(detail::Connection* connection, Statements& idle, sqlite3_stmt* statement)
      : connection_(connection), idle_(&idle), statement_(statement) {}
  Result<void> bind_int64(int at, std::int64_t value);
  Result<void> bind_real(int at, double value);
  Result<void> bind_text(int at, std::string_view value);
  Result<void> bind_blob(int at, std::string_view value);
  Result<void> bind_null(int at);

  template <class T>
  Result<void> bind(int at, const T& value) {
    if constexpr (std::is_same_v<T, std::nullopt_t>) return bind_null(at);
    else if constexpr (std::is_integral_v<T>) return bind_int64(at, static_cast<std::int64_t>(value));
    else if constexpr (std::is_floating_point_v<T>) return bind_real(at, value);
    else if constexpr (std::is_same_v<T, Blob>) return bind_blob(at, value.bytes);
    else return bind_text(at, value);
  }
  template <class T>
  Result<void> bind(int at, const std::optional<T>& value) {
    return value ? bind(at, *value) : bind_null(at);
  }
  template <class... Args>
  Result<void> bind_all(const Args&... args) {
    int at = 0;
    Result<void> done;
    (void)((done = bind(++at, args), done.has_value()) && ...);
    return done;
  }

  detail::Connection* connection_ = nullptr;
  Statements* idle_ = nullptr;  // the connection's: of the same text, and in no use
  sqlite3_stmt* statement_ = nullptr;
};

class Database {
 public:
  /// Makes the file unless read_only. WAL, foreign keys on.
  static Result<Database> open(const fs::path& file, const DatabaseOptions& options);
  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;
  ~Database();

  /// Prepares (once per text, which is kept: values belong into `args`) and binds; text and blobs are copied.
  template <class... Args>
  Result<Query> query(std::string_view sql, const Args&... args) {
    MAGPIE_TRY(Query prepared, prepare(sql));
    MAGPIE_TRY_DO(prepared.bind_all(args...));
    return prepared;
  }
  /// Runs a statement to its end and gives the number of rows it changed.
  template <class... Args>
  Result<std::int64_t> run(std::string_view sql, const Args&... args) {
    MAGPIE_TRY(Query prepared, query(sql, args...));
    return finish(prepared);
  }
  /// Several statements without parameters, not kept: schemas, pragmas.
  Result<void> execute(const std::string& sql);
  std::int64_t last_id() const;

 private:
  explicit Database(std::unique_ptr<detail::Connection> connection);
  Result<Query> prepare(std::string_view sql);
  Result<std::int64_t> finish(Query& query);
  std::unique_ptr<detail::Connection> connection_;
};

/// BEGIN to COMMIT; destroyed without commit() it rolls back. The database must outlive it and stay where it is.
class Transaction {
 public:
  enum class Kind { kRead, kWrite };
  static Result<Transaction> begin(Database& database, Kind kind);
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Result<void> commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;
};

}  // namespace magpie
