#include "focus/request_desk.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace bascule::focus {
namespace {

/// Clients put off whose attempts are remembered.
constexpr std::size_t kAttemptsMax = 50'000;
/// The longest jitter, and its share of the client's own back-off.
constexpr Duration kJitterMax = std::chrono::seconds{5};
constexpr std::int64_t kJitterShare = 4;
/// What a client waits after its n-th ready=false (lib-jitsi-meet: moderator.js).
constexpr std::uint32_t kBackoffStepMax = 8;
constexpr Duration kBackoffMax = std::chrono::seconds{120};
/// A client that did not come back this long after it should have is gone.
constexpr Duration kBackoffGrace = std::chrono::seconds{15};
constexpr TimerKey kForgetTimer{TimerKind::kRequestForget};

Duration client_backoff(std::uint32_t attempt) {
  const std::uint32_t step = std::min(attempt, kBackoffStepMax) - 1;
  return std::min<Duration>(std::chrono::seconds{std::int64_t{1} << step}, kBackoffMax);
}

std::string client_key(const RequestDesk::Requester& requester,
                       const proto::ConferenceRequest& request) {
  std::string key = request.room.to_string() + ' ';
  if (request.machine_uid) {
    return key + *request.machine_uid;
  }
  const auto* sender = std::get_if<RequestDesk::IqSender>(&requester);
  return sender == nullptr ? key : key + sender->from.to_string();
}

}  // namespace

std::optional<proto::StanzaError> RequestDesk::find_fault(const proto::ConferenceRequest& request,
                                                          const Turn& turn) const {
  const Options& options = turn.options();
  const std::string& domain = request.room.jid().domain();
  const bool known = domain == options.conference_service.domain() ||
                     (options.breakout_service && domain == options.breakout_service->domain());
  if (!known || request.room.jid().local().empty()) {
    return proto::make_error(proto::Condition::kBadRequest, "not a conference room");
  }
  return std::nullopt;
}

std::optional<RequestDesk::Later> RequestDesk::why_later(RoomStanding standing,
                                                         std::size_t conferences,
                                                         const Turn& turn) const {
  if (turn.shared.shutting_down) {
    return Later::kShutdown;
  }
  if (!turn.shared.is_up(StreamId::kClient)) {
    return Later::kLink;
  }
  if (held_.size() >= turn.options().limits.waiting_requests) {
    return Later::kLimit;
  }
  if (standing == RoomStanding::kPoisoned) {
    return Later::kPoisoned;
  }
  if (standing == RoomStanding::kNone) {
    if (turn.shared.closing) {
      return Later::kShutdown;
    }
    if (conferences >= turn.options().limits.conferences) {
      return Later::kLimit;
    }
    if (turn.shared.placement.overload(turn.now) != Overload::kNone) {
      return Later::kOverload;
    }
  }
  return std::nullopt;
}

RequestDesk::Verdict RequestDesk::on_request(Requester requester,
                                             const proto::ConferenceRequest& request,
                                             RoomStanding standing, std::size_t conferences,
                                             Turn& turn) {
  ++turn.counters().requests;
  if (auto fault = find_fault(request, turn)) {
    ++turn.counters().requests_invalid;
    send(requester, tl::make_unexpected(std::move(*fault)), turn);
    return Verdict::kAnswered;
  }
  turn.counters().requests_new += standing == RoomStanding::kNone ? 1U : 0U;
  Held held{.requester = std::move(requester),
            .room = request.room,
            .client = {},
            .properties = request.properties,
            .asked = turn.now.mono};
  held.client = client_key(held.requester, request);
  if (const auto why = why_later(standing, conferences, turn)) {
    answer_later(std::move(held), *why, turn);
    return Verdict::kAnswered;
  }
  if (standing == RoomStanding::kReady) {
    turn.counters().timings.request_known.record(Duration::zero());
    answer(held, true, turn);
    return Verdict::kAnswered;
  }
  const auto waits = by_room_.contains(held.room);
  hold(std::move(held), turn.options().request_hold_max, turn);
  if (standing == RoomStanding::kEntering) {
    return Verdict::kHurry;
  }
  return waits ? Verdict::kAnswered : Verdict::kCreate;
}

void RequestDesk::hold(Held held, Duration limit, Turn& turn) {
  ++turn.counters().requests_held;
  const std::uint64_t number = ++last_number_;
  if (!held.decided) {
    by_room_[held.room].insert(number);
  }
  held_.emplace(number, std::move(held));
  turn.set_timer({TimerKind::kRequestAnswer, number}, limit);
}

RequestDesk::Held RequestDesk::take(std::uint64_t number, Turn& turn) {
  const auto entry = held_.find(number);
  BASCULE_CHECK(entry != held_.end());
  Held held = std::move(entry->second);
  held_.erase(entry);
  turn.clear_timer({TimerKind::kRequestAnswer, number});
  const auto room = by_room_.find(held.room);
  if (room != by_room_.end()) {
    room->second.erase(number);
    if (room->second.empty()) {
      by_room_.erase(room);
    }
  }
  return held;
}

Duration RequestDesk::delay_of(const std::string& client, Turn& turn) {
  auto entry = attempts_.find(client);
  if (entry == attempts_.end()) {
    if (attempts_.size() >= kAttemptsMax) {
      attempts_.erase(forget_.begin()->second);
      forget_.erase(forget_.begin());
    }
    entry = attempts_.try_emplace(client).first;
  } else {
    forget_.erase({entry->second.forget_at, client});
  }
  Attempts& attempts = entry->second;
  ++attempts.count;
  const Duration backoff = client_backoff(attempts.count);
  const Duration delay = turn.jitter(std::min(backoff / kJitterShare, kJitterMax));
  attempts.forget_at = turn.now.mono + delay + backoff + kBackoffGrace;
  forget_.emplace(attempts.forget_at, client);
  turn.shared.deadlines.set(kForgetTimer, forget_.begin()->first);
  return delay;
}

void RequestDesk::answer_later(Held held, Later why, Turn& turn) {
  count(why, turn.counters());
  const Duration delay = delay_of(held.client, turn);
  turn.debug("request.later", {{"room", held.room.to_string()}, {"held", delay}});
  if (delay == Duration::zero() || why == Later::kShutdown ||
      held_.size() >= turn.options().limits.waiting_requests) {
    answer(held, false, turn);
    return;
  }
  held.decided = true;
  hold(std::move(held), delay, turn);
}

void RequestDesk::count(Later why, Counters& counters) {
  switch (why) {
    case Later::kOverload:
      ++counters.answers_later_overload;
      return;
    case Later::kLimit:
      ++counters.answers_later_limit;
      return;
    case Later::kLink:
      ++counters.answers_later_link;
      return;
    case Later::kJoin:
      ++counters.answers_later_join;
      return;
    case Later::kShutdown:
      ++counters.answers_later_shutdown;
      return;
    case Later::kPoisoned:
      ++counters.answers_later_poisoned;
      return;
  }
}

void RequestDesk::answer(const Held& held, bool ready, Turn& turn) {
  if (ready) {
    ++turn.counters().answers_ready;
    if (const auto entry = attempts_.find(held.client); entry != attempts_.end()) {
      forget_.erase({entry->second.forget_at, held.client});
      attempts_.erase(entry);
    }
  }
  proto::ConferenceAnswer answer;
  answer.room = held.room;
  answer.ready = ready;
  answer.focus_jid = turn.options().focus_user.bare();
  answer.properties = {{"authentication", "false"}, {"visitors-supported", "false"}};
  send(held.requester, std::move(answer), turn);
}

void RequestDesk::send(const Requester& requester,
                       tl::expected<proto::ConferenceAnswer, proto::StanzaError> outcome,
                       Turn& turn) {
  if (const auto* http = std::get_if<HttpId>(&requester)) {
    turn.act(out::AnswerHttp{*http, std::move(outcome)});
    return;
  }
  const auto& sender = std::get<IqSender>(requester);
  IqReply reply = outcome ? IqReply(proto::Answer(std::move(*outcome)))
                          : IqReply(tl::make_unexpected(std::move(outcome.error())));
  turn.act(
      out::AnswerIq{sender.stream, sender.to, sender.from, sender.stanza_id, std::move(reply)});
}

void RequestDesk::room_ready(const RoomJid& room, Turn& turn) {
  const auto entry = by_room_.find(room);
  if (entry == by_room_.end()) {
    return;
  }
  const std::set<std::uint64_t> numbers = entry->second;
  for (const std::uint64_t number : numbers) {
    const Held held = take(number, turn);
    turn.counters().timings.request_new.record(turn.now.mono - held.asked);
    answer(held, true, turn);
  }
}

void RequestDesk::room_failed(const RoomJid& room, Turn& turn) {
  const auto entry = by_room_.find(room);
  if (entry == by_room_.end()) {
    return;
  }
  const std::set<std::uint64_t> numbers = entry->second;
  for (const std::uint64_t number : numbers) {
    answer_later(take(number, turn), Later::kJoin, turn);
  }
}

std::optional<std::map<std::string, std::string>> RequestDesk::waiting_for(
    const RoomJid& room) const {
  const auto entry = by_room_.find(room);
  if (entry == by_room_.end()) {
    return std::nullopt;
  }
  return held_.at(*entry->second.begin()).properties;
}

void RequestDesk::link_lost(StreamId stream, Turn& turn) {
  std::vector<std::uint64_t> numbers;
  for (const auto& [number, held] : held_) {
    const auto* sender = std::get_if<IqSender>(&held.requester);
    if (sender != nullptr && sender->stream == stream) {
      numbers.push_back(number);
    }
  }
  for (const std::uint64_t number : numbers) {
    const Held held = take(number, turn);
    count(Later::kLink, turn.counters());
    answer(held, false, turn);
  }
}

void RequestDesk::shut_down(Turn& turn) {
  while (!held_.empty()) {
    const Held held = take(held_.begin()->first, turn);
    count(Later::kShutdown, turn.counters());
    answer(held, false, turn);
  }
}

void RequestDesk::on_timer(const TimerKey& key, Turn& turn) {
  if (key.kind == TimerKind::kRequestAnswer) {
    if (held_.contains(key.owner)) {
      const Held held = take(key.owner, turn);
      if (!held.decided) {
        // The hold has spread these answers already; more jitter would only be delay.
        count(Later::kJoin, turn.counters());
        delay_of(held.client, turn);
      }
      answer(held, false, turn);
    }
    return;
  }
  while (!forget_.empty() && forget_.begin()->first <= turn.now.mono) {
    attempts_.erase(forget_.begin()->second);
    forget_.erase(forget_.begin());
  }
  if (!forget_.empty()) {
    turn.shared.deadlines.set(kForgetTimer, forget_.begin()->first);
  }
}

void RequestDesk::check_invariants() const {
  std::size_t undecided = 0;
  for (const auto& [room, numbers] : by_room_) {
    BASCULE_CHECK(!numbers.empty());
    undecided += numbers.size();
    for (const std::uint64_t number : numbers) {
      BASCULE_CHECK(held_.contains(number) && !held_.at(number).decided);
    }
  }
  std::size_t decided = 0;
  for (const auto& [number, held] : held_) {
    decided += held.decided ? 1U : 0U;
  }
  BASCULE_CHECK(undecided + decided == held_.size());
  BASCULE_CHECK(attempts_.size() == forget_.size());
}

}  // namespace bascule::focus
