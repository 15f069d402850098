#include "focus/participant.h"

#include <algorithm>
#include <set>
#include <utility>

namespace bascule::focus {
namespace {

ParticipantRole role_of(const proto::MucItem& item) {
  if (item.affiliation == proto::Affiliation::kOwner ||
      item.affiliation == proto::Affiliation::kAdmin || item.role == proto::Role::kModerator) {
    return ParticipantRole::kModerator;
  }
  return item.role == proto::Role::kParticipant ? ParticipantRole::kParticipant
                                                : ParticipantRole::kVisitor;
}

/// Of each participant; more are not watched.
constexpr std::size_t kUnmutedMax = 20;

/// What a member says it is (Jicofo: ChatRoomMemberImpl.kt). Anybody may say so: ask only when its
/// domain is trusted.
ParticipantKind kind_of(const std::optional<std::set<std::string>>& features) {
  const auto says = [&](const char* feature) { return features && features->contains(feature); };
  return says("http://jitsi.org/protocol/jibri")         ? ParticipantKind::kJibri
         : says("http://jitsi.org/protocol/jigasi")      ? ParticipantKind::kJigasi
         : says("http://jitsi.org/protocol/transcriber") ? ParticipantKind::kTranscriber
                                                         : ParticipantKind::kUser;
}

template <class T>
bool assign(T& target, const T& value) {
  if (target == value) {
    return false;
  }
  target = value;
  return true;
}

/// Keeps since when each is shown.
void note_unmuted(const std::map<std::string, proto::SourceState>& states, Instant now,
                  std::map<std::string, Instant>& since) {
  std::erase_if(since, [&states](const auto& entry) {
    const auto shown = states.find(entry.first);
    return shown == states.end() || shown->second.muted;
  });
  for (const auto& [name, source] : states) {
    if (!source.muted && since.size() < kUnmutedMax) {
      since.try_emplace(name, now);
    }
  }
}

}  // namespace

bool is_audio_source(const std::string& name) {
  const auto dash = name.rfind('-');
  return dash != std::string::npos && dash + 1 < name.size() && name[dash + 1] == 'a';
}

Participant::Participant(ParticipantId number, OccupantJid occupant_jid, const Options& options)
    : id(number),
      occupant(std::move(occupant_jid)),
      endpoint(occupant.jid().resource()),
      jingle(JingleOptions{.accept_timeout = options.accept_timeout,
                           .restart = {.interval_min = options.restart_interval_min,
                                       .requests_max = options.restarts_per_minute_max},
                           .in_place_ice_restart = options.offer.in_place_ice_restart},
             JingleSession::Sending::kAllowed) {
}

bool Participant::is_exempt_from_mute() const {
  return !is_invitable() || member_kind == ParticipantKind::kJibri ||
         member_kind == ParticipantKind::kTranscriber ||
         (member_kind == ParticipantKind::kJigasi && !features.has(Feature::kAudioMute));
}

bool Participant::update(const proto::MucPresence& presence, const Options& options, Instant now) {
  bool changed = false;
  if (!presence.items.empty()) {
    const proto::MucItem& item = presence.items.front();
    changed |= assign(role, role_of(item));
    owner = item.affiliation == proto::Affiliation::kOwner;
    if (item.jid) {
      changed |= assign(real_jid, item.jid);
    }
  }
  if (presence.caps) {
    caps = presence.caps;
  }
  const proto::ParticipantInfo& info = presence.participant;
  const bool trusted =
      real_jid && std::count(options.trusted_domains.begin(), options.trusted_domains.end(),
                             real_jid->domain()) > 0;
  changed |= assign(member_kind, trusted ? kind_of(info.features) : ParticipantKind::kUser);
  if (info.stats_id) {
    changed |= assign(stats_id, *info.stats_id);
  }
  if (info.region) {
    changed |= assign(region, *info.region);
  }
  if (info.source_info) {
    if (const auto states = proto::decode_source_info(*info.source_info)) {
      bool audio = true;
      bool video = true;
      for (const auto& [name, source] : *states) {
        (is_audio_source(name) ? audio : video) &= source.muted;
      }
      note_unmuted(*states, now, unmuted_since);
      changed |= assign(audio_muted, audio);
      changed |= assign(video_muted, video);
    }
  } else {
    changed |= assign(audio_muted, info.audio_muted.value_or(true));
    changed |= assign(video_muted, info.video_muted.value_or(true));
  }
  return changed;
}

op::ParticipantAdd Participant::to_operation(const RoomJid& room) const {
  return {.room = room,
          .occupant = occupant,
          .real_jid = real_jid,
          .stats_id = stats_id,
          .region = region,
          .features = features.words(),
          .role = role,
          .kind = is_invitable() ? member_kind : ParticipantKind::kVisitor,
          .joined = joined,
          .audio_muted = audio_muted,
          .video_muted = video_muted};
}

Ticket Participant::make_ticket(const RoomJid& room, TicketKind kind) {
  Ticket ticket;
  ticket.room = room;
  ticket.participant = occupant;
  ticket.generation = ++ticket_generation;
  ticket.kind = kind;
  if (!region.empty()) {
    ticket.region = region;
  }
  return ticket;
}

ParticipantView Participant::view() const {
  return {.endpoint = endpoint,
          .state = state,
          .bridge = bridge,
          .sid = jingle.is_open() ? jingle.sid() : std::string(),
          .role = role,
          .kind = member_kind,
          .region = region,
          .stats_id = stats_id,
          .joined = joined,
          .audio_muted = audio_muted,
          .video_muted = video_muted};
}

Duration Participant::next_retry_delay(Duration initial) {
  retry_delay = retry_delay ? std::min(*retry_delay * 2, initial * 4) : initial;
  return *retry_delay;
}

}  // namespace bascule::focus
