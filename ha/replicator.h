#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "focus/restored.h"
#include "ha/peer_messages.h"
#include "ha/replica_feed.h"

namespace bascule::ha {

using PeerId = Strong<struct PeerIdTag, std::uint64_t>;

struct ReplicatorOptions {
  std::string node;
  std::string version;
  std::uint64_t epoch = 1;
  Duration sync_timeout = std::chrono::milliseconds{250};
  /// A standby that was not heard for so long is dropped.
  Duration silence_max = std::chrono::seconds{3};
  Duration heartbeat_interval = std::chrono::milliseconds{500};
  std::size_t queue_bytes_max = std::size_t{64} << 20U;  ///< Of one standby; more: it is dropped.
};

/// The active side of replication, without I/O. A commit is answered when the store has it and
/// every standby that is in sync has it. A standby is in sync from the moment it has everything
/// that was answered, until it leaves a commit waiting for `sync_timeout`.
///
/// The caller sends what `next_frame` gives, and after each call looks at `take_changes`, then
/// `take_answers`, in this order: a standby that is waited for no more must be known as such before
/// anything leaves that it does not have.
class Replicator {
 public:
  struct Answer {
    CommitId id;
    Result<> outcome;
  };
  enum class Change : std::uint8_t { kInSync, kDegraded, kDropped };
  struct Event {
    Change change;
    PeerId peer;
    std::string node;
    std::string why;
  };

  Replicator(ReplicatorOptions options, const focus::Restored& start);

  /// Ids ascend by one from 1.
  void commit(CommitId id, const std::vector<focus::Operation>& operations, Now now);
  /// The store's answer; in the order of the commits.
  void stored(CommitId id, Result<> outcome);
  /// Not waited for.
  void reports(const std::vector<stats::ReceivedReport>& reports);

  /// A standby said HELLO: it gets everything. Cost: a copy of the tables.
  void join(PeerId peer, Greeting standby, Now now);
  void leave(PeerId peer, const std::string& why);
  /// Errors: the peer is to be closed.
  Result<> receive(PeerId peer, const Frame& frame, Now now);
  std::optional<std::string> next_frame(PeerId peer);

  void fire_timers(Now now);
  [[nodiscard]] std::optional<Instant> next_deadline() const;

  /// Asks a standby to go on: everything must be answered. Errors: kUnavailable, nobody is in sync.
  Result<> offer_switch();
  /// It will. Nothing may be committed afterwards.
  [[nodiscard]] const std::optional<std::string>& successor() const { return successor_; }
  /// It did not answer in time.
  void withdraw_switch() { offered_to_.reset(); }

  std::vector<Event> take_changes();
  std::vector<Answer> take_answers();

  [[nodiscard]] std::vector<std::string> nodes_in_sync() const;
  [[nodiscard]] const std::map<PeerId, ReplicaFeed>& feeds() const { return feeds_; }
  [[nodiscard]] Position position() const { return {options_.epoch, last_}; }
  [[nodiscard]] const ReplicatorOptions& options() const { return options_; }
  [[nodiscard]] const focus::Tables& tables() const { return tables_; }
  /// What a process that goes on with this state needs: this object gives it away.
  [[nodiscard]] focus::Restored restored(WallTime now) &&;

 private:
  struct Waiting {
    CommitId id;
    bool is_stored = false;
    Result<> outcome;
  };
  void settle();
  void lose_sync(PeerId peer, ReplicaFeed& feed, const std::string& why);
  void broadcast(const std::vector<std::string>& frames);
  [[nodiscard]] bool is_everywhere(std::uint64_t sequence) const;

  ReplicatorOptions options_;
  focus::Tables tables_;
  std::map<BridgeJid, stats::ReceivedReport> reports_;  // The last one of each.
  std::map<PeerId, ReplicaFeed> feeds_;
  std::deque<Waiting> waiting_;
  std::vector<Answer> answers_;
  std::vector<Event> changes_;
  std::uint64_t last_ = 0;
  std::uint64_t answered_ = 0;
  std::optional<Instant> next_heartbeat_;
  std::optional<PeerId> offered_to_;
  std::optional<std::string> successor_;
};

}  // namespace bascule::ha
