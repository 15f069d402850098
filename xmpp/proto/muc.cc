#include "xmpp/proto/muc.h"

#include <algorithm>

#include "xmpp/proto/codec.h"
#include "xmpp/proto/iq.h"
#include "xmpp/proto/muc_presence_parts.h"

namespace bascule::proto {
namespace {

constexpr std::string_view kPresenceName = "presence";
constexpr std::string_view kXName = "x";
constexpr std::string_view kFromName = "from";
constexpr std::string_view kToName = "to";
constexpr std::string_view kIdName = "id";
constexpr std::string_view kTypeName = "type";
constexpr std::string_view kErrorName = "error";
constexpr std::string_view kPasswordName = "password";
constexpr std::string_view kHistoryName = "history";
constexpr std::string_view kMaxStanzasName = "maxstanzas";
constexpr std::string_view kStatusName = "status";
constexpr std::string_view kCodeName = "code";
constexpr std::string_view kItemName = "item";
constexpr std::string_view kAffiliationName = "affiliation";
constexpr std::string_view kRoleName = "role";
constexpr std::string_view kJidName = "jid";
constexpr std::string_view kNickName = "nick";
constexpr std::string_view kReasonName = "reason";
constexpr std::string_view kActorName = "actor";
constexpr std::string_view kDestroyName = "destroy";
constexpr int kStatusMin = 100;
constexpr int kStatusMax = 999;

/// Absent means available.
constexpr Names<PresenceType, 2> kPresenceTypes{{
    {PresenceType::kUnavailable, "unavailable"},
    {PresenceType::kError, "error"},
}};

xml::Element encode_join(const MucJoin& join) {
  xml::Element x = make_element(kXName, kMucNamespace);
  if (join.history_max_stanzas) {
    set_number(x.add(make_element(kHistoryName, kMucNamespace)), kMaxStanzasName,
               *join.history_max_stanzas);
  }
  if (join.password) {
    x.add(make_text_element(kPasswordName, kMucNamespace, *join.password));
  }
  return x;
}

MucJoin decode_join(const xml::Element& x, Reader& reader) {
  MucJoin join{.password = child_text(x, kPasswordName, kMucNamespace)};
  if (const xml::Element* history = x.child(kHistoryName, kMucNamespace)) {
    Reader child(*history);
    join.history_max_stanzas = child.optional_integer<int>(kMaxStanzasName, {.min = 0});
    reader.take(child.finish(0));
  }
  return join;
}

xml::Element encode_item(const MucItem& item) {
  xml::Element element = make_element(kItemName, kMucUserNamespace);
  element.set(kAffiliationName, to_string(item.affiliation)).set(kRoleName, to_string(item.role));
  set_optional(element, kJidName, item.jid);
  set_optional(element, kNickName, item.nick);
  if (item.actor) {
    element.add(make_element(kActorName, kMucUserNamespace)).set(kNickName, *item.actor);
  }
  if (item.reason) {
    element.add(make_text_element(kReasonName, kMucUserNamespace, *item.reason));
  }
  return element;
}

Result<MucItem> decode_item(const xml::Element& element) {
  Reader reader(element);
  MucItem item{.jid = reader.optional_jid(kJidName),
               .nick = optional_text(element, kNickName),
               .reason = child_text(element, kReasonName, kMucUserNamespace)};
  reader.assign_enum(kAffiliations, kAffiliationName, item.affiliation);
  reader.assign_enum(kRoles, kRoleName, item.role);
  if (const xml::Element* actor = element.child(kActorName, kMucUserNamespace)) {
    item.actor = optional_text(*actor, kNickName);
    if (!item.actor) {
      item.actor = optional_text(*actor, kJidName);
    }
  }
  return reader.finish(std::move(item));
}

xml::Element encode_user(const MucPresence& presence) {
  xml::Element x = make_element(kXName, kMucUserNamespace);
  for (const MucItem& item : presence.items) {
    x.add(encode_item(item));
  }
  if (presence.destroy) {
    xml::Element& destroy = x.add(make_element(kDestroyName, kMucUserNamespace));
    set_optional(destroy, kJidName, presence.destroy->alternate);
    if (presence.destroy->reason) {
      destroy.add(make_text_element(kReasonName, kMucUserNamespace, *presence.destroy->reason));
    }
  }
  for (const int status : presence.statuses) {
    set_number(x.add(make_element(kStatusName, kMucUserNamespace)), kCodeName, status);
  }
  return x;
}

void decode_user(const xml::Element& x, MucPresence& presence, Reader& reader) {
  presence.statuses = decode_muc_statuses(x, reader);
  for (const xml::Element& child : x.children) {
    if (child.is(kItemName, kMucUserNamespace)) {
      presence.items.push_back(reader.take(decode_item(child)));
    } else if (child.is(kDestroyName, kMucUserNamespace)) {
      Reader destroy(child);
      presence.destroy = MucDestroyed{.reason = child_text(child, kReasonName, kMucUserNamespace),
                                      .alternate = destroy.optional_jid(kJidName)};
      reader.take(destroy.finish(0));
    }
  }
}

}  // namespace

std::string_view to_string(Affiliation affiliation) {
  return name_of(kAffiliations, affiliation);
}

std::string_view to_string(Role role) {
  return name_of(kRoles, role);
}

bool MucPresence::has_status(int status) const {
  return std::find(statuses.begin(), statuses.end(), status) != statuses.end();
}

xml::Element encode_muc_statuses(const std::vector<int>& statuses) {
  return encode_user(MucPresence{.statuses = statuses});
}

std::vector<int> decode_muc_statuses(const xml::Element& x, Reader& reader) {
  std::vector<int> statuses;
  for (const xml::Element& child : x.children) {
    if (child.is(kStatusName, kMucUserNamespace)) {
      Reader status(child);
      const int code =
          status.required_integer<int>(kCodeName, {.min = kStatusMin, .max = kStatusMax});
      statuses.push_back(reader.take(status.finish(code)));
    }
  }
  return statuses;
}

xml::Element encode(const MucPresence& presence) {
  xml::Element element = make_element(kPresenceName, kStanzaNamespace);
  if (presence.type != PresenceType::kAvailable) {
    element.set(kTypeName, name_of(kPresenceTypes, presence.type));
  }
  set_optional(element, kIdName, presence.id);
  if (!presence.from.empty()) {
    element.set(kFromName, presence.from.to_string());
  }
  if (!presence.to.empty()) {
    element.set(kToName, presence.to.to_string());
  }
  if (presence.join) {
    element.add(encode_join(*presence.join));
  }
  encode_participant(presence.participant, element);
  encode_focus(presence.focus, element);
  if (presence.colibri_stats) {
    element.add(encode(*presence.colibri_stats));
  }
  if (presence.caps) {
    element.add(encode(*presence.caps));
  }
  if (!presence.items.empty() || !presence.statuses.empty() || presence.destroy) {
    element.add(encode_user(presence));
  }
  if (presence.error) {
    element.add(encode(*presence.error));
  }
  return element;
}

Result<MucPresence> decode_muc_presence(const xml::Element& presence) {
  Reader reader(presence);
  reader.expect(kPresenceName, kStanzaNamespace);
  MucPresence decoded{.from = reader.optional_jid(kFromName).value_or(Jid()),
                      .to = reader.optional_jid(kToName).value_or(Jid()),
                      .id = optional_text(presence, kIdName)};
  reader.assign_enum(kPresenceTypes, kTypeName, decoded.type);
  for (const xml::Element& child : presence.children) {
    if (child.is(kXName, kMucNamespace)) {
      decoded.join = decode_join(child, reader);
    } else if (child.is(kXName, kMucUserNamespace)) {
      decode_user(child, decoded, reader);
    } else if (child.is(kErrorName, kStanzaNamespace)) {
      decoded.error = reader.take(decode_stanza_error(child));
    } else if (is_caps(child)) {
      decoded.caps = reader.take(decode_caps(child));
    } else if (is_colibri_stats(child)) {
      decoded.colibri_stats = reader.take(decode_colibri_stats(child));
    } else {
      decode_participant_child(child, decoded.participant);
      decode_focus_child(child, decoded.focus);
    }
  }
  if (decoded.type != PresenceType::kError) {
    decoded.error.reset();
  } else if (!decoded.error) {
    decoded.error = StanzaError{};
  }
  return reader.finish(std::move(decoded));
}

}  // namespace bascule::proto
