#include "focus/output_gate.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.h"

namespace bascule::focus {
namespace {

bool is_persist(const Action& action) {
  return std::holds_alternative<out::Persist>(action);
}

void append(Actions::iterator first, Actions::iterator last, Actions& out) {
  out.insert(out.end(), std::make_move_iterator(first), std::make_move_iterator(last));
}

}  // namespace

std::uint64_t OutputGate::turn(Actions actions, Instant now, std::vector<TurnCommit>& commits,
                               Actions& ready) {
  ++last_turn_;
  auto held = std::find_if(actions.begin(), actions.end(), is_persist);
  if (waiting_.empty()) {
    append(actions.begin(), held, ready);
  } else {
    held = actions.begin();
  }
  Turn turn{.since = now};
  TurnCommit commit{.id = CommitId(last_commit_ + 1)};
  for (auto it = held; it != actions.end(); ++it) {
    if (auto* persist = std::get_if<out::Persist>(&*it)) {
      commit.operations.push_back(std::move(persist->operation));
    } else {
      turn.actions.push_back(std::move(*it));
    }
  }
  if (!commit.operations.empty()) {
    ++last_commit_;
    turn.waits_for = commit.id;
    undurable_.push_back({.turn = last_turn_, .commit = commit.id, .since = now});
    if (late_ && !probe_) {
      probe_ = commit.id;
      probe_made_ = now;
    }
    commits.push_back(std::move(commit));
  }
  if (late_) {
    released_uncommitted_ += turn.waits_for ? 1U : 0U;
    append(turn.actions.begin(), turn.actions.end(), ready);
  } else if (turn.waits_for || !waiting_.empty()) {
    waiting_.push_back(std::move(turn));
  }
  return last_turn_;
}

void OutputGate::committed(CommitId id, const Result<>& outcome, Instant now, Actions& ready) {
  BASCULE_CHECK(id.value() >= 1 && id.value() <= last_commit_);
  failing_ = !outcome.has_value();
  // A store that missed something writes that first.
  while (outcome && !undurable_.empty() && undurable_.front().commit <= id) {
    commit_times_.record(now - undurable_.front().since);
    undurable_.pop_front();
  }
  if (probe_ == id) {
    late_ = late_ && now - probe_made_ >= options_.hold_max;
    probe_.reset();
  }
  late_ = late_ && id.value() != last_commit_;
  const auto turn = std::find_if(waiting_.begin(), waiting_.end(),
                                 [id](const Turn& other) { return other.waits_for == id; });
  if (turn != waiting_.end()) {
    turn->waits_for.reset();
    release_ready(ready);
  }
}

void OutputGate::fire_timers(Instant now, Actions& ready) {
  const auto due = next_deadline();
  if (!due || *due > now) {
    return;
  }
  late_ = true;
  probe_.reset();
  for (Turn& turn : waiting_) {
    released_uncommitted_ += turn.waits_for ? 1U : 0U;
    turn.waits_for.reset();
  }
  release_ready(ready);
}

std::optional<Instant> OutputGate::next_deadline() const {
  if (waiting_.empty()) {
    return std::nullopt;
  }
  return waiting_.front().since + options_.hold_max;
}

void OutputGate::release_ready(Actions& ready) {
  while (!waiting_.empty() && !waiting_.front().waits_for) {
    Actions& actions = waiting_.front().actions;
    append(actions.begin(), actions.end(), ready);
    waiting_.pop_front();
  }
}

}  // namespace bascule::focus
