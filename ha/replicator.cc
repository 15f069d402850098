#include "ha/replicator.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace bascule::ha {

Replicator::Replicator(ReplicatorOptions options, const focus::Restored& start)
    : options_(std::move(options)), tables_(start.tables) {
  reports(start.reports);
}

void Replicator::commit(CommitId id, const std::vector<focus::Operation>& operations, Now now) {
  BASCULE_CHECK(id.value() == last_ + 1);
  last_ = id.value();
  for (const focus::Operation& operation : operations) {
    tables_.apply(operation);
  }
  if (!feeds_.empty()) {
    broadcast(encode_operations(last_, operations));
    for (auto& [peer, feed] : feeds_) {
      feed.committed(last_, now.mono);
    }
  }
  waiting_.push_back({.id = id, .is_stored = false, .outcome = {}});
}

void Replicator::broadcast(const std::vector<std::string>& frames) {
  for (const std::string& frame : frames) {
    const auto shared = std::make_shared<const std::string>(frame);
    for (auto& [peer, feed] : feeds_) {
      feed.push(shared);
    }
  }
}

void Replicator::stored(CommitId id, Result<> outcome) {
  const auto found = std::find_if(waiting_.begin(), waiting_.end(),
                                  [id](const Waiting& one) { return one.id == id; });
  BASCULE_CHECK(found != waiting_.end());
  found->is_stored = true;
  found->outcome = std::move(outcome);
  settle();
}

void Replicator::reports(const std::vector<stats::ReceivedReport>& reports) {
  for (const stats::ReceivedReport& report : reports) {
    reports_.insert_or_assign(report.report.bridge, report);
  }
  if (!feeds_.empty()) {
    broadcast(encode_reports(reports));
  }
}

void Replicator::join(PeerId peer, Greeting standby, Now now) {
  std::vector<stats::ReceivedReport> latest;
  latest.reserve(reports_.size());
  for (const auto& [bridge, report] : reports_) {
    latest.push_back(report);
  }
  const Greeting us{.node = options_.node, .version = options_.version, .position = position()};
  feeds_.insert_or_assign(
      peer, ReplicaFeed(std::move(standby), us, position(), tables_, latest, now.mono));
  if (!next_heartbeat_) {
    next_heartbeat_ = now.mono + options_.heartbeat_interval;
  }
}

void Replicator::leave(PeerId peer, const std::string& why) {
  const auto found = feeds_.find(peer);
  if (found == feeds_.end()) {
    return;
  }
  lose_sync(peer, found->second, why);
  feeds_.erase(found);
  if (offered_to_ == peer) {
    offered_to_.reset();
  }
  settle();
}

void Replicator::lose_sync(PeerId peer, ReplicaFeed& feed, const std::string& why) {
  if (std::exchange(feed.in_sync, false)) {
    changes_.push_back({Change::kDegraded, peer, feed.standby().node, why});
  }
}

Result<> Replicator::receive(PeerId peer, const Frame& frame, Now now) {
  const auto found = feeds_.find(peer);
  BASCULE_CHECK(found != feeds_.end());
  ReplicaFeed& feed = found->second;
  if (frame.type == FrameType::kHeartbeat) {
    feed.heard(now.mono);
    return decode_heartbeat(frame.payload).map([](const Heartbeat&) {});
  }
  if (frame.type != FrameType::kAck && frame.type != FrameType::kSwitchGo) {
    return fail(Errc::kMalformed, "a standby does not say this");
  }
  const auto position = decode_position(frame.payload);
  if (!position) {
    return tl::make_unexpected(position.error());
  }
  if (frame.type == FrameType::kSwitchGo) {
    // A late one, after the offer was withdrawn, means nothing.
    if (offered_to_ == peer && *position == this->position()) {
      successor_ = feed.standby().node;
    }
    return {};
  }
  if (auto done = feed.confirmed(*position, now.mono); !done) {
    return done;
  }
  if (!feed.in_sync && position->sequence >= answered_) {
    feed.in_sync = true;
    changes_.push_back({Change::kInSync, peer, feed.standby().node, {}});
  }
  settle();
  return {};
}

bool Replicator::is_everywhere(std::uint64_t sequence) const {
  return std::all_of(feeds_.begin(), feeds_.end(), [sequence](const auto& entry) {
    const ReplicaFeed& feed = entry.second;
    return !feed.in_sync || feed.confirmed().value_or(0) >= sequence;
  });
}

void Replicator::settle() {
  while (!waiting_.empty() && waiting_.front().is_stored &&
         is_everywhere(waiting_.front().id.value())) {
    answered_ = waiting_.front().id.value();
    answers_.push_back({waiting_.front().id, std::move(waiting_.front().outcome)});
    waiting_.pop_front();
  }
}

std::optional<std::string> Replicator::next_frame(PeerId peer) {
  const auto found = feeds_.find(peer);
  return found == feeds_.end() ? std::nullopt : found->second.next_frame();
}

void Replicator::fire_timers(Now now) {
  for (auto& [peer, feed] : feeds_) {
    const auto since = feed.waits_since();
    if (feed.in_sync && since && now.mono - *since >= options_.sync_timeout) {
      lose_sync(peer, feed, "it does not confirm");
    }
    const bool is_full = feed.queued_bytes() > options_.queue_bytes_max;
    if (is_full || now.mono - feed.last_heard() >= options_.silence_max) {
      const char* why = is_full ? "it does not read" : "it is silent";
      lose_sync(peer, feed, why);
      changes_.push_back({Change::kDropped, peer, feed.standby().node, why});
      feed.heard(now.mono);  // Said once; the caller lets it leave.
    }
  }
  if (next_heartbeat_ && now.mono >= *next_heartbeat_) {
    next_heartbeat_ = now.mono + options_.heartbeat_interval;
    for (auto& [peer, feed] : feeds_) {
      feed.push(std::make_shared<const std::string>(
          encode(Heartbeat{.position = position(), .in_sync = feed.in_sync})));
    }
  }
  settle();
}

std::optional<Instant> Replicator::next_deadline() const {
  if (feeds_.empty()) {
    return std::nullopt;
  }
  std::optional<Instant> next = next_heartbeat_;
  for (const auto& [peer, feed] : feeds_) {
    if (const auto since = feed.waits_since(); feed.in_sync && since) {
      next = std::min(*next, *since + options_.sync_timeout);
    }
  }
  return next;
}

Result<> Replicator::offer_switch() {
  for (auto& [peer, feed] : feeds_) {
    if (feed.in_sync && feed.confirmed() == last_) {
      offered_to_ = peer;
      feed.push(std::make_shared<const std::string>(encode(FrameType::kSwitchReady, position())));
      return {};
    }
  }
  return fail(Errc::kUnavailable, "no standby is in sync");
}

std::vector<Replicator::Event> Replicator::take_changes() {
  return std::exchange(changes_, {});
}

std::vector<Replicator::Answer> Replicator::take_answers() {
  return std::exchange(answers_, {});
}

std::vector<std::string> Replicator::nodes_in_sync() const {
  std::vector<std::string> nodes;
  for (const auto& [peer, feed] : feeds_) {
    if (feed.in_sync) {
      nodes.push_back(feed.standby().node);
    }
  }
  return nodes;
}

focus::Restored Replicator::restored(WallTime now) && {
  focus::Restored restored{
      .tables = std::move(tables_), .reports = {}, .same_boot = true, .last_commit = now};
  for (auto& [bridge, report] : reports_) {
    restored.reports.push_back(std::move(report));
    restored.reports.back().source = stats::ReportSource::kRestored;
  }
  return restored;
}

}  // namespace bascule::ha
