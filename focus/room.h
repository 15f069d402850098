#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/jid.h"
#include "focus/iq_ledger.h"
#include "focus/turn.h"
#include "xmpp/proto/muc.h"

namespace bascule::focus {

namespace room_event {

/// We are in, the room is configured, and everything that follows is in order of arrival.
struct Entered {
  std::string meeting_id;  ///< Of the room's form; empty when the room has none.
  bool breakout = false;
  /// After `rejoin` only: who was there. Members not listed have left meanwhile.
  std::set<EndpointId> present;
};
/// We did not get in and are out.
struct Refused {
  std::string reason;
};
/// The room exists no more, or we were removed from it; we are out.
struct Closed {
  std::string_view reason;
};
struct MemberSeen {
  proto::MucPresence presence;
};
/// Before we are in (again): told at once because requests of the member follow it. MemberSeen
/// comes later for whoever is there.
struct MemberUpdated {
  proto::MucPresence presence;
};
struct MemberLeft {
  EndpointId endpoint;
  std::string status;  ///< `switch_room`: on the way to a breakout room (lib-jitsi-meet).
};

}  // namespace room_event

using RoomEvent =
    std::variant<room_event::Entered, room_event::Refused, room_event::Closed,
                 room_event::MemberSeen, room_event::MemberUpdated, room_event::MemberLeft>;

/// Our occupancy of one conference room (XEP-0045), from the join to the leave.
///
/// Order matters: whatever arrives before we are in and the room is configured waits and is
/// delivered afterwards in order of arrival (Jicofo: ChatRoomImpl.kt). Of the configuration form
/// only `whois` is submitted, so that nobody else's change is undone.
class Room {
 public:
  Room(RoomJid jid, ConferenceId conference) : jid_(std::move(jid)), conference_(conference) {}

  [[nodiscard]] const RoomJid& jid() const { return jid_; }
  [[nodiscard]] bool is_in() const { return phase_ == Phase::kIn; }
  [[nodiscard]] bool is_entering() const { return phase_ != Phase::kIn && phase_ != Phase::kOut; }

  /// Ends in exactly one of Entered, Refused and Closed.
  void join(Turn& turn);
  /// The link was lost and is back: looks whether the room still exists (an empty one would be
  /// created otherwise), then joins and compares. Ends like `join`.
  void rejoin(Turn& turn);
  /// Says goodbye even when the join was not answered yet: a late join would leak the room.
  void leave(Turn& turn);
  /// The client link is gone without resumption: we are in no room any more. No stanza.
  void lose(Turn& turn);

  /// Asks whether the server still has us in the room (XEP-0410); only while we think so.
  void ping(Turn& turn) const;
  /// The answer belongs to our present stay in the room.
  [[nodiscard]] bool is_current(const IqNote& note) const {
    return is_in() && note.generation == attempt_;
  }

  /// Presence from the room. Appends what it means.
  void on_presence(const proto::MucPresence& presence, Turn& turn, std::vector<RoomEvent>& events);
  /// kRoomProbe, kRoomForm and kRoomConfigure.
  void on_answer(const IqNote& note, const IqOutcome& outcome, Turn& turn,
                 std::vector<RoomEvent>& events);
  /// TimerKind::kRoomJoin.
  void on_join_timeout(Turn& turn, std::vector<RoomEvent>& events);

  /// What clients see of the focus; complete, every time. Only while in the room.
  void publish(const proto::FocusInfo& info, Turn& turn);

 private:
  enum class Phase : std::uint8_t { kOut, kProbing, kJoining, kReadingForm, kSubmitting, kIn };

  [[nodiscard]] Jid own_occupant(const Turn& turn) const;
  [[nodiscard]] TimerKey join_timer() const { return {TimerKind::kRoomJoin, conference_.value()}; }
  [[nodiscard]] IqNote note(IqPurpose purpose) const;
  void send_join(Turn& turn);
  void start_attempt(Phase phase, Turn& turn);
  void on_own_presence(const proto::MucPresence& presence, Turn& turn,
                       std::vector<RoomEvent>& events);
  void on_form(const IqOutcome& outcome, Turn& turn, std::vector<RoomEvent>& events);
  void enter(Turn& turn, std::vector<RoomEvent>& events);
  void refuse(std::string reason, Turn& turn, std::vector<RoomEvent>& events);
  void close(std::string_view reason, Turn& turn, std::vector<RoomEvent>& events);
  void deliver(const proto::MucPresence& presence, Turn& turn, std::vector<RoomEvent>& events);

  RoomJid jid_;
  ConferenceId conference_;
  Phase phase_ = Phase::kOut;
  bool again_ = false;         // This attempt is a rejoin.
  std::uint64_t attempt_ = 0;  // Answers to IQs of an earlier attempt are ignored.
  room_event::Entered entered_;
  std::vector<proto::MucPresence> held_;  // Until we are in.
};

}  // namespace bascule::focus
