#include "stats/sqlite/state_reader.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <utility>

#include "base/crc32c.h"
#include "focus/operation.h"
#include "stats/sqlite/snapshot_groups.h"

namespace bascule::stats::sqlite {
namespace {

constexpr std::uint16_t kHeadTable = 2;
constexpr std::uint16_t kPositionTable = 3;

Value value_of(std::uint64_t number) {
  return static_cast<std::int64_t>(number);
}
Value value_of(const Digest& digest) {
  return std::string(to_view(digest));
}

/// Takes the columns of a fixed row one after the other.
class Columns {
 public:
  Columns(std::string_view bytes, std::uint16_t table, std::size_t count) {
    auto row = decode_row(bytes);
    if (row && row->table == table && row->columns.size() == count) {
      columns_ = std::move(row->columns);
      ok_ = true;
    }
  }
  std::uint64_t number() {
    const auto* value = take<std::int64_t>();
    return value == nullptr ? 0 : static_cast<std::uint64_t>(*value);
  }
  Digest digest() {
    const auto* text = take<std::string>();
    const auto digest = text == nullptr ? std::nullopt : to_digest(*text);
    ok_ = ok_ && digest.has_value();
    return digest.value_or(Digest{});
  }
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  template <class T>
  const T* take() {
    const T* value = ok_ ? std::get_if<T>(&columns_[next_++]) : nullptr;
    ok_ = value != nullptr;
    return value;
  }
  std::vector<Value> columns_;
  std::size_t next_ = 0;
  bool ok_ = false;
};

/// Reads one database into one StateContent.
class Reader {
 public:
  Reader(Database& database, StateContent& content) : database_(database), content_(content) {}

  void read() {
    read_tip();
    read_head();
    read_snapshot();
    read_rest();
    compare_tip();
  }

 private:
  void found(Damage damage, std::string detail, std::optional<std::uint64_t> lost = std::nullopt) {
    content_.findings.push_back({.file = kStateFileName,
                                 .damage = damage,
                                 .detail = std::move(detail),
                                 .lost = lost,
                                 .since = wall_time_of(content_.tip)});
  }
  void found(const SqlError& error) { found(Damage::kStructure, error.what); }

  void read_tip() {
    auto select = database_.prepare("SELECT v, crc FROM meta WHERE k='tip'");
    const auto row = select ? select->step() : tl::make_unexpected(select.error());
    if (!row) {
      found(row.error());
      return;
    }
    if (*row && crc32c(select->bytes(0)) == select->integer(1)) {
      if (auto tip = decode_position(select->bytes(0))) {
        recorded_tip_ = *tip;
        return;
      }
    }
    found(Damage::kRecord, "the position of the newest operation is damaged");
  }

  void read_head() {
    read_snapshot_heads();
    read_second_head();
    if (!head_) {
      found(Damage::kRecord, "no snapshot head");
    }
    if (const auto max = database_.query_integer("SELECT max(generation) FROM snapshot")) {
      content_.generation_max = std::max(content_.generation, static_cast<std::uint64_t>(*max));
    }
    if (!head_) {
      content_.generation = content_.generation_max;  // Best effort; already reported.
    }
  }

  void read_snapshot_heads() {
    auto select =
        database_.prepare("SELECT generation, v, crc FROM snapshot_head ORDER BY generation DESC");
    if (!select) {
      found(select.error());
      return;
    }
    while (!head_) {
      const auto row = select->step();
      if (!row) {
        found(row.error());
        return;
      }
      if (!*row) {
        return;
      }
      const auto generation = static_cast<std::uint64_t>(select->integer(0));
      const auto head = decode_head(generation, select->bytes(1));
      if (head && crc32c(select->bytes(1)) == select->integer(2)) {
        head_ = *head;
        content_.generation = generation;
      } else {
        found(Damage::kRecord, "head of snapshot " + std::to_string(generation) + " is damaged");
      }
    }
  }

  /// The head tells where the log goes on, so there are two, on different pages. Older files have
  /// one.
  void read_second_head() {
    auto select = database_.prepare("SELECT v, crc FROM meta WHERE k='snapshot'");
    const auto row = select ? select->step() : tl::make_unexpected(select.error());
    if (!row || !*row) {
      if (!row) {
        found(row.error());
      }
      return;
    }
    const std::string_view bytes = select->bytes(0);
    const auto generation = generation_of_head(bytes);
    if (!generation || crc32c(bytes) != select->integer(1)) {
      found(Damage::kRecord, "the second head of the snapshot is damaged");
      return;
    }
    if (!head_ || *generation > content_.generation) {
      found(Damage::kRecord, "head of snapshot " + std::to_string(*generation) + " is missing");
      head_ = *decode_head(*generation, bytes);
      content_.generation = *generation;
    }
  }

  void read_snapshot() {
    auto select = database_.prepare(
        "SELECT ordinal, code, payload, crc FROM snapshot WHERE generation=?1 AND ordinal>=?2 "
        "ORDER BY ordinal");
    if (!select) {
      found(select.error());
    }
    if (head_) {
      content_.tip = content_.floor = head_->at;
    }
    if (!select) {
      snapshot_is_whole_ = false;
      return;
    }
    constexpr auto kAny = std::numeric_limits<std::int64_t>::max() - 1;
    const std::uint64_t rows = head_ ? head_->rows : 0;
    std::uint64_t sound = 0;
    Digest digest{};
    SnapshotGroups groups(content_.tables);
    select->bind(1, static_cast<std::int64_t>(content_.generation));
    const std::uint64_t failures =
        scan(*select, 2, 1, head_ ? static_cast<std::int64_t>(rows) : kAny,
             [&](Statement& row) { sound += take_row(row, groups, digest) ? 1U : 0U; });
    groups.finish(head_ ? std::optional(rows) : std::nullopt);
    content_.operations += groups.applied();
    const std::uint64_t lost = (rows > sound ? rows - sound : 0) + groups.left_out();
    if (lost > 0) {
      found(Damage::kRecord, "rows of the snapshot are damaged; what they belong to is left out",
            lost);
    } else if (head_ && digest != head_->digest) {
      // Every row is sound for itself, and nobody can tell which one is not of this snapshot.
      content_.tables = {};
      content_.operations = 0;
      found(Damage::kChain, "the snapshot is not the one that was written", rows);
    } else if (failures > 0) {
      found(Damage::kChain, "the snapshot could not be read in one go");
    }
    snapshot_is_whole_ = head_ && lost == 0 && digest == head_->digest;
  }

  bool take_row(Statement& row, SnapshotGroups& groups, Digest& digest) {
    const auto ordinal = static_cast<std::uint64_t>(row.integer(0));
    const auto code = static_cast<std::uint16_t>(row.integer(1));
    const std::string bytes =
        canonical_snapshot_row(content_.generation, ordinal, code, row.bytes(2));
    digest = chain(digest, bytes);
    if (crc32c(bytes) != row.integer(3)) {
      return false;
    }
    auto operation = focus::decode(code, row.bytes(2));
    if (!operation) {
      return false;
    }
    groups.add(ordinal, std::move(*operation));
    return true;
  }

  /// Applies the log to the snapshot. What it says of conferences that the snapshot lost finds no
  /// row and changes nothing, up to the operation that begins them anew. Links have no such
  /// operation (a resumed one keeps counters that only the snapshot had), so those that the
  /// snapshot lost stay lost.
  void read_rest() {
    if (!head_) {
      return;  // Nobody knows with which operation the log would have to go on.
    }
    std::set<StreamId> whole_links;
    for (const auto& [stream, link] : content_.tables.links) {
      whole_links.insert(stream);
    }
    read_log();
    if (!snapshot_is_whole_) {
      std::erase_if(content_.tables.links,
                    [&](const auto& link) { return whole_links.count(link.first) == 0; });
    }
  }

  void read_log() {
    auto select = database_.prepare(
        "SELECT seq, epoch, hlc, code, closes, payload, hash FROM oplog WHERE seq>?1 ORDER BY seq");
    if (!select) {
      found(select.error());
      return;
    }
    select->bind(1, static_cast<std::int64_t>(content_.floor.seq));
    LogPosition at = content_.floor;
    std::vector<focus::Operation> turn;
    for (;;) {
      const auto row = select->step();
      if (!row) {
        found(row.error());
        break;
      }
      if (!*row) {
        break;
      }
      const LogRecord record{.epoch = static_cast<std::uint64_t>(select->integer(1)),
                             .seq = static_cast<std::uint64_t>(select->integer(0)),
                             .hlc = static_cast<std::uint64_t>(select->integer(2)),
                             .code = static_cast<std::uint16_t>(select->integer(3)),
                             .closes_turn = select->integer(4) == 1,
                             .payload = std::string(select->bytes(5))};
      const auto hash = to_digest(select->bytes(6));
      const bool follows = record.seq == at.seq + 1 && hash == chain(at.hash, canonical(record));
      if (!follows) {
        found(Damage::kChain, "the log breaks at operation " + std::to_string(record.seq));
        break;
      }
      auto operation = focus::decode(record.code, record.payload);
      if (!operation) {
        found(Damage::kRecord,
              "operation " + std::to_string(record.seq) + ": " + operation.error().what);
        break;
      }
      at = {.seq = record.seq, .hlc = record.hlc, .hash = *hash};
      turn.push_back(std::move(*operation));
      if (record.closes_turn) {
        for (const focus::Operation& each : std::exchange(turn, {})) {
          content_.tables.apply(each);
          ++content_.operations;
        }
        content_.tip = at;
      }
    }
  }

  /// Lost operations are counted against the recorded tip, which is written with each commit.
  void compare_tip() {
    if (!recorded_tip_ || *recorded_tip_ == content_.tip) {
      return;
    }
    const std::uint64_t lost =
        recorded_tip_->seq > content_.tip.seq ? recorded_tip_->seq - content_.tip.seq : 0;
    found(Damage::kChain,
          "the log ends at operation " + std::to_string(content_.tip.seq) + ", not at " +
              std::to_string(recorded_tip_->seq),
          lost);
  }

  Database& database_;
  StateContent& content_;
  std::optional<LogPosition> recorded_tip_;
  std::optional<SnapshotHead> head_;
  bool snapshot_is_whole_ = false;
};

}  // namespace

std::string canonical(const LogRecord& record) {
  std::string out;
  append_u64(out, record.epoch);
  append_u64(out, record.seq);
  append_u64(out, record.hlc);
  append_u16(out, record.code);
  out.push_back(record.closes_turn ? '\1' : '\0');
  append_u32(out, static_cast<std::uint32_t>(record.payload.size()));
  return out + record.payload;
}

std::string canonical_snapshot_row(std::uint64_t generation, std::uint64_t ordinal,
                                   std::uint16_t code, std::string_view payload) {
  std::string out;
  append_u64(out, generation);
  append_u64(out, ordinal);
  append_u16(out, code);
  return out.append(payload);
}

std::string encode_head(std::uint64_t generation, const SnapshotHead& head) {
  return encode_row(
      Row{.table = kHeadTable,
          .columns = {value_of(generation), value_of(head.at.seq), value_of(head.at.hlc),
                      value_of(head.at.hash), value_of(head.rows), value_of(head.digest)}});
}

Result<SnapshotHead> decode_head(std::uint64_t generation, std::string_view bytes) {
  Columns columns(bytes, kHeadTable, 6);
  SnapshotHead head;
  const std::uint64_t of_generation = columns.number();
  head.at.seq = columns.number();
  head.at.hlc = columns.number();
  head.at.hash = columns.digest();
  head.rows = columns.number();
  head.digest = columns.digest();
  if (!columns.ok() || of_generation != generation) {
    return fail(Errc::kCorrupt, "not the head of this snapshot");
  }
  return head;
}

std::optional<std::uint64_t> generation_of_head(std::string_view bytes) {
  Columns columns(bytes, kHeadTable, 6);
  const std::uint64_t generation = columns.number();
  return columns.ok() && decode_head(generation, bytes) ? std::optional(generation) : std::nullopt;
}

std::optional<WallTime> wall_time_of(const LogPosition& position) {
  if (position.hlc == 0) {
    return std::nullopt;
  }
  return WallTime(std::chrono::milliseconds(static_cast<std::int64_t>(position.hlc >> 16U)));
}

std::string encode_position(const LogPosition& position) {
  return encode_row(
      Row{.table = kPositionTable,
          .columns = {value_of(position.seq), value_of(position.hlc), value_of(position.hash)}});
}

Result<LogPosition> decode_position(std::string_view bytes) {
  Columns columns(bytes, kPositionTable, 3);
  LogPosition position;
  position.seq = columns.number();
  position.hlc = columns.number();
  position.hash = columns.digest();
  if (!columns.ok()) {
    return fail(Errc::kCorrupt, "not a log position");
  }
  return position;
}

StateContent read_state(Database& database) {
  StateContent content;
  Reader(database, content).read();
  return content;
}

}  // namespace bascule::stats::sqlite
