#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/jid.h"
#include "xmpp/proto/muc.h"
#include "xmpp/xml/element.h"

namespace bascule::sim {

/// A stanza with its destination: a real address for the router.
struct Routed {
  Jid to;
  xml::Element stanza;
};

/// One MUC component as stock Prosody 0.12 behaves with `restrict_room_creation`,
/// `muc_room_locking = false` and public JIDs (XEP-0045; prosody: plugins/muc/muc.lib.lua).
/// Values in, values out; it neither delays nor loses anything.
class MucService {
 public:
  /// `admins` may create rooms and own every room.
  MucService(std::string domain, std::set<Jid> admins, std::string meeting_id_prefix)
      : domain_(std::move(domain)),
        admins_(std::move(admins)),
        meeting_id_prefix_(std::move(meeting_id_prefix)) {}

  /// A stanza addressed to this service; `from` is the sender's real full address.
  void handle(const Jid& from, const xml::Element& stanza, std::vector<Routed>& out);
  /// The session behind this address is gone: it leaves every room it was in.
  void session_lost(const Jid& real, std::vector<Routed>& out);
  /// A presence or message to this address bounced: Prosody kicks the ghost (status 333).
  void bounced(const Jid& real, std::vector<Routed>& out);
  /// The server died: everything is forgotten (`storage = "memory"`).
  void forget() { rooms_.clear(); }

  /// The service loses this occupant of the n-th room (counted round) that has others in it, and
  /// tells nobody. Returns the room.
  std::optional<RoomJid> forget_occupant(const Jid& real, std::size_t n);

  [[nodiscard]] bool is_inside(const RoomJid& room, const Jid& real) const;
  [[nodiscard]] std::size_t room_count() const { return rooms_.size(); }
  [[nodiscard]] std::size_t occupants(const RoomJid& room) const;

 private:
  struct Occupant {
    Jid real;
    proto::Affiliation affiliation = proto::Affiliation::kNone;
    xml::Element presence;  // Payload as the sender last sent it.
  };
  struct Room {
    std::map<std::string, Occupant> by_nick;
    std::map<Jid, std::string> nick_of;
    std::map<Jid, proto::Affiliation> affiliations;  // By bare address.
    std::string meeting_id;
  };

  void presence(const Jid& from, const Jid& to, const xml::Element& stanza,
                std::vector<Routed>& out);
  void join(const Jid& from, const Jid& to, const xml::Element& stanza, std::vector<Routed>& out);
  void leave(const Jid& room_jid, Room& room, const std::string& nick, const xml::Element* goodbye,
             std::vector<int> statuses, std::vector<Routed>& out);
  void iq_to_room(const Jid& from, const Jid& to, const xml::Element& stanza,
                  std::vector<Routed>& out);
  void iq_to_occupant(const Jid& from, const Jid& to, const xml::Element& stanza,
                      std::vector<Routed>& out);
  void announce(const Jid& room_jid, const Room& room, const std::string& nick, const Jid& receiver,
                std::vector<int> statuses, std::vector<Routed>& out) const;
  [[nodiscard]] proto::Affiliation affiliation_of(const Room& room, const Jid& real) const;

  std::string domain_;
  std::set<Jid> admins_;
  std::string meeting_id_prefix_;
  std::uint64_t rooms_created_ = 0;
  std::map<Jid, Room> rooms_;
};

}  // namespace bascule::sim
