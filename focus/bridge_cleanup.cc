#include "focus/bridge_cleanup.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace bascule::focus {
namespace {
constexpr TimerKey kTimer{TimerKind::kCleanup};
}

ColibriAnswer to_colibri_answer(const IqOutcome& outcome) {
  if (!outcome) {
    if (is_link_down(outcome.error())) {
      // Also when too many requests were outstanding: in both cases nobody was asked.
      return tl::make_unexpected(std::variant<proto::StanzaError, Error>(
          Error{Errc::kUnavailable, std::get<Error>(outcome.error()).what}));
    }
    return tl::make_unexpected(outcome.error());
  }
  if (const auto* modified = std::get_if<proto::ConferenceModified>(&*outcome)) {
    return *modified;
  }
  if (std::holds_alternative<proto::Empty>(*outcome)) {
    return proto::ConferenceModified{};
  }
  return tl::make_unexpected(std::variant<proto::StanzaError, Error>(
      Error{Errc::kMalformed, "answer is not conference-modified"}));
}

bool BridgeCleanup::can_ask(const BridgeJid& bridge, const Turn& turn) {
  if (!turn.shared.is_up(StreamId::kService)) {
    return false;
  }
  const auto view = turn.shared.placement.bridge(bridge, turn.now);
  return view && view->present;
}

void BridgeCleanup::add(BridgeJid bridge, ColibriSession session, Pace pace, Turn& turn) {
  // The end must not overtake the creation; and behind another end it would not be answered.
  const bool busy =
      session.state() == ColibriState::kCreating || session.state() == ColibriState::kExpiring;
  session.abandon();
  Entry entry{std::move(bridge), std::move(session), turn.now.mono + kPatience};
  if (busy) {
    defer(std::move(entry), turn);
    return;
  }
  if (pace == Pace::kAtOnce && can_ask(entry.bridge, turn)) {
    begin(std::move(entry), turn);
    return;
  }
  waiting_.push_back(std::move(entry));
  arm(turn);
}

bool BridgeCleanup::take_over(const BridgeJid& bridge, const std::string& meeting_id) {
  const auto is_it = [&](const Entry& entry) {
    return entry.bridge == bridge && entry.session.meeting_id() == meeting_id;
  };
  const auto is_mapped = [&](const auto& item) { return is_it(item.second); };
  return std::erase_if(waiting_, is_it) + std::erase_if(working_, is_mapped) +
             std::erase_if(deferred_, is_mapped) >
         0;
}

void BridgeCleanup::on_timer(Turn& turn) {
  while (!deferred_.empty() && deferred_.begin()->first <= turn.now.mono) {
    waiting_.push_back(std::move(deferred_.begin()->second));
    deferred_.erase(deferred_.begin());
  }
  for (std::size_t looks = 0; looks < kLooksPerTurn && !waiting_.empty(); ++looks) {
    Entry entry = std::move(waiting_.front());
    waiting_.pop_front();
    if (can_ask(entry.bridge, turn)) {
      begin(std::move(entry), turn);
      break;
    }
    defer(std::move(entry), turn);
  }
  arm(turn);
}

void BridgeCleanup::arm(Turn& turn) const {
  if (!waiting_.empty()) {
    turn.shared.deadlines.set_no_later(kTimer, turn.now.mono + kSpacing);
  } else if (!deferred_.empty()) {
    turn.shared.deadlines.set_no_later(
        kTimer, std::max(deferred_.begin()->first, turn.now.mono + kSpacing));
  }
}

void BridgeCleanup::begin(Entry entry, Turn& turn) {
  ++turn.counters().cleanups;
  const auto requests = entry.session.clean_up();
  if (requests.empty()) {
    return;
  }
  const std::uint64_t number = ++last_number_;
  const auto stored = working_.emplace(number, std::move(entry)).first;
  send(number, stored->second, requests, turn);
}

void BridgeCleanup::defer(Entry entry, Turn& turn) {
  if (turn.now.mono >= entry.give_up_at) {
    turn.debug("cleanup.given_up", {{"bridge", entry.bridge.to_string()}});
    return;
  }
  const Instant next = turn.now.mono + kRetry / 2 + turn.jitter(kRetry / 2);
  deferred_.emplace(next, std::move(entry));
  arm(turn);
}

void BridgeCleanup::send(std::uint64_t number, const Entry& entry,
                         const ColibriSession::Requests& requests, Turn& turn) {
  for (const auto& request : requests) {
    turn.send_iq({.purpose = IqPurpose::kCleanup,
                  .stream = StreamId::kService,
                  .participant = ParticipantId(number),
                  .generation = request.ticket.value()},
                 entry.bridge.jid(), request.message);
  }
}

void BridgeCleanup::on_answer(const IqNote& note, const IqOutcome& outcome, Turn& turn) {
  const auto found = working_.find(note.participant.value());
  if (found == working_.end()) {
    ++turn.counters().answers_late;
    return;
  }
  Entry& entry = found->second;
  const auto step = entry.session.answered(ColibriTicket(note.generation),
                                           to_colibri_answer(outcome), turn.now.mono);
  send(found->first, entry, step.send, turn);
  if (entry.session.is_idle()) {
    working_.erase(found);
  } else if (entry.session.owes_cleanup()) {
    Entry again = std::move(entry);
    working_.erase(found);
    defer(std::move(again), turn);
  }
}

}  // namespace bascule::focus
