#include "sim/muc_service.h"

#include <charconv>
#include <optional>
#include <utility>

#include "xmpp/proto/iq.h"
#include "xmpp/proto/muc_admin.h"
#include "xmpp/proto/stanza_error.h"

namespace bascule::sim {
namespace {

using proto::Affiliation;
using proto::Condition;

xml::Element element(std::string name, std::string ns) {
  xml::Element made;
  made.name = std::move(name);
  made.ns = std::move(ns);
  return made;
}

xml::Element bounce(const xml::Element& stanza, Condition condition, const Jid& by,
                    std::string text = {}) {
  xml::Element reply = element(stanza.name, stanza.ns);
  reply.set("type", "error");
  if (const auto id = stanza.attribute("id")) {
    reply.set("id", *id);
  }
  reply.set("from", stanza.attribute_or_empty("to"));
  reply.set("to", stanza.attribute_or_empty("from"));
  proto::StanzaError error = proto::make_error(condition, std::move(text));
  error.by = by.to_string();
  reply.add(proto::encode(error));
  return reply;
}

// The relayed id carries the real address of the sender, as Prosody's does: results find their way
// back without any state in the room.
std::string relay_id(const Jid& real, std::string_view id) {
  return std::to_string(real.to_string().size()) + ":" + real.to_string() + std::string(id);
}

std::optional<std::pair<Jid, std::string>> unrelay_id(std::string_view id) {
  const auto colon = id.find(':');
  std::size_t size = 0;
  if (colon == std::string_view::npos ||
      std::from_chars(id.data(), id.data() + colon, size).ec != std::errc{} ||
      colon + 1 + size > id.size()) {
    return std::nullopt;
  }
  auto real = Jid::parse(id.substr(colon + 1, size));
  if (!real) {
    return std::nullopt;
  }
  return std::pair{*std::move(real), std::string(id.substr(colon + 1 + size))};
}

}  // namespace

void MucService::handle(const Jid& from, const xml::Element& stanza, std::vector<Routed>& out) {
  const auto to = Jid::parse(stanza.attribute_or_empty("to"));
  if (!to) {
    return;
  }
  if (stanza.name == "presence") {
    presence(from, *to, stanza, out);
  } else if (stanza.name == "iq") {
    if (to->is_bare()) {
      iq_to_room(from, *to, stanza, out);
    } else {
      iq_to_occupant(from, *to, stanza, out);
    }
  }
}

Affiliation MucService::affiliation_of(const Room& room, const Jid& real) const {
  if (admins_.contains(real.bare())) {
    return Affiliation::kOwner;
  }
  const auto found = room.affiliations.find(real.bare());
  return found == room.affiliations.end() ? Affiliation::kNone : found->second;
}

void MucService::announce(const Jid& room_jid, const Room& room, const std::string& nick,
                          const Jid& receiver, std::vector<int> statuses,
                          std::vector<Routed>& out) const {
  const Occupant& occupant = room.by_nick.at(nick);
  xml::Element stanza = occupant.presence;
  stanza.set("from", room_jid.with_resource(nick).to_string());
  stanza.set("to", receiver.to_string());
  xml::Element x = element("x", std::string(proto::kMucUserNamespace));
  xml::Element item = element("item", std::string(proto::kMucUserNamespace));
  const bool owner = occupant.affiliation == Affiliation::kOwner;
  item.set("affiliation", proto::to_string(occupant.affiliation));
  item.set("role", proto::to_string(owner ? proto::Role::kModerator : proto::Role::kParticipant));
  item.set("jid", occupant.real.to_string());
  x.add(std::move(item));
  for (const int status : statuses) {
    xml::Element code = element("status", std::string(proto::kMucUserNamespace));
    code.set("code", std::to_string(status));
    x.add(std::move(code));
  }
  stanza.add(std::move(x));
  out.push_back({receiver, std::move(stanza)});
}

void MucService::presence(const Jid& from, const Jid& to, const xml::Element& stanza,
                          std::vector<Routed>& out) {
  const auto type = stanza.attribute_or_empty("type");
  if (to.is_bare() || type == "error") {
    return;
  }
  const auto found = rooms_.find(to.bare());
  if (type == "unavailable") {
    if (found != rooms_.end()) {
      const auto nick = found->second.nick_of.find(from);
      if (nick != found->second.nick_of.end()) {
        leave(to.bare(), found->second, std::string(nick->second), &stanza, {}, out);
      }
    }
    return;
  }
  if (stanza.child("x", proto::kMucNamespace) != nullptr) {
    join(from, to, stanza, out);
    return;
  }
  if (found == rooms_.end() || !found->second.nick_of.contains(from)) {
    out.push_back({from, bounce(stanza, Condition::kItemNotFound, to.bare())});
    return;
  }
  Room& room = found->second;
  const std::string nick = room.nick_of.at(from);
  room.by_nick.at(nick).presence = stanza;
  for (const auto& [other, occupant] : room.by_nick) {
    announce(to.bare(), room, nick, occupant.real,
             other == nick ? std::vector<int>{proto::kStatusSelfPresence} : std::vector<int>{},
             out);
  }
}

void MucService::join(const Jid& from, const Jid& to, const xml::Element& stanza,
                      std::vector<Routed>& out) {
  const Jid room_jid = to.bare();
  auto found = rooms_.find(room_jid);
  bool created = false;
  if (found == rooms_.end()) {
    if (!admins_.contains(from.bare())) {
      out.push_back(
          {from, bounce(stanza, Condition::kNotAllowed, room_jid, "Room creation is restricted")});
      return;
    }
    created = true;
    found = rooms_.emplace(room_jid, Room{}).first;
    found->second.meeting_id = meeting_id_prefix_ + std::to_string(++rooms_created_);
  }
  Room& room = found->second;
  const std::string& nick = to.resource();
  const auto holder = room.by_nick.find(nick);
  if (holder != room.by_nick.end() && holder->second.real.bare() != from.bare()) {
    out.push_back({from, bounce(stanza, Condition::kConflict, room_jid)});
    return;
  }
  const bool again = holder != room.by_nick.end();
  if (again) {
    room.nick_of.erase(holder->second.real);
  }
  xml::Element payload = stanza;
  std::erase_if(payload.children,
                [](const xml::Element& child) { return child.ns == proto::kMucNamespace; });
  room.by_nick[nick] = {.real = from,
                        .affiliation = created ? Affiliation::kOwner : affiliation_of(room, from),
                        .presence = std::move(payload)};
  room.nick_of[from] = nick;
  for (const auto& [other, occupant] : room.by_nick) {
    if (other != nick) {
      announce(room_jid, room, other, from, {}, out);
    }
  }
  for (const auto& [other, occupant] : room.by_nick) {
    if (other != nick) {
      announce(room_jid, room, nick, occupant.real, {}, out);
    }
  }
  std::vector<int> statuses{100, proto::kStatusSelfPresence};
  if (created) {
    statuses.push_back(proto::kStatusRoomCreated);
  }
  announce(room_jid, room, nick, from, statuses, out);
}

void MucService::leave(const Jid& room_jid, Room& room, const std::string& nick,
                       const xml::Element* goodbye, std::vector<int> statuses,
                       std::vector<Routed>& out) {
  const Occupant gone = room.by_nick.at(nick);
  for (const auto& [other, occupant] : room.by_nick) {
    if (other == nick && goodbye == nullptr && statuses.empty()) {
      continue;  // Its session is gone: nobody there to tell.
    }
    xml::Element stanza = goodbye != nullptr ? *goodbye : element("presence", gone.presence.ns);
    stanza.set("type", "unavailable");
    stanza.set("from", room_jid.with_resource(nick).to_string());
    stanza.set("to", occupant.real.to_string());
    xml::Element x = element("x", std::string(proto::kMucUserNamespace));
    xml::Element item = element("item", std::string(proto::kMucUserNamespace));
    item.set("affiliation", proto::to_string(gone.affiliation)).set("role", "none");
    item.set("jid", gone.real.to_string());
    x.add(std::move(item));
    for (const int status : statuses) {
      xml::Element code = element("status", std::string(proto::kMucUserNamespace));
      code.set("code", std::to_string(status));
      x.add(std::move(code));
    }
    stanza.add(std::move(x));
    out.push_back({occupant.real, std::move(stanza)});
  }
  room.nick_of.erase(gone.real);
  room.by_nick.erase(nick);
  if (room.by_nick.empty()) {
    rooms_.erase(room_jid);
  }
}

void MucService::session_lost(const Jid& real, std::vector<Routed>& out) {
  for (auto it = rooms_.begin(); it != rooms_.end();) {
    auto current = it++;  // leave() may erase the room.
    const auto nick = current->second.nick_of.find(real);
    if (nick != current->second.nick_of.end()) {
      leave(Jid(current->first), current->second, std::string(nick->second), nullptr, {}, out);
    }
  }
}

void MucService::bounced(const Jid& real, std::vector<Routed>& out) {
  for (auto it = rooms_.begin(); it != rooms_.end();) {
    auto current = it++;
    const auto nick = current->second.nick_of.find(real);
    if (nick != current->second.nick_of.end()) {
      std::vector<Routed> told;
      leave(Jid(current->first), current->second, std::string(nick->second), nullptr, {333}, told);
      for (Routed& routed : told) {
        if (routed.to != real) {  // The ghost is not there to be told.
          out.push_back(std::move(routed));
        }
      }
    }
  }
}

void MucService::iq_to_room(const Jid& from, const Jid& to, const xml::Element& stanza,
                            std::vector<Routed>& out) {
  const auto type = stanza.attribute_or_empty("type");
  if (type != "get" && type != "set") {
    return;
  }
  const auto found = rooms_.find(to);
  auto envelope = proto::decode_iq_envelope(stanza);
  if (!envelope) {
    return;
  }
  envelope->from = from;
  const auto answer = [&out, &from](xml::Element reply) {
    out.push_back({from, std::move(reply)});
  };
  if (found == rooms_.end()) {
    answer(proto::encode_iq_error(*envelope, proto::make_error(Condition::kItemNotFound)));
    return;
  }
  Room& room = found->second;
  if (affiliation_of(room, from) != Affiliation::kOwner) {
    answer(proto::encode_iq_error(*envelope, proto::make_error(Condition::kForbidden)));
    return;
  }
  if (const auto* owner = stanza.child("query", proto::kMucOwnerNamespace)) {
    if (type == "get") {
      proto::MucForm form;
      form.form.fields = {
          {.var = "FORM_TYPE",
           .type = "hidden",
           .values = {std::string(proto::kMucRoomConfigFormType)}},
          {.var = "muc#roomconfig_whois", .type = "list-single", .values = {"anyone"}},
          {.var = "muc#roominfo_meetingId", .type = "text-single", .values = {room.meeting_id}}};
      answer(proto::encode_iq_result(*envelope, proto::encode(form)));
    } else {
      const bool valid = proto::decode_muc_owner_form_submit(*owner).has_value();
      answer(valid ? proto::encode_iq_result(*envelope)
                   : proto::encode_iq_error(*envelope, proto::make_error(Condition::kBadRequest)));
    }
    return;
  }
  if (const auto* admin = stanza.child("query", proto::kMucAdminNamespace)) {
    const auto set = proto::decode_muc_admin_set(*admin);
    if (!set) {
      answer(proto::encode_iq_error(*envelope, proto::make_error(Condition::kBadRequest)));
      return;
    }
    answer(proto::encode_iq_result(*envelope));
    for (const proto::MucAdminItem& item : set->items) {
      if (!item.affiliation || !item.jid) {
        continue;
      }
      room.affiliations[item.jid->bare()] = *item.affiliation;
      for (auto& [nick, occupant] : room.by_nick) {
        if (occupant.real.bare() == item.jid->bare()) {
          occupant.affiliation = *item.affiliation;
          for (const auto& [other, receiver] : room.by_nick) {
            announce(to, room, nick, receiver.real,
                     other == nick ? std::vector<int>{110} : std::vector<int>{}, out);
          }
        }
      }
    }
    return;
  }
  answer(proto::encode_iq_error(*envelope, proto::make_error(Condition::kServiceUnavailable)));
}

void MucService::iq_to_occupant(const Jid& from, const Jid& to, const xml::Element& stanza,
                                std::vector<Routed>& out) {
  const auto type = stanza.attribute_or_empty("type");
  const bool request = type == "get" || type == "set";
  const auto found = rooms_.find(to.bare());
  const auto sender = found == rooms_.end() ? std::map<Jid, std::string>::const_iterator{}
                                            : found->second.nick_of.find(from);
  if (found == rooms_.end() || sender == found->second.nick_of.end()) {
    if (request) {
      out.push_back({from, bounce(stanza,
                                  found == rooms_.end() ? Condition::kItemNotFound
                                                        : Condition::kNotAcceptable,
                                  to.bare(), "You are not currently connected to this chat")});
    }
    return;
  }
  Room& room = found->second;
  xml::Element relayed = stanza;
  relayed.set("from", to.bare().with_resource(sender->second).to_string());
  if (!request) {
    auto original = unrelay_id(stanza.attribute_or_empty("id"));
    if (original) {
      relayed.set("id", original->second).set("to", original->first.to_string());
      out.push_back({original->first, std::move(relayed)});
    }
    return;
  }
  const auto target = room.by_nick.find(to.resource());
  if (target == room.by_nick.end()) {
    out.push_back(
        {from, bounce(stanza, Condition::kItemNotFound, to.bare(), "Recipient not in room")});
    return;
  }
  relayed.set("id", relay_id(from, stanza.attribute_or_empty("id")));
  relayed.set("to", target->second.real.to_string());
  out.push_back({target->second.real, std::move(relayed)});
}

std::optional<RoomJid> MucService::forget_occupant(const Jid& real, std::size_t n) {
  std::vector<std::map<Jid, Room>::iterator> suitable;
  for (auto room = rooms_.begin(); room != rooms_.end(); ++room) {
    if (room->second.nick_of.contains(real) && room->second.by_nick.size() > 1) {
      suitable.push_back(room);
    }
  }
  if (suitable.empty()) {
    return std::nullopt;
  }
  auto& [jid, room] = *suitable[n % suitable.size()];
  room.by_nick.erase(room.nick_of.at(real));
  room.nick_of.erase(real);
  return RoomJid(jid);
}

bool MucService::is_inside(const RoomJid& room, const Jid& real) const {
  const auto found = rooms_.find(room.jid());
  return found != rooms_.end() && found->second.nick_of.contains(real);
}

std::size_t MucService::occupants(const RoomJid& room) const {
  const auto found = rooms_.find(room.jid());
  return found == rooms_.end() ? 0 : found->second.by_nick.size();
}

}  // namespace bascule::sim
