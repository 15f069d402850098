#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "focus/operation.h"
#include "focus/tables.h"

namespace bascule::stats::sqlite {

/// Builds tables from the rows of a snapshot of which some may be gone.
///
/// Rows that make sense only together (a conference with everything in it, a link with its
/// counters) lie one behind the other in a snapshot (Tables::to_operations). They are taken as a
/// whole or not at all: part of a conference, or a link that lost its counter, would be a state
/// that never was. A group is whole when its rows follow each other without a gap from the one that
/// begins it up to a row that belongs to something else, or to the known end of the snapshot.
class SnapshotGroups {
 public:
  explicit SnapshotGroups(focus::Tables& tables) : tables_(tables) {}

  /// A sound row; ordinals ascend, from 1.
  void add(std::uint64_t ordinal, focus::Operation operation);
  /// `rows`: of the snapshot when it was written; nullopt: unknown.
  void finish(std::optional<std::uint64_t> rows);

  [[nodiscard]] std::uint64_t applied() const { return applied_; }
  /// Sound rows that were left out, because others of their group are gone.
  [[nodiscard]] std::uint64_t left_out() const { return left_out_; }

 private:
  /// What a row is a part of; nothing: it stands for itself.
  using Group = std::variant<std::monostate, RoomJid, StreamId>;
  static bool begins_group(const focus::Operation& operation);
  void close(bool is_whole);

  focus::Tables& tables_;
  Group group_;
  std::vector<focus::Operation> rows_;  // Of the open group; empty: there is none.
  std::uint64_t last_ordinal_ = 0;
  std::uint64_t applied_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace bascule::stats::sqlite
