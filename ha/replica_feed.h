#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "focus/restored.h"
#include "ha/peer_messages.h"

namespace bascule::ha {

/// What the active process has to tell one standby, in order: a snapshot, encoded piece by piece as
/// it leaves, then every commit since; and how far the standby confirmed it.
class ReplicaFeed {
 public:
  using SharedFrame = std::shared_ptr<const std::string>;  // The same bytes go to every standby.

  /// `tables` as of `at`. Cost: one copy of the tables.
  ReplicaFeed(Greeting standby, const Greeting& us, Position at, const focus::Tables& tables,
              const std::vector<stats::ReceivedReport>& reports, Instant now);

  void push(SharedFrame frame);
  /// The frames of this commit were pushed.
  void committed(std::uint64_t sequence, Instant now) { unconfirmed_.push_back({sequence, now}); }
  /// Errors: kMalformed, a position that was never told.
  Result<> confirmed(const Position& position, Instant now);
  void heard(Instant now) { last_heard_ = now; }

  /// The next frame to send; nullopt: nothing waits.
  std::optional<std::string> next_frame();

  [[nodiscard]] const Greeting& standby() const { return standby_; }
  /// nullopt: it does not have the snapshot yet.
  [[nodiscard]] std::optional<std::uint64_t> confirmed() const { return confirmed_; }
  /// When the oldest commit without a confirmation was made.
  [[nodiscard]] std::optional<Instant> waits_since() const;
  [[nodiscard]] std::size_t lag() const { return unconfirmed_.size(); }
  [[nodiscard]] Instant last_heard() const { return last_heard_; }
  /// Of commits; not of the snapshot, whose size is bounded by that of the state.
  [[nodiscard]] std::size_t queued_bytes() const { return queued_bytes_; }

  /// Commits wait for it (Replicator).
  bool in_sync = false;

 private:
  struct Unconfirmed {
    std::uint64_t sequence;
    Instant since;
  };

  Greeting standby_;
  Position at_;
  std::vector<focus::Operation> snapshot_;
  std::size_t snapshot_next_ = 0;
  std::deque<SharedFrame> opening_;  // Before the snapshot.
  std::deque<SharedFrame> queue_;    // After it.
  std::size_t queued_bytes_ = 0;
  std::deque<Unconfirmed> unconfirmed_;
  std::optional<std::uint64_t> confirmed_;
  Instant last_heard_;
};

}  // namespace bascule::ha
