#pragma once

#include <optional>
#include <vector>

#include "base/jid.h"
#include "ctl/doctor/peer.h"
#include "xmpp/proto/muc.h"

namespace bascule::ctl::doctor {

/// How a room received us.
struct RoomVisit {
  std::optional<proto::MucPresence> self;     ///< Our own presence (status 110): we are in.
  std::optional<proto::StanzaError> refusal;  ///< We are not.
  std::vector<proto::MucPresence> others;     ///< Who was there; complete when we are in.
};

/// Enters as `occupant`, which is the room with our nick. Neither of the two: no answer.
RoomVisit enter(Peer& peer, const Jid& occupant, Duration limit);
/// Leaves it; waits for the room to say so, so that it is over when we are gone.
void leave(Peer& peer, const Jid& occupant, Duration limit);

}  // namespace bascule::ctl::doctor
