#include "focus/room.h"

#include <algorithm>
#include <utility>

#include "focus/colibri_outcome.h"

namespace bascule::focus {
namespace {

constexpr std::string_view kWhoisField = "muc#roomconfig_whois";
constexpr std::string_view kMeetingIdField = "muc#roominfo_meetingId";
constexpr std::string_view kBreakoutField = "muc#roominfo_isbreakout";

}  // namespace

Jid Room::own_occupant(const Turn& turn) const {
  return jid_.jid().with_resource(turn.options().focus_nick);
}

IqNote Room::note(IqPurpose purpose) const {
  return {.purpose = purpose,
          .stream = StreamId::kClient,
          .conference = conference_,
          .generation = attempt_};
}

void Room::start_attempt(Phase phase, Turn& turn) {
  ++attempt_;
  phase_ = phase;
  held_.clear();
  entered_ = {};
  turn.set_timer(join_timer(), turn.options().room_join_timeout);
}

void Room::join(Turn& turn) {
  again_ = false;
  start_attempt(Phase::kJoining, turn);
  send_join(turn);
}

void Room::rejoin(Turn& turn) {
  again_ = true;
  start_attempt(Phase::kProbing, turn);
  turn.send_iq(note(IqPurpose::kRoomProbe), jid_.jid(), proto::DiscoInfoRequest{});
}

void Room::send_join(Turn& turn) {
  ++turn.counters().room_joins;
  proto::MucPresence presence;
  presence.to = own_occupant(turn);
  presence.join = proto::MucJoin{.password = std::nullopt, .history_max_stanzas = 0};
  turn.send_presence(StreamId::kClient, std::move(presence));
}

void Room::leave(Turn& turn) {
  turn.clear_timer(join_timer());
  const bool up = turn.shared.is_up(StreamId::kClient);
  if (up && phase_ != Phase::kOut && phase_ != Phase::kProbing) {
    proto::MucPresence presence;
    presence.to = own_occupant(turn);
    presence.type = proto::PresenceType::kUnavailable;
    turn.send_presence(StreamId::kClient, std::move(presence));
  }
  phase_ = Phase::kOut;
  held_.clear();
}

void Room::lose(Turn& turn) {
  turn.clear_timer(join_timer());
  phase_ = Phase::kOut;
  held_.clear();
}

void Room::ping(Turn& turn) const {
  if (is_in() && turn.shared.is_up(StreamId::kClient)) {
    turn.send_iq(note(IqPurpose::kSelfPing), own_occupant(turn), proto::Ping{});
  }
}

void Room::on_presence(const proto::MucPresence& presence, Turn& turn,
                       std::vector<RoomEvent>& events) {
  const bool own = presence.from.resource() == turn.options().focus_nick;
  if (phase_ != Phase::kIn && !own && presence.type == proto::PresenceType::kAvailable) {
    events.emplace_back(room_event::MemberUpdated{presence});
  }
  if (phase_ == Phase::kOut || phase_ == Phase::kProbing) {
    ++turn.counters().presences_ignored;
    return;
  }
  if (presence.type == proto::PresenceType::kError) {
    // Only the join can fail as a whole; an error for anything else changes nothing.
    if (phase_ == Phase::kJoining && (own || presence.from.is_bare())) {
      const auto condition =
          presence.error ? presence.error->condition : proto::Condition::kUndefinedCondition;
      std::string reason(proto::to_string(condition));
      if (presence.error && !presence.error->text.empty()) {
        reason += ": " + presence.error->text;  // Says which rule of the server it was.
      }
      refuse(std::move(reason), turn, events);
    } else {
      ++turn.counters().presences_ignored;
    }
    return;
  }
  if (own) {
    on_own_presence(presence, turn, events);
    return;
  }
  if (phase_ == Phase::kIn) {
    deliver(presence, turn, events);
  } else if (held_.size() < 2 * turn.options().limits.participants_per_conference) {
    held_.push_back(presence);
  } else {
    ++turn.counters().participants_refused;
  }
}

void Room::on_own_presence(const proto::MucPresence& presence, Turn& turn,
                           std::vector<RoomEvent>& events) {
  if (presence.type == proto::PresenceType::kUnavailable) {
    if (phase_ == Phase::kJoining) {
      // Of an earlier stay: the server answers in order, and our join is not answered yet.
      ++turn.counters().presences_ignored;
      return;
    }
    close(presence.destroy                                     ? "destroyed"
          : presence.has_status(proto::kStatusKicked)          ? "kicked"
          : presence.has_status(proto::kStatusServiceShutdown) ? "service_shutdown"
                                                               : "removed",
          turn, events);
    return;
  }
  if (phase_ != Phase::kJoining) {
    return;  // The echo of what we published.
  }
  if (again_ && presence.has_status(proto::kStatusRoomCreated)) {
    // The server had forgotten the room and made a new one for us.
    leave(turn);
    close("vanished", turn, events);
    return;
  }
  phase_ = Phase::kReadingForm;
  turn.send_iq(note(IqPurpose::kRoomForm), jid_.jid(), proto::MucOwnerFormRequest{});
}

void Room::on_answer(const IqNote& answered, const IqOutcome& outcome, Turn& turn,
                     std::vector<RoomEvent>& events) {
  if (answered.generation != attempt_) {
    ++turn.counters().answers_late;
    return;
  }
  if (answered.purpose == IqPurpose::kRoomProbe && phase_ == Phase::kProbing) {
    const auto* error = outcome ? nullptr : std::get_if<proto::StanzaError>(&outcome.error());
    if (error != nullptr && error->condition == proto::Condition::kItemNotFound) {
      close("vanished", turn, events);
      return;
    }
    phase_ = Phase::kJoining;
    send_join(turn);
  } else if (answered.purpose == IqPurpose::kRoomForm && phase_ == Phase::kReadingForm) {
    on_form(outcome, turn, events);
  } else if (answered.purpose == IqPurpose::kRoomConfigure && phase_ == Phase::kSubmitting) {
    if (!outcome) {
      turn.warn("room.not_configured",
                {{"room", jid_.to_string()}, {"error", describe(outcome.error())}});
    }
    enter(turn, events);
  } else {
    ++turn.counters().answers_late;
  }
}

void Room::on_form(const IqOutcome& outcome, Turn& turn, std::vector<RoomEvent>& events) {
  const auto* answer = outcome ? std::get_if<proto::MucForm>(&*outcome) : nullptr;
  if (answer == nullptr) {
    const std::string what = outcome ? "no form" : describe(outcome.error());
    if (!outcome && is_unanswered(outcome.error())) {
      refuse("form: " + what, turn, events);
      return;
    }
    // Without ownership real addresses may stay hidden, but media works: keep the meeting going.
    turn.warn("room.not_owner", {{"room", jid_.to_string()}, {"error", what}});
    enter(turn, events);
    return;
  }
  entered_.meeting_id = std::string(answer->form.value(kMeetingIdField).value_or(""));
  entered_.breakout = answer->form.boolean(kBreakoutField).value_or(false);
  phase_ = Phase::kSubmitting;
  turn.send_iq(note(IqPurpose::kRoomConfigure), jid_.jid(),
               proto::MucOwnerFormSubmit{{{std::string(kWhoisField), std::nullopt, {"anyone"}}}});
}

void Room::enter(Turn& turn, std::vector<RoomEvent>& events) {
  phase_ = Phase::kIn;
  turn.clear_timer(join_timer());
  std::vector<proto::MucPresence> held = std::exchange(held_, {});
  if (again_) {
    for (const auto& presence : held) {
      const EndpointId endpoint(presence.from.resource());
      if (presence.type == proto::PresenceType::kUnavailable) {
        entered_.present.erase(endpoint);
      } else {
        entered_.present.insert(endpoint);
      }
    }
  }
  events.emplace_back(std::exchange(entered_, {}));
  for (const auto& presence : held) {
    deliver(presence, turn, events);
  }
}

void Room::deliver(const proto::MucPresence& presence, Turn& turn, std::vector<RoomEvent>& events) {
  if (presence.from.resource().empty()) {
    ++turn.counters().presences_ignored;
    return;
  }
  if (presence.type == proto::PresenceType::kAvailable) {
    events.emplace_back(room_event::MemberSeen{presence});
    return;
  }
  events.emplace_back(room_event::MemberLeft{EndpointId(presence.from.resource()),
                                             presence.participant.status.value_or("")});
}

void Room::on_join_timeout(Turn& turn, std::vector<RoomEvent>& events) {
  if (is_entering()) {
    refuse("no answer", turn, events);
  }
}

void Room::refuse(std::string reason, Turn& turn, std::vector<RoomEvent>& events) {
  ++turn.counters().room_join_failures;
  leave(turn);
  events.emplace_back(room_event::Refused{std::move(reason)});
}

void Room::close(std::string_view reason, Turn& turn, std::vector<RoomEvent>& events) {
  lose(turn);
  events.emplace_back(room_event::Closed{reason});
}

void Room::publish(const proto::FocusInfo& info, Turn& turn) {
  if (!is_in()) {
    return;
  }
  ++turn.counters().presences_published;
  proto::MucPresence presence;
  presence.to = own_occupant(turn);
  presence.focus = info;
  turn.send_presence(StreamId::kClient, std::move(presence));
}

}  // namespace bascule::focus
