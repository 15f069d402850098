#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/jid.h"
#include "focus/conference_state.h"
#include "focus/operation.h"
#include "focus/participant_state.h"

namespace bascule::focus {

/// One member of a room at one instant.
struct ParticipantView {
  EndpointId endpoint{""};
  ParticipantState state = ParticipantState::kDiscovering;
  std::optional<BridgeJid> bridge;  ///< Where its endpoint is, or is being, allocated.
  std::string sid;                  ///< Of its Jingle session; empty when it has none.
  ParticipantRole role = ParticipantRole::kVisitor;
  ParticipantKind kind = ParticipantKind::kUser;
  std::string region, stats_id;  ///< As the client says; may be empty.
  WallTime joined{};
  bool audio_muted = true, video_muted = true;
};

/// One conference at one instant, in what costs nothing to tell.
struct ConferenceSummary {
  RoomJid room;
  std::string meeting_id;  ///< Empty before the room was entered.
  ConferenceState state = ConferenceState::kJoining;
  WallTime created{};            ///< Also of an earlier process.
  std::size_t participants = 0;  ///< Members of the room, without us.
  std::size_t sessions = 0;      ///< Accepted ones.
};

/// The same with its people, for metrics, the admin interface and the simulator.
struct ConferenceView {
  ConferenceSummary summary;
  std::vector<ParticipantView> participants;  ///< In order of their endpoint ids.
};

/// Since somebody wanted every live source of bridge stats asked again.
struct StatsRequery {
  Instant asked_at{};
  std::size_t expected = 0;  ///< Bridges in the brewery now.
  std::size_t seen = 0;      ///< Of these, reported since by anybody.
};

}  // namespace bascule::focus
