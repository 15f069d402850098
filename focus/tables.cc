#include "focus/tables.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace bascule::focus {
namespace {

ParticipantRow* find_participant(Tables& tables, const RoomJid& room, const EndpointId& endpoint) {
  const auto conference = tables.conferences.find(room);
  if (conference == tables.conferences.end()) {
    return nullptr;
  }
  const auto participant = conference->second.participants.find(endpoint);
  return participant == conference->second.participants.end() ? nullptr : &participant->second;
}

template <class T>
void assign_if(T& field, const std::optional<T>& change) {
  if (change) {
    field = *change;
  }
}

void forget_receivers(ConferenceRow& row, const std::vector<EndpointId>& receivers) {
  for (auto owner = row.pending_sources.begin(); owner != row.pending_sources.end();) {
    for (PendingSources& pending : owner->second) {
      for (const EndpointId& receiver : receivers) {
        pending.receivers.erase(receiver);
      }
    }
    std::erase_if(owner->second,
                  [](const PendingSources& pending) { return pending.receivers.empty(); });
    owner = owner->second.empty() ? row.pending_sources.erase(owner) : std::next(owner);
  }
}

/// Neither a receiver nor an owner any more.
void forget_pending(ConferenceRow& row, const EndpointId& participant) {
  row.pending_sources.erase(participant);
  forget_receivers(row, {participant});
}

/// Applies one alternative; see Tables::apply.
/// Of one row too many, the one with the earliest time goes. O(rows) then.
template <class Rows>
void keep_latest(Rows& rows, std::size_t rows_max, WallTime Rows::mapped_type::*time) {
  if (rows.size() > rows_max) {
    rows.erase(std::min_element(rows.begin(), rows.end(), [time](const auto& a, const auto& b) {
      return a.second.*time < b.second.*time;
    }));
  }
}

struct Applier {
  Tables& tables;

  ConferenceRow* conference(const RoomJid& room) const {
    const auto found = tables.conferences.find(room);
    return found == tables.conferences.end() ? nullptr : &found->second;
  }
  LinkRow* link(StreamId stream) const {
    const auto found = tables.links.find(stream);
    return found == tables.links.end() ? nullptr : &found->second;
  }

  bool operator()(const op::ConferenceCreate& o) const {
    tables.conferences[o.room] = ConferenceRow{.identity = o};
    return true;
  }
  bool operator()(const op::ConferenceSet& o) const {
    ConferenceRow* row = conference(o.room);
    if (row == nullptr) {
      return false;
    }
    for (const auto& [name, value] : o.properties) {
      if (value.empty()) {
        row->identity.properties.erase(name);
      } else {
        row->identity.properties[name] = value;
      }
    }
    assign_if(row->identity.rtcstats, o.rtcstats);
    assign_if(row->identity.start_audio_muted, o.start_audio_muted);
    assign_if(row->identity.start_video_muted, o.start_video_muted);
    return true;
  }
  bool operator()(const op::ModerationSet& o) const {
    ConferenceRow* row = conference(o.room);
    if (row == nullptr) {
      return false;
    }
    row->moderation[o.media] = o;
    return true;
  }
  bool operator()(const op::ConferenceEnd& o) const {
    tables.conferences.erase(o.room);
    return true;
  }
  bool operator()(const op::ParticipantAdd& o) const {
    ConferenceRow* row = conference(o.room);
    if (row == nullptr) {
      return false;
    }
    const EndpointId endpoint(o.occupant.jid().resource());
    forget_pending(*row, endpoint);
    row->participants[endpoint] = ParticipantRow{.identity = o};
    return true;
  }
  bool operator()(const op::ParticipantSet& o) const {
    ParticipantRow* row = find_participant(tables, o.room, o.endpoint);
    if (row == nullptr) {
      return false;
    }
    assign_if(row->identity.stats_id, o.stats_id);
    assign_if(row->identity.region, o.region);
    assign_if(row->identity.features, o.features);
    assign_if(row->identity.role, o.role);
    assign_if(row->identity.audio_muted, o.audio_muted);
    assign_if(row->identity.video_muted, o.video_muted);
    return true;
  }
  bool operator()(const op::ParticipantRemove& o) const {
    ConferenceRow* row = conference(o.room);
    if (row != nullptr) {
      forget_pending(*row, o.endpoint);
      row->participants.erase(o.endpoint);
    }
    return true;
  }
  bool operator()(const op::JingleSet& o) const {
    ParticipantRow* row = find_participant(tables, o.room, o.endpoint);
    if (row == nullptr) {
      return false;
    }
    row->jingle = JingleRow{
        .sid = o.sid, .generation = o.generation, .state = o.state, .transport = o.transport};
    if (o.state != JingleState::kActive) {
      forget_receivers(*conference(o.room), {o.endpoint});
    }
    return true;
  }
  bool operator()(const op::BridgeSessionAdd& o) const {
    ConferenceRow* row = conference(o.room);
    if (row == nullptr) {
      return false;
    }
    row->bridge_sessions[o.bridge] = o;
    return true;
  }
  bool operator()(const op::BridgeSessionRemove& o) const {
    ConferenceRow* row = conference(o.room);
    if (row == nullptr) {
      return true;
    }
    row->bridge_sessions.erase(o.bridge);
    for (auto& [id, participant] : row->participants) {
      if (participant.endpoint && participant.endpoint->bridge == o.bridge) {
        participant.endpoint.reset();
      }
    }
    return true;
  }
  bool operator()(const op::EndpointSet& o) const {
    ParticipantRow* row = find_participant(tables, o.room, o.endpoint);
    if (row == nullptr) {
      return false;
    }
    row->endpoint = EndpointRow{.bridge = o.bridge,
                                .audio_force_muted = o.audio_force_muted,
                                .video_force_muted = o.video_force_muted};
    return true;
  }
  bool operator()(const op::EndpointRemove& o) const {
    ParticipantRow* row = find_participant(tables, o.room, o.endpoint);
    if (row != nullptr) {
      row->endpoint.reset();
    }
    return true;
  }
  bool operator()(const op::SourcesAdd& o) const {
    ParticipantRow* row = find_participant(tables, o.room, o.owner);
    if (row == nullptr) {
      return false;
    }
    for (const SourceRecord& source : o.sources) {
      row->sources.insert_or_assign(source.ssrc, source);
    }
    for (const SourceGroupRecord& group : o.groups) {
      if (std::find(row->groups.begin(), row->groups.end(), group) == row->groups.end()) {
        row->groups.push_back(group);
      }
    }
    return true;
  }
  bool operator()(const op::SourcesRemove& o) const {
    ParticipantRow* row = find_participant(tables, o.room, o.owner);
    if (row == nullptr) {
      return true;
    }
    for (const Ssrc ssrc : o.ssrcs) {
      row->sources.erase(ssrc);
    }
    std::erase_if(row->groups, [&o](const SourceGroupRecord& group) {
      return std::find(o.groups.begin(), o.groups.end(), group) != o.groups.end();
    });
    return true;
  }
  bool operator()(const op::SourcesPending& o) const {
    if (find_participant(tables, o.room, o.owner) == nullptr) {
      return false;
    }
    ConferenceRow* row = conference(o.room);
    const auto known = row->pending_sources.find(o.owner);
    std::set<EndpointId> receivers;
    for (const EndpointId& receiver : o.receivers) {
      const bool is_pending =
          known != row->pending_sources.end() &&
          std::any_of(known->second.begin(), known->second.end(),
                      [&](const auto& pending) { return pending.receivers.contains(receiver); });
      if (!is_pending && receiver != o.owner && row->participants.contains(receiver)) {
        receivers.insert(receiver);
      }
    }
    if (receivers.empty()) {
      return true;
    }
    auto& entries = row->pending_sources[o.owner];
    const auto same = std::find_if(entries.begin(), entries.end(), [&o](const auto& pending) {
      return pending.sources == o.sources && pending.groups == o.groups;
    });
    if (same != entries.end()) {
      same->receivers.merge(receivers);
    } else {
      entries.push_back({o.sources, o.groups, std::move(receivers)});
    }
    return true;
  }
  bool operator()(const op::SourcesTold& o) const {
    ConferenceRow* row = conference(o.room);
    if (row != nullptr) {
      forget_receivers(*row, o.receivers);
    }
    return true;
  }
  bool operator()(const op::Placement& o) const {
    tables.placements.insert(o);
    // The oldest goes first, so inserting a trimmed one again trims it again: still idempotent.
    while (tables.placements.size() > kPlacementsMax) {
      tables.placements.erase(tables.placements.begin());
    }
    return true;
  }
  bool operator()(const op::PendingSet& o) const {
    tables.pending[{o.stream, o.stanza_id}] = o;
    return true;
  }
  bool operator()(const op::PendingRemove& o) const {
    tables.pending.erase({o.stream, o.stanza_id});
    return true;
  }
  bool operator()(const op::LinkSet& o) const {
    LinkRow& row = tables.links[o.stream];
    if (row.link.resume_id != o.resume_id || row.link.bare != o.bare) {
      row = LinkRow{};
    }
    row.link = o;
    return true;
  }
  bool operator()(const op::InboundHandled& o) const {
    LinkRow* row = link(o.stream);
    if (row == nullptr) {
      return false;
    }
    row->handled = std::max(row->handled, o.handled);
    return true;
  }
  bool operator()(const op::OutboundPush& o) const {
    LinkRow* row = link(o.stream);
    if (row == nullptr) {
      return false;
    }
    if (o.index > row->acknowledged) {
      row->unacked[o.index] = o;
    }
    return true;
  }
  bool operator()(const op::OutboundAck& o) const {
    LinkRow* row = link(o.stream);
    if (row == nullptr) {
      return false;
    }
    row->acknowledged = std::max(row->acknowledged, o.acknowledged);
    row->unacked.erase(row->unacked.begin(), row->unacked.upper_bound(row->acknowledged));
    return true;
  }
  bool operator()(const op::Started& o) const {
    if (tables.boot_id != o.boot_id) {
      tables.boot_id = o.boot_id;
      tables.placements.clear();
      tables.pending.clear();
      for (auto& [jid, bridge] : tables.bridges) {
        bridge.at = Instant{};
      }
      for (auto& [jid, room] : tables.rooms) {
        room.at = Instant{};
      }
    }
    return true;
  }
  bool operator()(const op::Note&) const { return true; }
  // Below, what is oldest goes first, as with placements: still idempotent.
  bool operator()(const op::BridgeLearned& o) const {
    tables.bridges[o.bridge] = o;
    keep_latest(tables.bridges, kBridgesMax, &op::BridgeLearned::wall);
    return true;
  }
  void forget_room(const RoomJid& jid) const {
    const auto found = tables.rooms.find(jid);
    if (found != tables.rooms.end()) {
      tables.rooms_by_time.erase({found->second.wall, jid});
      tables.rooms.erase(found);
    }
  }
  bool operator()(const op::RoomSeen& o) const {
    forget_room(o.room);
    tables.rooms.emplace(o.room, o);
    tables.rooms_by_time.emplace(o.wall, o.room);
    if (tables.rooms.size() > kRoomsMax) {
      forget_room(RoomJid(tables.rooms_by_time.begin()->second));
    }
    return true;
  }
  bool operator()(const op::BridgeDrain& o) const {
    if (!o.drained) {
      tables.drains.erase(o.bridge);
      return true;
    }
    tables.drains.insert_or_assign(o.bridge, o);
    keep_latest(tables.drains, kBridgesMax, &op::BridgeDrain::since);
    return true;
  }
  bool operator()(const op::PinSet& o) const {
    if (o.version.empty()) {
      tables.pins.erase(o.room);
      return true;
    }
    tables.pins.insert_or_assign(o.room, o);
    keep_latest(tables.pins, kPinsMax, &op::PinSet::until);
    return true;
  }
  bool operator()(const op::AuditEntry& o) const {
    tables.audit.insert_or_assign({o.at, o.number}, o);
    while (tables.audit.size() > kAuditMax) {
      tables.audit.erase(tables.audit.begin());
    }
    return true;
  }
  bool operator()(const op::Decision& o) const {
    tables.decisions.insert_or_assign({o.at, o.number}, o);
    while (tables.decisions.size() > kDecisionsMax) {
      tables.decisions.erase(tables.decisions.begin());
    }
    return true;
  }
};

void append_participant(const RoomJid& room, const EndpointId& id, const ParticipantRow& row,
                        std::vector<Operation>& out) {
  out.emplace_back(row.identity);
  if (row.jingle) {
    out.emplace_back(op::JingleSet{.room = room,
                                   .endpoint = id,
                                   .sid = row.jingle->sid,
                                   .generation = row.jingle->generation,
                                   .state = row.jingle->state,
                                   .transport = row.jingle->transport});
  }
  if (row.endpoint) {
    out.emplace_back(op::EndpointSet{.room = room,
                                     .endpoint = id,
                                     .bridge = row.endpoint->bridge,
                                     .audio_force_muted = row.endpoint->audio_force_muted,
                                     .video_force_muted = row.endpoint->video_force_muted});
  }
  if (!row.sources.empty() || !row.groups.empty()) {
    op::SourcesAdd sources{.room = room, .owner = id, .groups = row.groups};
    for (const auto& [ssrc, source] : row.sources) {
      sources.sources.push_back(source);
    }
    out.emplace_back(std::move(sources));
  }
}

void append_pending(const RoomJid& room, const ConferenceRow& row, std::vector<Operation>& out) {
  for (const auto& [owner, entries] : row.pending_sources) {
    for (const PendingSources& pending : entries) {
      out.emplace_back(
          op::SourcesPending{.room = room,
                             .owner = owner,
                             .sources = pending.sources,
                             .groups = pending.groups,
                             .receivers = {pending.receivers.begin(), pending.receivers.end()}});
    }
  }
}

template <class Rows>
void append_values(const Rows& rows, std::vector<Operation>& out) {
  for (const auto& [key, row] : rows) {
    out.emplace_back(row);
  }
}

}  // namespace

bool Tables::apply(const Operation& operation) {
  return std::visit(Applier{*this}, operation);
}

std::vector<Operation> Tables::to_operations() const {
  std::vector<Operation> out;
  if (!boot_id.empty()) {
    out.emplace_back(op::Started{.boot_id = boot_id});  // First: it clears what comes later.
  }
  for (const auto& [room, conference] : conferences) {
    out.emplace_back(conference.identity);
    append_values(conference.moderation, out);
    for (const auto& [bridge, session] : conference.bridge_sessions) {
      out.emplace_back(session);
    }
    for (const auto& [id, participant] : conference.participants) {
      append_participant(room, id, participant, out);
    }
    append_pending(room, conference, out);
  }
  for (const op::Placement& placement : placements) {
    out.emplace_back(placement);
  }
  append_values(bridges, out);
  append_values(rooms, out);
  append_values(decisions, out);
  append_values(drains, out);
  append_values(pins, out);
  append_values(audit, out);
  for (const auto& [key, waiting] : pending) {
    out.emplace_back(waiting);
  }
  for (const auto& [stream, row] : links) {
    out.emplace_back(row.link);
    if (row.handled > 0) {
      out.emplace_back(op::InboundHandled{.stream = stream, .handled = row.handled});
    }
    if (row.acknowledged > 0) {
      out.emplace_back(op::OutboundAck{.stream = stream, .acknowledged = row.acknowledged});
    }
    for (const auto& [index, push] : row.unacked) {
      out.emplace_back(push);
    }
  }
  return out;
}

}  // namespace bascule::focus
