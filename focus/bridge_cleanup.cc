#include "focus/bridge_cleanup.h"

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

void BridgeCleanup::add(BridgeJid bridge, ColibriSession session, Pace pace, Turn& turn) {
  Entry entry{std::move(bridge), std::move(session)};
  if (pace == Pace::kAtOnce) {
    begin(std::move(entry), turn);
    return;
  }
  waiting_.push_back(std::move(entry));
  if (!turn.shared.deadlines.is_set(kTimer)) {
    turn.set_timer(kTimer, kSpacing);
  }
}

void BridgeCleanup::on_timer(Turn& turn) {
  if (!waiting_.empty() && turn.shared.is_up(StreamId::kService)) {
    Entry entry = std::move(waiting_.front());
    waiting_.pop_front();
    begin(std::move(entry), turn);
  }
  if (!waiting_.empty()) {
    // While the link is down there is nobody to tell; look again now and then.
    turn.set_timer(kTimer, turn.shared.is_up(StreamId::kService)
                               ? kSpacing
                               : Duration(std::chrono::seconds{1}));
  }
}

void BridgeCleanup::begin(Entry entry, Turn& turn) {
  ++turn.counters().cleanups;
  const auto requests = entry.session.expire();
  if (entry.session.is_idle()) {
    return;
  }
  const std::uint64_t number = ++last_number_;
  const auto stored = working_.emplace(number, std::move(entry)).first;
  send(number, stored->second, requests, turn);
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
  // A retry by time is not worth keeping the meeting for: the bridge expires it by itself.
  if (entry.session.is_idle() || step.send.empty()) {
    working_.erase(found);
  }
}

}  // namespace bascule::focus
