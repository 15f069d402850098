#include "stats/sqlite/database.h"

#include <limits>
#include <utility>

#include <sqlite3.h>

#include "base/check.h"

namespace bascule::stats::sqlite {
namespace {

thread_local const std::atomic<bool>* interrupt = nullptr;  // Of the scope of this thread.

}  // namespace

bool SqlError::is_damage() const {
  switch (code & 0xFF) {
    case SQLITE_FULL:
    case SQLITE_CANTOPEN:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return false;
    default:
      return true;
  }
}

Error to_error(const SqlError& error) {
  return {Errc::kUnavailable, error.what};
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);  // Repeats the error of the last step, which was reported there.
}

Statement& Statement::bind(int index, std::int64_t value) {
  bind_error_ |= sqlite3_bind_int64(statement_.get(), index, value);
  return *this;
}

Statement& Statement::bind_blob(int index, std::string_view value) {
  BASCULE_CHECK(value.size() <= std::numeric_limits<int>::max());
  // A null pointer would bind NULL.
  bind_error_ |= sqlite3_bind_blob(statement_.get(), index, value.empty() ? "" : value.data(),
                                   static_cast<int>(value.size()), SQLITE_TRANSIENT);
  return *this;
}

Statement& Statement::bind_text(int index, std::string_view value) {
  BASCULE_CHECK(value.size() <= std::numeric_limits<int>::max());
  bind_error_ |= sqlite3_bind_text(statement_.get(), index, value.empty() ? "" : value.data(),
                                   static_cast<int>(value.size()), SQLITE_TRANSIENT);
  return *this;
}

SqlResult<bool> Statement::step() {
  if (std::exchange(bind_error_, 0) != 0) {
    return tl::make_unexpected(SqlError{SQLITE_NOMEM, "bind failed"});
  }
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW || code == SQLITE_DONE) {
    return code == SQLITE_ROW;
  }
  return tl::make_unexpected(SqlError{code, sqlite3_errmsg(sqlite3_db_handle(statement_.get()))});
}

SqlResult<> Statement::run() {
  const auto row = step();
  reset();
  if (!row) {
    return tl::make_unexpected(row.error());
  }
  return {};
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return data == nullptr
             ? std::string_view()
             : std::string_view(static_cast<const char*>(data), static_cast<std::size_t>(size));
}

InterruptScope::InterruptScope(const std::atomic<bool>& flag) {
  interrupt = &flag;
}

InterruptScope::~InterruptScope() {
  interrupt = nullptr;
}

bool is_interrupted() {
  return interrupt != nullptr && interrupt->load();
}

void Database::Close::operator()(sqlite3* handle) const {
  sqlite3_close_v2(handle);
}

SqlError Database::error(std::string_view what) const {
  return {sqlite3_extended_errcode(handle_.get()),
          std::string(what) + ": " + sqlite3_errmsg(handle_.get())};
}

SqlResult<Database> Database::open(const std::string& path, OpenMode mode, std::int64_t pages_max) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
  flags |= mode == OpenMode::kReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  flags |= mode == OpenMode::kCreate ? SQLITE_OPEN_CREATE : 0;
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  BASCULE_CHECK(handle != nullptr);  // Null only when memory is exhausted.
  Database database(handle);
  if (code != SQLITE_OK) {
    return tl::make_unexpected(database.error("open " + path));
  }
  if (interrupt != nullptr) {
    constexpr int kInstructionsBetweenLooks = 10'000;
    sqlite3_progress_handler(
        handle, kInstructionsBetweenLooks,
        [](void* flag) { return static_cast<const std::atomic<bool>*>(flag)->load() ? 1 : 0; },
        const_cast<std::atomic<bool>*>(interrupt));
  }
  sqlite3_busy_timeout(handle, 2'000);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  // Before anything is read, or it would not help: https://www.sqlite.org/wal.html#noshm
  std::string pragmas = mode == OpenMode::kAlone ? "PRAGMA locking_mode=EXCLUSIVE;" : "";
  pragmas +=
      "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA mmap_size=0;"
      "PRAGMA temp_store=MEMORY; PRAGMA synchronous=FULL;";
  if (mode != OpenMode::kReadOnly) {
    pragmas +=
        "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=1000;"
        "PRAGMA journal_size_limit=16777216;";
  }
  if (pages_max > 0) {
    pragmas += "PRAGMA max_page_count=" + std::to_string(pages_max) + ";";
  }
  if (auto done = database.execute(pragmas); !done) {
    return tl::make_unexpected(done.error());
  }
  return database;
}

SqlResult<> Database::execute(const std::string& sql) {
  if (sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return tl::make_unexpected(error(sql.substr(0, 40)));
  }
  return {};
}

SqlResult<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
    return tl::make_unexpected(error(sql.substr(0, 40)));
  }
  return Statement(statement);
}

SqlResult<std::vector<Statement>> Database::prepare_all(
    std::initializer_list<std::string_view> sql) {
  std::vector<Statement> prepared;
  prepared.reserve(sql.size());
  for (const std::string_view one : sql) {
    auto statement = prepare(one);
    if (!statement) {
      return tl::make_unexpected(statement.error());
    }
    prepared.push_back(std::move(*statement));
  }
  return prepared;
}

SqlResult<std::int64_t> Database::query_integer(std::string_view sql) {
  auto statement = prepare(sql);
  if (!statement) {
    return tl::make_unexpected(statement.error());
  }
  const auto row = statement->step();
  if (!row) {
    return tl::make_unexpected(row.error());
  }
  return *row ? statement->integer(0) : 0;
}

SqlResult<> Database::copy_to(const std::string& path) {
  std::string quoted;
  for (const char c : path) {
    quoted += c == '\'' ? "''" : std::string(1, c);
  }
  return execute("VACUUM INTO '" + quoted + "'");
}

std::int64_t Database::changes() const {
  return sqlite3_changes64(handle_.get());
}

SqlResult<> Database::in_transaction(const std::function<SqlResult<>()>& body) {
  auto done = execute("BEGIN IMMEDIATE");
  if (done) {
    done = body();
  }
  if (done) {
    done = execute("COMMIT");
  }
  // Some failures have ended the transaction already.
  if (!done && sqlite3_get_autocommit(handle_.get()) == 0) {
    sqlite3_exec(handle_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
  return done;
}

std::uint64_t scan(Statement& select, int key_parameter, std::int64_t first, std::int64_t last,
                   const std::function<void(Statement&)>& visit) {
  // One key further after a failure, so that nothing readable is skipped; in leaps when a whole
  // region is gone.
  constexpr int kPatience = 1'000;
  std::uint64_t failures = 0;
  std::int64_t leap = 1;
  int failed_in_a_row = 0;
  std::int64_t key = first;
  while (key <= last) {
    select.bind(key_parameter, key);
    auto row = select.step();
    while (row && *row && select.integer(0) <= last) {
      visit(select);
      key = select.integer(0) + 1;
      failed_in_a_row = 0;
      leap = 1;
      row = select.step();
    }
    select.reset();
    if (row) {
      break;
    }
    ++failures;
    leap = ++failed_in_a_row > kPatience ? leap * 2 : 1;
    if (leap > last - key) {
      break;
    }
    key += leap;
  }
  return failures;
}

}  // namespace bascule::stats::sqlite
