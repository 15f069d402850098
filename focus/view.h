#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/jid.h"
#include "focus/conference_state.h"
#include "focus/participant_state.h"

namespace bascule::focus {

/// One member of a room at one instant.
struct ParticipantView {
  EndpointId endpoint{""};
  ParticipantState state = ParticipantState::kDiscovering;
  std::optional<BridgeJid> bridge;  ///< Where its endpoint is, or is being, allocated.
  std::string sid;                  ///< Of its Jingle session; empty when it has none.
};

/// One conference at one instant, for metrics, the admin interface and the simulator.
struct ConferenceView {
  RoomJid room;
  std::string meeting_id;  ///< Empty before the room was entered.
  ConferenceState state = ConferenceState::kJoining;
  std::vector<ParticipantView> participants;  ///< In order of their endpoint ids.
};

/// Since somebody wanted every live source of bridge stats asked again.
struct StatsRequery {
  Instant asked_at{};
  std::size_t expected = 0;  ///< Bridges in the brewery now.
  std::size_t seen = 0;      ///< Of these, reported since by anybody.
};

}  // namespace bascule::focus
