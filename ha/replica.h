#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "focus/restored.h"
#include "ha/peer_messages.h"

namespace bascule::ha {

/// The standby side of replication, without I/O: what the active process tells, applied to tables
/// in memory at once, and handed on to the store of this process, which follows in its own time.
///
/// A commit is confirmed when it is in memory. The active's disk has it as well before anything
/// leaves, so what the world was told is lost only when that disk and both processes are.
class Replica {
 public:
  /// What the own store has to do, in order.
  using ReplaceAll = focus::Tables;
  using StoreWork =
      std::variant<ReplaceAll, std::vector<focus::Operation>, std::vector<stats::ReceivedReport>>;

  /// `start`: what the own store knows; what a leader goes on with that was never told more.
  Replica(std::string node, std::string version, focus::Restored start);

  [[nodiscard]] std::string hello() const;
  /// Errors: the connection is to be closed; what was known before stays.
  Result<> receive(const Frame& frame);
  /// Half a snapshot or half a commit is forgotten.
  void disconnected();

  /// Frames to send; confirmations of several commits are one.
  std::vector<std::string> take_replies();
  std::vector<StoreWork> take_work();

  /// Of the active process, while connected; nullopt: it did not answer HELLO yet.
  [[nodiscard]] const std::optional<Greeting>& active() const { return active_; }
  /// nullopt: this process never had everything.
  [[nodiscard]] const std::optional<Position>& position() const { return position_; }
  /// What the active said last of its own position.
  [[nodiscard]] const Position& told() const { return told_; }
  /// The active waits for us.
  [[nodiscard]] bool in_sync() const { return in_sync_; }
  /// We said that we go on after exactly this position.
  [[nodiscard]] const std::optional<Position>& promised() const { return promised_; }
  /// Why the active ended the connection, if it said so.
  [[nodiscard]] const std::string& farewell() const { return farewell_; }
  [[nodiscard]] const focus::Tables& tables() const { return tables_; }
  [[nodiscard]] std::uint64_t snapshots() const { return snapshots_; }

  /// What a leader is built from: this object gives it away.
  [[nodiscard]] focus::Restored restored(WallTime now) &&;

 private:
  struct Incoming {
    SnapshotBegin begin;
    focus::Tables tables;
    std::map<BridgeJid, stats::ReceivedReport> reports;
    std::uint64_t operations = 0;
  };
  Result<> begin_snapshot(const SnapshotBegin& begin);
  Result<> add_to_snapshot(const std::vector<focus::Operation>& operations);
  Result<> end_snapshot(const Position& at);
  Result<> apply(OperationsPart part);
  void take_reports(std::vector<stats::ReceivedReport> reports);
  Result<> answer_offer(const Position& at);

  std::string node_;
  std::string version_;
  focus::Tables tables_;
  std::map<BridgeJid, stats::ReceivedReport> reports_;
  bool same_boot_;
  std::optional<WallTime> last_commit_;
  std::optional<Greeting> active_;
  std::optional<Position> position_;
  Position told_;
  bool in_sync_ = false;
  std::optional<Incoming> incoming_;
  std::vector<focus::Operation> parts_;  // Of a commit that is not complete.
  bool owes_confirmation_ = false;
  std::optional<Position> promised_;
  std::string farewell_;
  std::vector<std::string> replies_;
  std::vector<StoreWork> work_;
  std::uint64_t snapshots_ = 0;
};

}  // namespace bascule::ha
