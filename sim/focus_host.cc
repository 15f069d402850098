#include "sim/focus_host.h"

#include <algorithm>

#include "base/check.h"
#include "focus/restored.h"
#include "sim/focus_host_process.h"

namespace bascule::sim {
namespace {

using focus::Action;
using focus::Actions;
using focus::Input;
namespace in = focus::in;
namespace out = focus::out;

}  // namespace

FocusHost::FocusHost(Schedule& schedule, FakeProsody& server, Prng prng, focus::Options options,
                     const Deployment& deployment, Observer observer)
    : schedule_(schedule),
      server_(server),
      prng_(prng),
      options_(std::move(options)),
      deployment_(deployment),
      observer_(std::move(observer)) {
}

FocusHost::~FocusHost() = default;

const focus::Focus* FocusHost::focus() const {
  return process_ ? &process_->focus : nullptr;
}

FocusHost::LinkPeer& FocusHost::peer(StreamId stream) {
  return process_->peers[static_cast<std::size_t>(stream)];
}

Duration FocusHost::between(Duration low, Duration high) {
  return low + Duration(static_cast<std::int64_t>(
                   prng_.below(static_cast<std::uint64_t>((high - low).count()) + 1)));
}

void FocusHost::start() {
  BASCULE_CHECK(!process_);
  ++process_number_;
  actions_until_crash_.reset();
  focus::Restored restored;
  restored.tables = durable_;
  restored.same_boot = process_number_ > 1;
  process_ = std::make_unique<Process>(*this, process_number_, options_, std::move(restored),
                                       prng_.next(), schedule_.both_clocks());
  run_turn([](focus::Focus& focus, Now now, Actions& actions) { focus.start(now, actions); });
}

void FocusHost::crash() {
  if (!process_) {
    return;
  }
  ++crashes_;
  crashed_at_ = schedule_.now();
  // The process is unlinked first: closing its sessions must not reach it any more.
  const std::shared_ptr<Process> dead = std::move(process_);
  queued_.clear();
  unanswered_.clear();
  outstanding_iqs_.clear();
  for (LinkPeer& link : dead->peers) {
    if (link.session && link.up) {
      server_.close(*link.session, false);
    }
  }
  // Whoever is calling us may still hold one of its links: it is freed when that has returned.
  schedule_.after(Duration::zero(), [dead] {});
}

void FocusHost::cut(StreamId stream) {
  if (process_ && peer(stream).up && peer(stream).session) {
    server_.cut(*peer(stream).session);
  }
}

void FocusHost::feed_all(std::vector<Input>& inputs) {
  for (const Input& input : inputs) {
    feed(input);
  }
}

void FocusHost::feed(const Input& input) {
  if (!process_) {
    return;
  }
  // An action may complete a request at once (an IQ that cannot be sent): it waits for its turn.
  queued_.push_back(input);
  if (in_turn_) {
    return;
  }
  while (process_ && !queued_.empty()) {
    const Input next = std::move(queued_.front());
    queued_.pop_front();
    ++inputs_;
    if (const auto* request = std::get_if<in::IqRequest>(&next)) {
      unanswered_.emplace(
          RequestKey{request->stream, {request->from.to_string(), request->stanza_id}},
          schedule_.now());
    } else if (const auto* answer = std::get_if<in::IqAnswer>(&next)) {
      if (outstanding_iqs_.erase(answer->request.value()) != 1) {
        complaints_.push_back("IQ answered twice: " + std::to_string(answer->request.value()));
      }
    }
    run_turn([&next](focus::Focus& focus, Now now, Actions& actions) {
      focus.handle(next, now, actions);
    });
  }
}

void FocusHost::run_turn(const std::function<void(focus::Focus&, Now, Actions&)>& turn) {
  in_turn_ = true;
  Actions actions;
  turn(process_->focus, schedule_.both_clocks(), actions);
  LinkPeer& client = peer(StreamId::kClient);
  for (const Action& action : actions) {
    prepare(action, client);
  }
  std::vector<focus::Operation> of_link;
  client.journal.append_to_commit(client.session ? server_.sent_by(*client.session) : 0,
                                  schedule_.both_clocks().wall, of_link);
  focus::persist_first(of_link, actions);
  std::vector<focus::TurnCommit> commits;
  Actions ready;
  client.journal.turn_ended(
      process_->gate.turn(std::move(actions), schedule_.now(), commits, ready));
  for (focus::TurnCommit& commit : commits) {
    // One store thread: what was handed over first is on disk first.
    committed_at_ = std::max(committed_at_, schedule_.now() + between(commit_low_, commit_high_));
    schedule_.at(committed_at_, [this, number = process_number_, commit = std::move(commit)] {
      if (!process_ || number != process_number_) {
        return;  // Died before the store had it.
      }
      for (const focus::Operation& operation : commit.operations) {
        durable_.apply(operation);
      }
      acknowledge();
      Actions released;
      process_->gate.committed(commit.id, {}, schedule_.now(), released);
      release(released);
      if (process_) {
        rearm();
      }
    });
  }
  release(ready);
  if (process_) {
    rearm();
  }
}

void FocusHost::release(Actions& actions) {
  in_turn_ = true;
  perform(actions);
  if (process_) {
    transmit(peer(StreamId::kClient).journal.take_replies(process_->gate.released()));
  }
  in_turn_ = false;
}

void FocusHost::perform(Actions& actions) {
  for (const Action& action : actions) {
    if (!process_) {
      return;
    }
    perform(action);
    if (actions_until_crash_ && (*actions_until_crash_)-- == 0) {
      crash();
      return;
    }
  }
  // What the actions caused at once comes after them, as on a real loop.
  if (process_ && !queued_.empty()) {
    schedule_.after(Duration::zero(), [this, number = process_number_] {
      if (process_ && number == process_number_ && !queued_.empty()) {
        const Input next = std::move(queued_.front());
        queued_.pop_front();
        feed(next);
      }
    });
  }
}

void FocusHost::perform(const Action& action) {
  observer_(action, schedule_.now());
  if (const auto* opening = std::get_if<out::OpenStream>(&action)) {
    open(opening->stream);
  } else if (const auto* closing = std::get_if<out::CloseStream>(&action)) {
    LinkPeer& link = peer(closing->stream);
    if (link.up && link.session) {
      server_.close(*link.session, true);
    }
    link.went_down();
  } else if (const auto stream = focus::stanza_stream(action)) {
    if (const auto* answer = std::get_if<out::AnswerIq>(&action)) {
      note_answered(*answer);
    }
    LinkPeer& link = peer(*stream);
    if (*stream == StreamId::kClient) {
      transmit(link.journal.take_for_action());
    } else if (const auto stanza = make(action, link)) {
      transmit(*stream, *stanza);
    }
  } else if (const auto* write = std::get_if<out::StoreWrite>(&action)) {
    schedule_.after(between(commit_low_, commit_high_),
                    [this, number = process_number_, id = write->write] {
                      if (process_ && number == process_number_) {
                        feed(in::StoreAnswer{id, {}});
                      }
                    });
  }
}

void FocusHost::give(const focus::Input& input) {
  if (process_) {
    feed(input);
  }
}

void FocusHost::rearm() {
  std::optional<Instant> next = process_->focus.next_deadline();
  const auto consider = [&next](std::optional<Instant> other) {
    if (other && (!next || *other < *next)) {
      next = other;
    }
  };
  consider(process_->gate.next_deadline());
  for (const LinkPeer& link : process_->peers) {
    consider(link.link.next_deadline());
  }
  if (!next || (process_->armed && *process_->armed <= *next)) {
    return;
  }
  process_->armed = next;
  schedule_.at(*next, [this, number = process_number_, when = *next] {
    if (process_ && number == process_number_ && process_->armed == when) {
      process_->armed.reset();
      on_timer();
    }
  });
}

void FocusHost::on_timer() {
  for (LinkPeer& link : process_->peers) {
    std::vector<Input> inputs;
    link.link.fire_timers(schedule_.both_clocks(), inputs);
    feed_all(inputs);
    if (!process_) {
      return;
    }
  }
  Actions released;
  process_->gate.fire_timers(schedule_.now(), released);
  release(released);
  if (!process_) {
    return;
  }
  if (process_->gate.is_degraded() != process_->degraded) {
    process_->degraded = process_->gate.is_degraded();
    feed(in::CommitDegraded{process_->degraded});
  }
  const auto due = process_ ? process_->focus.next_deadline() : std::nullopt;
  if (due && *due <= schedule_.now()) {
    run_turn(
        [](focus::Focus& focus, Now now, Actions& actions) { focus.fire_timers(now, actions); });
  } else if (process_) {
    rearm();
  }
}

std::optional<Instant> FocusHost::oldest_unanswered() const {
  std::optional<Instant> oldest;
  for (const auto& [key, since] : unanswered_) {
    if (!oldest || since < *oldest) {
      oldest = since;
    }
  }
  return oldest;
}

}  // namespace bascule::sim
