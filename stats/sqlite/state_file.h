#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "focus/operation.h"
#include "focus/tables.h"
#include "stats/sqlite/database.h"
#include "stats/sqlite/state_reader.h"

namespace bascule::stats::sqlite {

/// `state.db`: a snapshot of the tables and the log of operations since. One transaction holds
/// whole turns. The log is bounded: when it has grown by `snapshot_every` operations a new snapshot
/// is written beside the old one, some rows at a time so that no commit waits long for it; its head
/// row makes it valid, and only then the old one and the log below it are swept away.
class StateFile {
 public:
  struct Options {
    std::int64_t pages_max = 0;
    std::uint64_t snapshot_every = 20'000;
  };

  /// Makes a new file (there must be none) that holds `tables` as of `at`.
  static SqlResult<StateFile> create(const std::string& path, const Options& options,
                                     const focus::Tables& tables, const LogPosition& at);
  /// Takes an open, verified file. `content` is what read_state gave for it, without findings.
  static SqlResult<StateFile> adopt(Database database, const Options& options,
                                    const StateContent& content);

  /// Commits turns (none of them empty) in one transaction. On error nothing of them is in the
  /// file.
  SqlResult<> append(const std::vector<const std::vector<focus::Operation>*>& turns,
                     std::uint64_t wall_ms);

  /// Replaces log and snapshot by a snapshot of `tables` in one transaction: when operations could
  /// not be appended and only memory has them.
  SqlResult<> rewrite(const focus::Tables& tables);

  /// Starts a snapshot when it is time for one. `tables` is what the log adds up to now.
  void plan_snapshot(const focus::Tables& tables);
  /// One slice of snapshot writing or sweeping; cheap when there is none.
  SqlResult<> work();
  [[nodiscard]] bool has_work() const { return job_.has_value() || sweeping_; }

  [[nodiscard]] const LogPosition& tip() const { return tip_; }

 private:
  struct SnapshotJob {
    std::uint64_t generation;
    LogPosition at;
    std::vector<focus::Operation> rows;
    std::size_t next = 0;
    Digest digest{};
  };
  struct Statements {
    Statement insert_log;
    Statement insert_row;
    Statement insert_head;
    Statement set_meta;
    Statement sweep_log;
    Statement sweep_rows;
    Statement sweep_heads;
  };

  StateFile(Database database, Statements statements, const Options& options)
      : database_(std::move(database)), statements_(std::move(statements)), options_(options) {}
  static SqlResult<StateFile> prepare(Database database, const Options& options);

  SqlResult<> insert_operations(const std::vector<const std::vector<focus::Operation>*>& turns,
                                std::uint64_t wall_ms, LogPosition& at);
  SqlResult<> write_rows(SnapshotJob& job, std::size_t count);
  SqlResult<> write_head(const SnapshotJob& job);
  SqlResult<> write_tip(const LogPosition& at);
  SqlResult<bool> sweep_slice();

  Database database_;
  Statements statements_;
  Options options_;
  LogPosition tip_;
  LogPosition floor_;
  std::uint64_t generation_ = 0;      // Of the valid snapshot.
  std::uint64_t generation_max_ = 0;  // Of any rows in the file.
  std::optional<SnapshotJob> job_;
  bool sweeping_ = true;  // A crash may have left an unfinished snapshot or sweep behind.
};

}  // namespace bascule::stats::sqlite
