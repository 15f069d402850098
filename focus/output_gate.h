#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "focus/action.h"
#include "focus/latency_histogram.h"

namespace bascule::focus {

/// The operations of one loop turn: one transaction of the store.
struct TurnCommit {
  CommitId id;
  std::vector<Operation> operations;
};

struct OutputGateOptions {
  /// Turns that may wait before `is_congested()`; 1 or more.
  std::size_t turns_max = 1'024;
  /// How long the oldest turn may wait for the store before it goes out uncommitted, and everything
  /// with it until the store is as fast again.
  Duration hold_max = std::chrono::milliseconds{500};
};

/// Output commit: what a loop turn does to the world leaves only after the operations that the same
/// turn emitted are durable, so that a process started from the store knows everything the world
/// was told. (The rule of replicated logs: Strom and Yemini 1985, "Optimistic Recovery".)
///
/// Actions before the first out::Persist of a turn depend on nothing new and go out at once when no
/// earlier turn waits. Everything else keeps its order: within a turn and between turns. A store
/// that fails or is too slow must not silence the focus, nor slow it down: once a turn waited
/// `hold_max`, turns leave at once, uncommitted, and the gate says that it is degraded, until the
/// store has answered everything, or a commit made meanwhile within `hold_max`.
class OutputGate {
 public:
  explicit OutputGate(OutputGateOptions options = {}) : options_(options) {}

  /// Takes the actions of one turn. Appends to `commits` what the store has to commit (each is
  /// answered by one `committed`), and to `ready` what may be performed now; `ready` never holds an
  /// out::Persist. Returns the number of the turn, counting from 1.
  std::uint64_t turn(Actions actions, Instant now, std::vector<TurnCommit>& commits,
                     Actions& ready);

  /// The store's answer. Answers to turns that went out uncommitted meanwhile are accepted.
  void committed(CommitId id, const Result<>& outcome, Instant now, Actions& ready);

  /// When the oldest turn waited `hold_max`: releases all of them, uncommitted.
  void fire_timers(Instant now, Actions& ready);
  [[nodiscard]] std::optional<Instant> next_deadline() const;

  /// Every turn up to and including this number went out.
  [[nodiscard]] std::uint64_t released() const { return last_turn_ - waiting_.size(); }
  /// Every turn up to and including this number is known to the store as well. An inbound stanza
  /// may be acknowledged (XEP-0198) then, and not before: a server that was told of more than the
  /// next process knows ends the session (Prosody: mod_smacks).
  [[nodiscard]] std::uint64_t durable() const {
    return std::min(released(), undurable_.empty() ? last_turn_ : undurable_.front().turn - 1);
  }
  /// More turns wait than allowed: the caller must stop taking input until this is false.
  [[nodiscard]] bool is_congested() const { return waiting_.size() > options_.turns_max; }
  /// The last answer was a failure, or the store is too slow to be waited for.
  [[nodiscard]] bool is_degraded() const { return failing_ || late_; }
  /// Turns that left before the store had their operations.
  [[nodiscard]] std::uint64_t released_uncommitted() const { return released_uncommitted_; }
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }
  /// From the end of a turn to the store's word that its operations are durable.
  [[nodiscard]] const LatencyHistogram& commit_times() const { return commit_times_; }

 private:
  struct Turn {
    std::optional<CommitId> waits_for;  // nullopt: only for the turns before it.
    Instant since;
    Actions actions;
  };

  struct Undurable {
    std::uint64_t turn;
    CommitId commit;
    Instant since;
  };

  void release_ready(Actions& ready);

  OutputGateOptions options_;
  std::deque<Turn> waiting_;
  std::deque<Undurable> undurable_;  // Commits without a good answer; in order.
  std::uint64_t last_turn_ = 0;
  std::uint64_t last_commit_ = 0;
  std::uint64_t released_uncommitted_ = 0;
  bool failing_ = false;
  bool late_ = false;
  /// While late: the commit whose answer tells how fast the store is now.
  std::optional<CommitId> probe_;
  Instant probe_made_{};
  LatencyHistogram commit_times_{kInternalEdges};
};

}  // namespace bascule::focus
