#include "focus/source_signaler.h"

#include <compare>
#include <tuple>

#include "xmpp/proto/jitsi_meet_json.h"

namespace bascule::focus {
namespace {

/// Compact JSON or Jingle contents, never both. Null when there is nothing to say.
std::shared_ptr<const proto::SharedSources> make_payload(const proto::SourceMap& sources,
                                                         bool json) {
  if (sources.empty()) {
    return nullptr;
  }
  return json ? proto::share_sources({}, proto::JsonMessage{proto::encode_sources_json(sources)})
              : proto::share_sources(proto::make_source_contents(sources), std::nullopt);
}

}  // namespace

struct SourceSignaler::DifferenceKey {
  struct Change {
    EndpointId owner;
    std::uint64_t told;
    std::uint64_t current;
    friend auto operator<=>(const Change&, const Change&) = default;
  };
  SourceFilter filter;
  bool json;
  std::vector<Change> changes;
  friend auto operator<=>(const DifferenceKey&, const DifferenceKey&) = default;
};

struct SourceSignaler::Difference {
  std::shared_ptr<const proto::SharedSources> removed;  // Null: nothing to remove.
  std::shared_ptr<const proto::SharedSources> added;    // Null: nothing to add.
};

proto::Jingle make_jingle(const SourceMessage& message, std::string sid) {
  proto::Jingle jingle{.action = message.action, .sid = std::move(sid)};
  jingle.shared = message.payload;
  return jingle;
}

void SourceSignaler::offered(const EndpointId& receiver, SourceReceiver how) {
  session_ended(receiver);
  receivers_.emplace(receiver, Receiver{.how = how});
}

SourceRound SourceSignaler::activate(const EndpointId& receiver, const ConferenceSourceMap& map) {
  SourceRound round;
  const auto known = receivers_.find(receiver);
  if (known != receivers_.end()) {
    known->second.active = true;
    DifferenceCache cache;
    unschedule(receiver, known->second);
    flush(receiver, known->second, map, cache, round);
  }
  return round;
}

void SourceSignaler::session_ended(const EndpointId& receiver) {
  const auto known = receivers_.find(receiver);
  if (known != receivers_.end()) {
    unschedule(receiver, known->second);
    receivers_.erase(known);
  }
}

std::vector<EndpointId> SourceSignaler::changed(const EndpointId& owner,
                                                const SourceSnapshot& before,
                                                std::size_t participants, Instant now) {
  std::vector<EndpointId> knew_before;
  const Instant due = now + delay(participants);
  for (auto& [id, receiver] : receivers_) {
    if (note(id, receiver, owner, before, due)) {
      knew_before.push_back(id);
    }
  }
  return knew_before;
}

void SourceSignaler::restore(const EndpointId& receiver, const EndpointId& owner,
                             const SourceSnapshot& before, std::size_t participants, Instant now) {
  const auto known = receivers_.find(receiver);
  if (known != receivers_.end()) {
    note(receiver, known->second, owner, before, now + delay(participants));
  }
}

/// Returns whether it is news that the receiver is behind.
bool SourceSignaler::note(const EndpointId& id, Receiver& receiver, const EndpointId& owner,
                          const SourceSnapshot& before, Instant due) {
  if (id == owner || receiver.how.ssrc_rewriting) {
    return false;
  }
  if (receiver.active && !receiver.due) {
    receiver.due = due;
    schedule_.emplace(due, id);
  }
  return receiver.told.try_emplace(owner, before).second;
}

void SourceSignaler::left(const EndpointId& owner) {
  session_ended(owner);
  for (auto& [id, receiver] : receivers_) {
    receiver.told.erase(owner);
  }
}

SourceRound SourceSignaler::take_due(const ConferenceSourceMap& map, Instant now,
                                     std::size_t receivers_max) {
  SourceRound round;
  DifferenceCache cache;
  for (std::size_t count = 0; count < receivers_max && !schedule_.empty(); ++count) {
    const auto [due, id] = *schedule_.begin();
    if (due > now) {
      break;
    }
    Receiver& receiver = receivers_.at(id);
    unschedule(id, receiver);
    flush(id, receiver, map, cache, round);
  }
  return round;
}

std::optional<Instant> SourceSignaler::next_deadline() const {
  return schedule_.empty() ? std::nullopt : std::optional(schedule_.begin()->first);
}

Duration SourceSignaler::delay(std::size_t participants) const {
  Duration result{};
  for (const SignalingDelay& step : delays_) {
    if (step.participants <= participants) {
      result = step.delay;
    }
  }
  return result;
}

void SourceSignaler::flush(const EndpointId& id, Receiver& receiver, const ConferenceSourceMap& map,
                           DifferenceCache& cache, SourceRound& out) {
  if (receiver.told.empty()) {
    return;
  }
  DifferenceKey key{.filter = receiver.how.filter, .json = receiver.how.json};
  for (const auto& [owner, told] : receiver.told) {
    const std::uint64_t current = map.snapshot(owner).version;
    if (current != told.version) {
      key.changes.push_back({owner, told.version, current});
    }
  }
  if (const auto known = cache.find(key); known == cache.end()) {
    proto::SourceMap removed;
    proto::SourceMap added;
    for (const DifferenceKey::Change& change : key.changes) {
      const auto before = filtered(receiver.told.at(change.owner).sources(), key.filter);
      const auto after = filtered(map.snapshot(change.owner).sources(), key.filter);
      if (auto gone = difference(before, after); !gone.empty()) {
        removed.emplace(change.owner, std::move(gone));
      }
      if (auto fresh = difference(after, before); !fresh.empty()) {
        added.emplace(change.owner, std::move(fresh));
      }
    }
    cache.emplace(key, Difference{.removed = make_payload(removed, key.json),
                                  .added = make_payload(added, key.json)});
  }
  receiver.told.clear();
  out.settled.push_back(id);
  const Difference& difference = cache.at(key);
  if (difference.removed) {
    out.messages.push_back({id, proto::JingleAction::kSourceRemove, difference.removed});
  }
  if (difference.added) {
    out.messages.push_back({id, proto::JingleAction::kSourceAdd, difference.added});
  }
}

void SourceSignaler::unschedule(const EndpointId& id, Receiver& receiver) {
  if (receiver.due) {
    schedule_.erase({*receiver.due, id});
    receiver.due.reset();
  }
}

}  // namespace bascule::focus
