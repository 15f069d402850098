#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace bascule::stats::sqlite {

/// A failed call with SQLite's extended result code.
struct SqlError {
  int code;
  std::string what;

  /// The file should be replaced: it cannot be trusted (corrupt, not a database, I/O or fsync
  /// error) or says of itself that it is read-only; as opposed to one that only cannot be written
  /// now (disk full, locked).
  [[nodiscard]] bool is_damage() const;
};

/// For callers that do not look at codes: kUnavailable.
[[nodiscard]] Error to_error(const SqlError& error);

template <class T = void>
using SqlResult = tl::expected<T, SqlError>;

/// A prepared statement. Parameters and columns count from 1 and 0, as in SQLite.
class Statement {
 public:
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  Statement& bind(int index, std::int64_t value);
  Statement& bind_blob(int index, std::string_view value);
  Statement& bind_text(int index, std::string_view value);

  /// True when a row is there; false at the end. Must be reset before it is run again.
  SqlResult<bool> step();
  /// Runs a statement that gives no rows, and resets it.
  SqlResult<> run();
  void reset();

  [[nodiscard]] std::int64_t integer(int column) const;
  /// Text or blob; valid until the next step or reset.
  [[nodiscard]] std::string_view bytes(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bind_error_ = 0;
};

/// While it lives, connections opened on this thread fail every call once `flag` is true, so that a
/// long reading does not delay the end of the process. What was read then is incomplete: ask
/// `is_interrupted` before believing it.
class InterruptScope {
 public:
  explicit InterruptScope(const std::atomic<bool>& flag);
  ~InterruptScope();
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;
};
/// True when the scope of this thread, if there is one, has ended every reading.
[[nodiscard]] bool is_interrupted();

/// kAlone: read and write without the file of shared memory that other connections would need; for
/// a disk that has no room for it.
enum class OpenMode { kReadOnly, kReadWrite, kCreate, kAlone };

/// One connection, used by one thread at a time. Opened in WAL mode with synchronous=FULL: a commit
/// that returned survives a power cut (https://www.sqlite.org/pragma.html#pragma_synchronous).
class Database {
 public:
  /// `pages_max` limits the size of the file in pages of 4 KiB; 0: no limit.
  static SqlResult<Database> open(const std::string& path, OpenMode mode,
                                  std::int64_t pages_max = 0);

  SqlResult<> execute(const std::string& sql);
  SqlResult<Statement> prepare(std::string_view sql);
  /// In the order given.
  SqlResult<std::vector<Statement>> prepare_all(std::initializer_list<std::string_view> sql);
  /// The single integer that `sql` gives.
  SqlResult<std::int64_t> query_integer(std::string_view sql);
  /// Writes one consistent copy without free pages to a new file; readers and writers go on.
  SqlResult<> copy_to(const std::string& path);
  /// Rows changed by the last statement.
  [[nodiscard]] std::int64_t changes() const;
  /// Runs `body` in one transaction. On error, whichever call it is of, nothing of it is in the
  /// file.
  SqlResult<> in_transaction(const std::function<SqlResult<>()>& body);

 private:
  struct Close {
    void operator()(sqlite3* handle) const;
  };
  explicit Database(sqlite3* handle) : handle_(handle) {}
  [[nodiscard]] SqlError error(std::string_view what) const;

  std::unique_ptr<sqlite3, Close> handle_;
};

/// Visits rows by ascending key, and goes on behind places that cannot be read. `select` gives the
/// key in column 0 and takes the lowest wanted key as parameter `key_parameter`. `visit` gets each
/// row once. Returns the number of unreadable places (0: everything was read); cost is bounded by
/// giving up after many failures in a row.
std::uint64_t scan(Statement& select, int key_parameter, std::int64_t first, std::int64_t last,
                   const std::function<void(Statement&)>& visit);

}  // namespace bascule::stats::sqlite
