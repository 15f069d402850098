#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "focus/tables.h"
#include "stats/load_report.h"
#include "stats/record.h"
#include "stats/sqlite/database.h"

namespace bascule::stats::sqlite {

inline constexpr const char* kStateFileName = "state.db";
inline constexpr std::int64_t kApplicationId = 0x4253434C;  ///< "BSCL"
inline constexpr std::int64_t kStateSchemaVersion = 1;

/// A place in the operation log. `seq` is dense and never restarts; `hash` is the chain value of
/// the operation with that number; `hlc` is wall milliseconds << 16 with a counter below, so that
/// it never goes back even when the wall clock does (hybrid logical clock, Kulkarni et al. 2014).
struct LogPosition {
  std::uint64_t seq = 0;
  std::uint64_t hlc = 0;
  Digest hash{};
  friend bool operator==(const LogPosition&, const LogPosition&) = default;
};

/// When the record at this place was written; nullopt before the first.
[[nodiscard]] std::optional<WallTime> wall_time_of(const LogPosition& position);

/// One operation as the log keeps it.
struct LogRecord {
  std::uint64_t epoch =
      0;  ///< Which leadership wrote it; always 1 until there is more than one node.
  std::uint64_t seq = 0;
  std::uint64_t hlc = 0;
  std::uint16_t code = 0;
  bool closes_turn =
      false;  ///< Last operation of its loop turn: turns are kept whole or not at all.
  std::string payload;
};

/// Canonical bytes: epoch u64 | seq u64 | hlc u64 | code u16 | closes u8 | length u32 | payload,
/// big endian. The log's `hash` is SHA-256(previous hash | canonical bytes).
[[nodiscard]] std::string canonical(const LogRecord& record);

/// Canonical bytes of one row of a snapshot.
[[nodiscard]] std::string canonical_snapshot_row(std::uint64_t generation, std::uint64_t ordinal,
                                                 std::uint16_t code, std::string_view payload);

/// What a snapshot's head says: it stands for every operation up to `at`.
struct SnapshotHead {
  LogPosition at;
  std::uint64_t rows = 0;
  Digest digest{};  ///< Chain over the canonical rows.
};
[[nodiscard]] std::string encode_head(std::uint64_t generation, const SnapshotHead& head);
Result<SnapshotHead> decode_head(std::uint64_t generation, std::string_view bytes);
/// Which snapshot these bytes are the head of; nullopt: they are no head.
[[nodiscard]] std::optional<std::uint64_t> generation_of_head(std::string_view bytes);

[[nodiscard]] std::string encode_position(const LogPosition& position);
Result<LogPosition> decode_position(std::string_view bytes);

/// Everything readable of a `state.db`.
struct StateContent {
  focus::Tables tables;
  LogPosition floor;  ///< Of the snapshot.
  LogPosition tip;    ///< Of the last operation in `tables`.
  std::uint64_t generation = 0;
  std::uint64_t generation_max = 0;  ///< Also of unfinished snapshots.
  std::uint64_t operations = 0;      ///< Applied: rows of the snapshot and of the log.
  std::vector<Finding> findings;     ///< Empty: the file is sound and complete.
};

/// Reads and verifies all of it. Damage never fails the call: what is sound is used, the rest is a
/// finding. A log is used up to its last sound turn. Of a damaged snapshot whole conferences and
/// links are used (SnapshotGroups): everything in the tables was true at one and the same moment.
StateContent read_state(Database& database);

}  // namespace bascule::stats::sqlite
