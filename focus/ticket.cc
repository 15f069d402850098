#include "focus/ticket.h"

#include "base/check.h"

namespace bascule::focus {

std::string_view to_string(TicketKind kind) {
  switch (kind) {
    case TicketKind::kJoin:
      return "join";
    case TicketKind::kReinvite:
      return "reinvite";
    case TicketKind::kMove:
      return "move";
  }
  BASCULE_CHECK(false && "enumerator out of range");
}

std::string_view to_string(TicketClass ticket_class) {
  switch (ticket_class) {
    case TicketClass::kDisplaced:
      return "displaced";
    case TicketClass::kJoinsLive:
      return "joins_live";
    case TicketClass::kFirst:
      return "first";
  }
  BASCULE_CHECK(false && "enumerator out of range");
}

std::string_view to_string(PlacementReason reason) {
  switch (reason) {
    case PlacementReason::kJoin:
      return "join";
    case PlacementReason::kJoinLate:
      return "join_late";
    case PlacementReason::kSplit:
      return "split";
    case PlacementReason::kPlan:
      return "plan";
    case PlacementReason::kNew:
      return "new";
    case PlacementReason::kNewFull:
      return "new_full";
    case PlacementReason::kNewMax:
      return "new_max";
    case PlacementReason::kSmallNeed:
      return "small_need";
    case PlacementReason::kNoGrowth:
      return "no_growth";
    case PlacementReason::kAlone:
      return "alone";
    case PlacementReason::kPreference:
      return "preference";
    case PlacementReason::kOrder:
      return "order";
  }
  BASCULE_CHECK(false && "enumerator out of range");
}

std::string_view to_string(WaitReason reason) {
  switch (reason) {
    case WaitReason::kServiceDown:
      return "service_down";
    case WaitReason::kSettling:
      return "settling";
    case WaitReason::kNoBridge:
      return "no_bridge";
    case WaitReason::kAllFailed:
      return "all_failed";
    case WaitReason::kAllDraining:
      return "all_draining";
    case WaitReason::kCapacity:
      return "capacity";
    case WaitReason::kPace:
      return "pace";
    case WaitReason::kRetryWait:
      return "retry_wait";
    case WaitReason::kBridgeAbsent:
      return "bridge_absent";
    case WaitReason::kVersion:
      return "version";
  }
  BASCULE_CHECK(false && "enumerator out of range");
}

std::string_view to_string(MoveCause cause) {
  switch (cause) {
    case MoveCause::kMakeRoom:
      return "make_room";
    case MoveCause::kOutgrown:
      return "outgrown";
    case MoveCause::kRelief:
      return "relief";
    case MoveCause::kEvacuate:
      return "evacuate";
    case MoveCause::kOrder:
      return "order";
  }
  BASCULE_CHECK(false && "enumerator out of range");
}

}  // namespace bascule::focus
