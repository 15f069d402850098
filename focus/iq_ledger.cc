#include "focus/iq_ledger.h"

#include <utility>

#include "base/check.h"

namespace bascule::focus {

IqKind kind_of(IqPurpose purpose) {
  switch (purpose) {
    case IqPurpose::kRoomProbe:
    case IqPurpose::kSelfPing:
    case IqPurpose::kRoomForm:
    case IqPurpose::kRoomConfigure:
    case IqPurpose::kGrantOwner:
      return IqKind::kRoom;
    case IqPurpose::kMemberDisco:
    case IqPurpose::kServices:
      return IqKind::kDisco;
    case IqPurpose::kBridge:
    case IqPurpose::kCleanup:
      return IqKind::kBridge;
    case IqPurpose::kHealth:
      return IqKind::kHealth;
    case IqPurpose::kInvite:
      return IqKind::kInvite;
    case IqPurpose::kJingle:
    case IqPurpose::kMute:
      return IqKind::kJingle;
    case IqPurpose::kPubsub:
    case IqPurpose::kPubsubPublish:
      return IqKind::kPubsub;
    case IqPurpose::kProxyFence:
      return IqKind::kProxy;
  }
  check_failed("purpose is one of IqPurpose", __FILE__, __LINE__);
}

std::string_view name_of(IqKind kind) {
  switch (kind) {
    case IqKind::kRoom:
      return "room";
    case IqKind::kDisco:
      return "disco";
    case IqKind::kBridge:
      return "bridge";
    case IqKind::kHealth:
      return "health";
    case IqKind::kInvite:
      return "invite";
    case IqKind::kJingle:
      return "jingle";
    case IqKind::kPubsub:
      return "pubsub";
    case IqKind::kProxy:
      return "proxy";
  }
  check_failed("kind is one of IqKind", __FILE__, __LINE__);
}

RequestId IqLedger::open(IqNote note) {
  const RequestId request(++last_);
  notes_.emplace(request, std::move(note));
  return request;
}

std::optional<IqNote> IqLedger::close(RequestId request) {
  const auto entry = notes_.find(request);
  if (entry == notes_.end()) {
    return std::nullopt;
  }
  IqNote note = std::move(entry->second);
  notes_.erase(entry);
  return note;
}

}  // namespace bascule::focus
