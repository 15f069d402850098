#include "daemon/link_runtime.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "base/check.h"
#include "xmpp/negotiation.h"
#include "xmpp/xml/writer.h"

namespace bascule::daemon {

using xmpp::kClientNamespace;

LinkRuntime::LinkRuntime(focus::LinkOptions options, Enqueue enqueue, std::function<void()> wake)
    : link_(std::move(options)), enqueue_(std::move(enqueue)), wake_(std::move(wake)) {
}

void LinkRuntime::enqueue(std::vector<focus::Input>& inputs) {
  for (focus::Input& input : inputs) {
    enqueue_(std::move(input));
  }
}

void LinkRuntime::reply(std::vector<xml::Element> replies) {
  for (xml::Element& stanza : replies) {
    if (link_.is_resumable()) {
      replies_.push_back(std::move(stanza));
    } else {
      transport_->send(stanza);
    }
  }
}

void LinkRuntime::prepare(const focus::out::SendIq& request, Now now) {
  std::vector<focus::Input> inputs;
  prepare(link_.send(request, now, inputs), false);
  enqueue(inputs);
}
void LinkRuntime::prepare(const focus::out::AnswerIq& answer) {
  prepare(link_.send(answer), false);
}
void LinkRuntime::prepare(const focus::out::SendPresence& presence) {
  prepare(link_.send(presence), false);
}

void LinkRuntime::prepare(const std::optional<xml::Element>& stanza, bool is_reply) {
  // What this turn answers by itself was there before its actions.
  for (const xml::Element& reply : std::exchange(replies_, {})) {
    prepare(reply, true);
  }
  Prepared prepared{.session = session_, .text = std::nullopt, .is_reply = is_reply};
  if (stanza) {
    std::string text = xml::to_string(*stanza, kClientNamespace);
    if (transport_->takes(text)) {
      prepared.text = std::move(text);
    }
  }
  if (prepared.text && is_durable_) {
    pushes_.emplace_back(focus::op::OutboundPush{.stream = link_.stream(),
                                                 .index = ++prepared_index_,
                                                 .stanza_id = {},
                                                 .xml = *prepared.text});
  }
  prepared_.push_back(std::move(prepared));
}

/// For an action: its stanza, and what was to leave before it.
void LinkRuntime::send_prepared() {
  send_replies(std::numeric_limits<std::uint64_t>::max());
  BASCULE_CHECK(!prepared_.empty());
  send_front();
}

void LinkRuntime::send_front() {
  Prepared next = std::move(prepared_.front());
  prepared_.pop_front();
  if (next.text && next.session == session_) {
    transport_->send_text(std::move(*next.text));
  }
}

void LinkRuntime::send_replies(std::uint64_t turn) {
  while (!prepared_.empty() && prepared_.front().is_reply && prepared_.front().turn <= turn) {
    send_front();
  }
}

void LinkRuntime::send(const focus::out::SendIq& request, Now now) {
  if (link_.is_resumable()) {
    send_prepared();
    return;
  }
  std::vector<focus::Input> inputs;
  if (const auto stanza = link_.send(request, now, inputs)) {
    transport_->send(*stanza);
  }
  enqueue(inputs);
}
void LinkRuntime::send(const focus::out::AnswerIq& answer) {
  link_.is_resumable() ? send_prepared() : transport_->send(link_.send(answer));
}
void LinkRuntime::send(const focus::out::SendPresence& presence) {
  link_.is_resumable() ? send_prepared() : transport_->send(link_.send(presence));
}

void LinkRuntime::fire_timers(Now now) {
  std::vector<focus::Input> inputs;
  link_.fire_timers(now, inputs);
  enqueue(inputs);
}

void LinkRuntime::on_up(const xmpp::Up& up) {
  is_up_ = true;
  if (!up.resumed) {
    // The numbers of the old session mean nothing to the new one.
    received_ = 0;
    unreleased_.clear();
    if (link_.is_resumable()) {
      // Also when it cannot be continued: the one that is stored must not be.
      fresh_session_ = transport_->resumable_session().value_or(
          xmpp::SmState{.bound_jid = up.bound_jid.to_string()});
      is_durable_ = !fresh_session_->id.empty();
    }
    ++session_;
    stored_ = newest_ = 0;
    prepared_index_ = stored_confirmed_ = 0;
  } else if (link_.is_resumable() && !is_durable_) {
    // Of the process before. It may have said more than it stored; the server knows.
    is_durable_ = true;
    prepared_index_ = transport_->outbound().sent;
  }
  std::vector<focus::Input> inputs;
  link_.up(up, inputs);
  enqueue(inputs);
}

void LinkRuntime::on_down(const xmpp::Down& down) {
  is_up_ = false;
  std::vector<focus::Input> inputs;
  link_.down(down, inputs);
  enqueue(inputs);
}

void LinkRuntime::on_stanza(xml::Element stanza, std::uint64_t sequence) {
  received_ = std::max(received_, sequence);
  newest_ = std::max(newest_, sequence);
  std::vector<focus::Input> inputs;
  std::vector<xml::Element> replies;
  link_.receive(stanza, inputs, replies);
  reply(std::move(replies));
  enqueue(inputs);
  wake_();
}

void LinkRuntime::on_rejected(const xml::Element& head, const std::string& /*reason*/,
                              std::uint64_t sequence) {
  received_ = std::max(received_, sequence);
  newest_ = std::max(newest_, sequence);
  std::vector<xml::Element> replies;
  link_.rejected(head, replies);
  reply(std::move(replies));
  wake_();
}

void LinkRuntime::append_durable(std::vector<focus::Operation>& operations, WallTime now) {
  if (fresh_session_) {
    if (const auto bound = Jid::parse(fresh_session_->bound_jid)) {
      operations.emplace_back(focus::op::LinkSet{.stream = link_.stream(),
                                                 .bare = bound->bare(),
                                                 .resource = bound->resource(),
                                                 .resume_id = fresh_session_->id,
                                                 .established = now});
    }
    fresh_session_.reset();
  }
  for (const xml::Element& reply : std::exchange(replies_, {})) {
    prepare(reply, true);
  }
  if (is_durable_ && newest_ > stored_) {
    stored_ = newest_;
    operations.emplace_back(
        focus::op::InboundHandled{.stream = link_.stream(), .handled = stored_});
  }
  std::move(pushes_.begin(), pushes_.end(), std::back_inserter(operations));
  pushes_.clear();
  const std::uint64_t confirmed = transport_->outbound().confirmed;
  if (is_durable_ && confirmed > stored_confirmed_ && !operations.empty()) {
    stored_confirmed_ = confirmed;
    operations.emplace_back(
        focus::op::OutboundAck{.stream = link_.stream(), .acknowledged = confirmed});
  }
}

void LinkRuntime::end_turn(std::uint64_t turn) {
  for (auto made = prepared_.rbegin(); made != prepared_.rend() && made->turn == 0; ++made) {
    made->turn = turn;
  }
  if (received_ != 0 && (unreleased_.empty() || unreleased_.back().sequence != received_)) {
    unreleased_.push_back({.turn = turn, .sequence = received_});
  }
}

void LinkRuntime::released(std::uint64_t turn) {
  send_replies(turn);
  std::uint64_t handled = 0;
  auto next = unreleased_.begin();
  for (; next != unreleased_.end() && next->turn <= turn; ++next) {
    handled = next->sequence;
  }
  unreleased_.erase(unreleased_.begin(), next);
  if (handled != 0) {
    transport_->handled(handled);
    if (handled == received_) {
      received_ = 0;  // Nothing new until the next stanza.
    }
  }
}

}  // namespace bascule::daemon
