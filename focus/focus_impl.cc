#include "focus/focus_impl.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace bascule::focus {
namespace {

constexpr TimerKey kGraceTimer{TimerKind::kLinkGrace};
constexpr TimerKey kProbeAllTimer{TimerKind::kProbe, 1};
constexpr Duration kProbeStart = std::chrono::seconds{1};
constexpr TimerKey kShutdownTimer{TimerKind::kShutdown};
constexpr Duration kShutdownMax = std::chrono::seconds{2};
constexpr std::size_t kSecretBytes = 16;

std::string make_secret(Prng& prng) {
  std::string secret;
  for (std::size_t i = 0; i < kSecretBytes; ++i) {
    secret += static_cast<char>(prng.below(256));
  }
  return secret;
}

/// Answers count, errors of the peer as well; what a lost link cut off says nothing of anybody.
void note_round_trip(const IqNote& note, const IqOutcome& outcome, Turn& turn) {
  const auto kind = static_cast<std::size_t>(kind_of(note.purpose));
  const auto* own = outcome ? nullptr : std::get_if<Error>(&outcome.error());
  if (own == nullptr || own->code == Errc::kMalformed) {
    turn.counters().timings.iq.at(kind).record(turn.now.mono - note.sent);
  } else if (own->code == Errc::kTimeout) {
    ++turn.counters().timings.iq_timeouts.at(kind);
  }
}

}  // namespace

Focus::Impl::Impl(Options options, const Restored& restored, std::uint64_t seed, Now now,
                  WorkMark* mark)
    : mark_(mark == nullptr ? own_mark_ : *mark),
      shared_(std::move(options), seed),
      sid_secret_(make_secret(shared_.prng)),
      conferences_(mark_),
      around_{features_, cleanup_, news_} {
  Turn turn(shared_, now, initial_);
  restore(restored, turn);
  mark_.clear();
}

void Focus::Impl::start(Now now, Actions& out) {
  std::move(initial_.begin(), initial_.end(), std::back_inserter(out));
  initial_.clear();
  Turn turn(shared_, now, out);
  memory_.start(turn);
  audit_.start(conferences_, turn);
  links_.start(turn);
}

void Focus::Impl::handle(const Input& input, Now now, Actions& out) {
  Turn turn(shared_, now, out);
  std::visit([&](const auto& event) { on(event, turn); }, input);
  settle(turn);
}

void Focus::Impl::fire_timers(Now now, Actions& out) {
  Turn turn(shared_, now, out);
  while (const auto key = shared_.deadlines.take_due(now.mono)) {
    on_timer(*key, turn);
    hand_on_news(turn);
    mark_.clear();
  }
  settle(turn);
}

std::optional<Instant> Focus::Impl::next_deadline() const {
  const auto own = shared_.deadlines.next();
  const auto queue = stopped_ ? std::nullopt : shared_.placement.next_deadline();
  return own && queue ? std::min(*own, *queue) : own ? own : queue;
}

void Focus::Impl::hand_on_news(Turn& turn) {
  while (!news_.empty()) {
    for (const News& item : std::exchange(news_, {})) {
      std::visit([&](const auto& known) { on_news(known, turn); }, item);
    }
  }
}

void Focus::Impl::settle(Turn& turn) {
  hand_on_news(turn);
  mark_.clear();
  if (!stopped_) {
    shared_.placement.drain(turn.now, decisions_, moves_);
    const std::vector<DecisionRecord> records = chronicle_.take(turn);
    std::size_t next = 0;
    for (const Decision& decision : std::exchange(decisions_, {})) {
      if (Conference* conference = conferences_.find(decision.ticket.room)) {
        conference->placed(decision, record_of(decision, records, next), turn, around_);
      } else {
        ++turn.counters().answers_late;
        shared_.placement.left(decision.ticket.participant, turn.now);
      }
    }
    for (const Move& move : std::exchange(moves_, {})) {
      if (Conference* conference = conferences_.find(move.room)) {
        conference->move_wanted(move, turn, around_);
      }
    }
    hand_on_news(turn);
    mark_.clear();
    if (!conferences_.is_reentering()) {
      links_.rooms_entered(turn);
    }
    chronicle_.notice(turn);
    memory_.notice(turn);
  }
  stop_if_done(turn);
}

void Focus::Impl::on(const in::StreamUp& input, Turn& turn) {
  const Links::Came came = links_.on_up(input, turn);
  if (input.stream == StreamId::kService) {
    brewery_.on_link_up(turn);
    turn.set_timer(kProbeAllTimer, kProbeStart);
  } else if (input.stream == StreamId::kClient) {
    turn.clear_timer(kGraceTimer);
    services_.on_link_up(turn);  // First: what rooms say when we enter must be recognised.
    proxy_.on_link_up(came, turn);
    if (came != Links::Came::kResumed) {
      // Of an inherited session we are still in the rooms: entering them again repeats what the
      // earlier process heard and did not store, and others only see our presence once more.
      conferences_.suspend_all(turn);
    }
    conferences_.continue_reentry(turn, around_);
  }
}

void Focus::Impl::on(const in::StreamDown& input, Turn& turn) {
  const bool was_up = links_.on_down(input, turn);
  desk_.link_lost(input.stream, turn);
  if (!was_up) {
    return;
  }
  if (input.stream == StreamId::kService) {
    brewery_.on_link_down(turn);
  } else if (input.stream == StreamId::kClient) {
    turn.set_timer(kGraceTimer, turn.options().link_grace);
  }
}

void Focus::Impl::on_room_message(const proto::Message& message, Turn& turn) {
  const auto said = services_.read(message, turn);
  if (!said) {
    return;
  }
  Conference* conference = conferences_.find(said->room);
  if (conference == nullptr) {
    ++turn.counters().messages_ignored;
  } else if (const auto* change = std::get_if<proto::AvModeration>(&said->what)) {
    conference->on_moderation(*change, turn);
  } else {
    conference->on_metadata(std::get<proto::RoomMetadata>(said->what), turn);
  }
}

void Focus::Impl::on(const in::IqAnswer& input, Turn& turn) {
  const auto note = shared_.iqs.close(input.request);
  if (!note) {
    ++turn.counters().answers_unexpected;
    return;
  }
  note_round_trip(*note, input.outcome, turn);
  if (note->stream == StreamId::kService && !input.outcome && is_link_down(input.outcome.error())) {
    // The answers of a lost link come before the news of its loss: nothing is placed any more.
    shared_.placement.service_down(turn.now);
  }
  switch (note->purpose) {
    case IqPurpose::kMemberDisco:
      for (const auto& found : features_.on_answer(*note, input.outcome, turn)) {
        if (Conference* conference = conferences_.find(found.conference)) {
          conference->discovered(found.participant, found.features, turn, around_);
        }
      }
      return;
    case IqPurpose::kHealth:
    case IqPurpose::kPubsub:
    case IqPurpose::kPubsubPublish:
      lost(brewery_.on_answer(*note, input.outcome, turn), turn);
      return;
    case IqPurpose::kCleanup:
      cleanup_.on_answer(*note, input.outcome, turn);
      return;
    case IqPurpose::kServices:
      services_.on_answer(input.outcome, turn);
      return;
    case IqPurpose::kProxyFence:
      proxy_.on_answer(input.outcome, turn);
      return;
    case IqPurpose::kMute:
      return;  // Clients need not answer, and nobody waits for it.
    case IqPurpose::kRoomProbe:
    case IqPurpose::kSelfPing:
    case IqPurpose::kRoomForm:
    case IqPurpose::kRoomConfigure:
    case IqPurpose::kGrantOwner:
    case IqPurpose::kBridge:
    case IqPurpose::kInvite:
    case IqPurpose::kJingle:
      if (Conference* conference = conferences_.find(note->conference)) {
        conference->on_answer(*note, input.outcome, turn, around_);
      } else {
        ++turn.counters().answers_late;
      }
      return;
  }
  check_failed("purpose is one of IqPurpose", __FILE__, __LINE__);
}

void Focus::Impl::on(const in::PresenceReceived& input, Turn& turn) {
  if (input.stream == StreamId::kService) {
    lost(brewery_.on_presence(input.presence, turn), turn);
    return;
  }
  Conference* conference = input.stream == StreamId::kClient
                               ? conferences_.find(RoomJid(input.presence.from.bare()))
                               : nullptr;
  if (conference == nullptr) {
    ++turn.counters().presences_ignored;
    const bool stranded = input.stream == StreamId::kClient && input.presence.is_self() &&
                          input.presence.type == proto::PresenceType::kAvailable;
    if (stranded) {
      // A join that was answered after we had given up: we must not stay in there.
      proto::MucPresence leave;
      leave.to = input.presence.from;
      leave.type = proto::PresenceType::kUnavailable;
      turn.send_presence(StreamId::kClient, std::move(leave));
    }
    return;
  }
  conference->on_presence(input.presence, turn, around_);
}

void Focus::Impl::on(const in::MessageReceived& input, Turn& turn) {
  if (input.stream == StreamId::kService) {
    lost(brewery_.on_message(input.message, turn), turn);
  } else {
    on_room_message(input.message, turn);
  }
}

void Focus::Impl::on(const in::StoreAnswer& input, Turn& turn) {
  brewery_.on_store_answer(input, turn);
}

void Focus::Impl::on(const in::CommitDegraded& input, Turn& turn) {
  if (std::exchange(commit_degraded_, input.degraded) == input.degraded) {
    return;
  }
  if (input.degraded) {
    turn.error("store.degraded", {});
  } else {
    turn.info("store.recovered", {});
  }
}

void Focus::Impl::on(const in::RequeryStats&, Turn& turn) {
  brewery_.requery(turn);
}

void Focus::Impl::on(const in::OperatorOrder& input, Turn& turn) {
  orders_.on_order(input, turn);
}

void Focus::Impl::on(const in::Shutdown& input, Turn& turn) {
  if (!input.when_empty) {
    shut_down(turn);
  } else if (!shared_.shutting_down && !std::exchange(shared_.closing, true)) {
    turn.info("shutdown.waiting",
              {{"conferences", static_cast<std::int64_t>(conferences_.size())}});
  }
}

void Focus::Impl::shut_down(Turn& turn) {
  if (std::exchange(shared_.shutting_down, true)) {
    return;
  }
  shared_.closing = true;
  turn.info("shutdown.begun", {{"conferences", static_cast<std::int64_t>(conferences_.size())}});
  desk_.shut_down(turn);
  memory_.on_timer(turn);
  end_all("shutdown", BridgeCleanup::Pace::kAtOnce, turn);
  turn.set_timer(kShutdownTimer, kShutdownMax);
}

void Focus::Impl::end_all(std::string_view reason, BridgeCleanup::Pace pace, Turn& turn) {
  conferences_.for_each(
      [&](Conference& conference) { conference.end(reason, pace, turn, around_); });
  give_up_quarantine(turn);
}

void Focus::Impl::stop_if_done(Turn& turn) {
  if (shared_.closing && conferences_.size() == 0) {
    shut_down(turn);
  }
  const bool in_time = shared_.deadlines.is_set(kShutdownTimer);
  if (!shared_.shutting_down || stopped_ || (in_time && !cleanup_.empty())) {
    return;
  }
  stopped_ = true;
  turn.clear_timer(kShutdownTimer);
  brewery_.leave(turn);
  links_.close_all(turn);
  turn.info("shutdown.done", {{"unanswered", static_cast<std::int64_t>(cleanup_.size())}});
  turn.act(out::Stopped{});
}

void Focus::Impl::on_news(const news::RoomReady& item, Turn& turn) {
  rooms_refused_ = false;
  desk_.room_ready(item.room, turn);
}

void Focus::Impl::on_news(const news::ConferenceEnded& item, Turn& turn) {
  memory_.conference_ended(item.room, turn);
  conferences_.erase(item.conference);
  rooms_refused_ = rooms_refused_ || item.refused;
  if (const auto properties = desk_.waiting_for(item.room); properties && item.vanished) {
    conferences_.create(item.room, *properties, sid_secret_, turn).start(turn);
  } else {
    desk_.room_failed(item.room, turn);
  }
  conferences_.continue_reentry(turn, around_);
}

void Focus::Impl::on_news(const news::Reconciled& item, Turn& turn) {
  conferences_.reentered(item.conference);
  conferences_.continue_reentry(turn, around_);
}

void Focus::Impl::on_news(const news::BridgeDoubted& item, Turn& turn) {
  brewery_.doubt(item.bridge, item.reason, turn);
}

void Focus::Impl::on_news(const news::NotInBrewery&, Turn& turn) {
  brewery_.rejoin(turn);
}

void Focus::Impl::lost(const Brewery::Losses& losses, Turn& turn) {
  for (const auto& loss : losses) {
    memory_.bridge_failed(loss.bridge, turn);
    const TicketKind kind = loss.alive && loss.cause == FailureCause::kShutDown
                                ? TicketKind::kMove
                                : TicketKind::kReinvite;
    for (const RoomJid& room : loss.rooms) {
      if (Conference* conference = conferences_.find(room)) {
        conference->bridge_lost(loss.bridge, loss.alive, kind, turn, around_);
      }
    }
  }
}

void Focus::Impl::on_timer(const TimerKey& key, Turn& turn) {
  switch (key.kind) {
    case TimerKind::kStreamRetry:
      links_.on_retry(static_cast<StreamId>(key.owner), turn);
      return;
    case TimerKind::kRequestAnswer:
    case TimerKind::kRequestForget:
      desk_.on_timer(key, turn);
      return;
    case TimerKind::kRoomJoin:
    case TimerKind::kInitial:
    case TimerKind::kSingle:
    case TimerKind::kPresence:
    case TimerKind::kSourceSignaling:
    case TimerKind::kBridgeRetry:
    case TimerKind::kRelays:
    case TimerKind::kAccept:
    case TimerKind::kInviteRetry:
      if (Conference* conference = conferences_.find(ConferenceId(key.owner))) {
        conference->on_timer(key, turn, around_);
      }
      return;
    case TimerKind::kLinkGrace:
      turn.error("link.grace_over",
                 {{"conferences", static_cast<std::int64_t>(conferences_.size())}});
      end_all("link lost for too long", BridgeCleanup::Pace::kPaced, turn);
      return;
    case TimerKind::kBreweryJoin:
    case TimerKind::kBrewerySettled:
    case TimerKind::kBridgeHealth:
    case TimerKind::kPubsub:
    case TimerKind::kStatsFlush:
      lost(brewery_.on_timer(key, turn), turn);
      return;
    case TimerKind::kCleanup:
      cleanup_.on_timer(turn);
      return;
    case TimerKind::kProbe:
      probed_ = key.owner == kProbeAllTimer.owner ? ConferenceId(0) : probed_;
      probe_next(turn);
      return;
    case TimerKind::kAudit:
      audit_.on_timer(conferences_, turn, around_);
      return;
    case TimerKind::kMemory:
      memory_.on_timer(turn);
      return;
    case TimerKind::kQuarantine:
      release_quarantine(turn);
      return;
    case TimerKind::kServices:
      services_.on_timer(turn);
      return;
    case TimerKind::kShutdown:
      return;  // `settle` sees that it is not set any more.
  }
  check_failed("kind is one of TimerKind", __FILE__, __LINE__);
}

}  // namespace bascule::focus
