#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/jid.h"
#include "focus/iq_ledger.h"

namespace bascule::focus {

/// What one part of the focus has to tell the others. Collected during a turn and handed on by
/// Focus before the turn ends, so that no part calls into another one that is at work.
namespace news {

/// We are in the room and it is configured: clients may come.
struct RoomReady {
  RoomJid room;
};
/// The conference is over; `vanished`: the server forgot the room, which may be entered anew.
struct ConferenceEnded {
  RoomJid room;
  ConferenceId conference{0};
  std::string reason;
  bool vanished = false;
  bool refused = false;  ///< The server did not let us enter or create the room.
};
/// A room that was to be entered again is in, or ended: the next one may be looked at.
struct Reconciled {
  ConferenceId conference{0};
};
/// A bridge did not answer, or answered that it cannot.
struct BridgeDoubted {
  BridgeJid bridge;
  std::string_view reason;
};
/// The brewery says that we are not in it.
struct NotInBrewery {};

}  // namespace news

using News = std::variant<news::RoomReady, news::ConferenceEnded, news::Reconciled,
                          news::BridgeDoubted, news::NotInBrewery>;

}  // namespace bascule::focus
