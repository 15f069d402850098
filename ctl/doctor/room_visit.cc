#include "ctl/doctor/room_visit.h"

#include <utility>

namespace bascule::ctl::doctor {
namespace {

/// The next presence from this room that is among what has arrived, from `next` on.
std::optional<proto::MucPresence> next_presence(const Peer& peer, const Jid& room,
                                                std::size_t& next) {
  while (next < peer.stanzas.size()) {
    const xml::Element& stanza = peer.stanzas[next++];
    if (stanza.name != "presence") {
      continue;
    }
    auto presence = proto::decode_muc_presence(stanza);
    if (presence && presence->from.bare() == room) {
      return std::move(*presence);
    }
  }
  return std::nullopt;
}

}  // namespace

RoomVisit enter(Peer& peer, const Jid& occupant, Duration limit) {
  peer.stanzas.clear();
  proto::MucPresence join;
  join.from = peer.send_from();
  join.to = occupant;
  join.join = proto::MucJoin{.password = std::nullopt, .history_max_stanzas = 0};
  peer.send(encode(join));
  RoomVisit visit;
  std::size_t next = 0;
  peer.until(
      [&] {
        while (auto presence = next_presence(peer, occupant.bare(), next)) {
          if (presence->type == proto::PresenceType::kError) {
            visit.refusal = presence->error;
          } else if (presence->is_self()) {
            visit.self = std::move(*presence);
          } else if (presence->type == proto::PresenceType::kAvailable) {
            visit.others.push_back(std::move(*presence));
          }
        }
        return visit.self.has_value() || visit.refusal.has_value();
      },
      limit);
  return visit;
}

void leave(Peer& peer, const Jid& occupant, Duration limit) {
  peer.stanzas.clear();
  proto::MucPresence farewell;
  farewell.from = peer.send_from();
  farewell.to = occupant;
  farewell.type = proto::PresenceType::kUnavailable;
  peer.send(encode(farewell));
  std::size_t next = 0;
  peer.until(
      [&] {
        const auto presence = next_presence(peer, occupant.bare(), next);
        return presence && presence->type == proto::PresenceType::kUnavailable &&
               presence->is_self();
      },
      limit);
}

}  // namespace bascule::ctl::doctor
