#include "daemon/link_runtime.h"

#include <algorithm>
#include <utility>

#include "xmpp/negotiation.h"
#include "xmpp/xml/writer.h"

namespace bascule::daemon {

LinkRuntime::LinkRuntime(focus::LinkOptions options, Enqueue enqueue, std::function<void()> wake)
    : link_(std::move(options)),
      enqueue_(std::move(enqueue)),
      wake_(std::move(wake)),
      journal_(link_.stream()) {
}

void LinkRuntime::enqueue(std::vector<focus::Input>& inputs, std::uint64_t sequence) {
  for (focus::Input& input : inputs) {
    if (sequence != 0) {
      unhandled_.push_back({.token = ++last_token_, .sequence = sequence});
    }
    enqueue_(std::move(input), sequence == 0 ? 0 : last_token_);
  }
}

void LinkRuntime::consumed(std::uint64_t token) {
  // One of a session that ended meanwhile is not waited for any more.
  if (!unhandled_.empty() && unhandled_.front().token == token) {
    unhandled_.pop_front();
  }
}

std::uint64_t LinkRuntime::settled() const {
  return unhandled_.empty() ? received_ : unhandled_.front().sequence - 1;
}

void LinkRuntime::reply(const std::vector<xml::Element>& replies) {
  for (const xml::Element& stanza : replies) {
    if (!link_.is_resumable()) {
      transport_->send(stanza);
    } else if (auto text = to_text(stanza)) {
      journal_.reply(std::move(*text));
    }
  }
}

std::optional<std::string> LinkRuntime::to_text(const xml::Element& stanza) {
  std::string text = xml::to_string(stanza, xmpp::kClientNamespace);
  return transport_->takes(text) ? std::optional(std::move(text)) : std::nullopt;
}

void LinkRuntime::prepare(const focus::Action& action, Now now) {
  if (!link_.is_resumable()) {
    return;
  }
  std::vector<focus::Input> inputs;
  const auto stanza = link_.make(action, now, inputs);
  journal_.say(stanza ? to_text(*stanza) : std::nullopt);
  enqueue(inputs);
}

void LinkRuntime::send_all(std::vector<std::string> texts) {
  for (std::string& text : texts) {
    transport_->send_text(std::move(text));
  }
}

void LinkRuntime::send(const focus::Action& action, Now now) {
  if (link_.is_resumable()) {
    send_all(journal_.take_for_action());
    return;
  }
  std::vector<focus::Input> inputs;
  if (const auto stanza = link_.make(action, now, inputs)) {
    transport_->send(*stanza);
  }
  enqueue(inputs);
}

void LinkRuntime::fire_timers(Now now) {
  std::vector<focus::Input> inputs;
  link_.fire_timers(now, inputs);
  enqueue(inputs);
}

void LinkRuntime::on_up(const xmpp::Up& up) {
  is_up_ = true;
  if (const auto socket = transport_->socket(); holder_ != nullptr && socket) {
    holder_->hold(*socket);
  }
  if (!up.resumed) {
    // The numbers of the old session mean nothing to the new one.
    received_ = acknowledged_ = 0;
    unhandled_.clear();
    unreleased_.clear();
    if (link_.is_resumable()) {
      // Also when it cannot be continued: the one that is stored must not be.
      const auto state = transport_->resumable_session();
      journal_.session_began(up.bound_jid, state ? state->id : std::string());
    }
  } else if (link_.is_resumable() && !journal_.is_durable()) {
    journal_.session_inherited(transport_->outbound().sent);
  }
  std::vector<focus::Input> inputs;
  link_.up(up, inputs);
  enqueue(inputs);
}

void LinkRuntime::on_down(const xmpp::Down& down) {
  if (std::exchange(is_up_, false) && holder_ != nullptr) {
    holder_->drop();
  }
  std::vector<focus::Input> inputs;
  link_.down(down, inputs);
  enqueue(inputs);
}

void LinkRuntime::on_stanza(xml::Element stanza, std::uint64_t sequence) {
  received_ = std::max(received_, sequence);
  std::vector<focus::Input> inputs;
  std::vector<xml::Element> replies;
  link_.receive(stanza, inputs, replies);
  reply(replies);
  enqueue(inputs, sequence);
  wake_();
}

void LinkRuntime::on_rejected(const xml::Element& head, const std::string& /*reason*/,
                              std::uint64_t sequence) {
  received_ = std::max(received_, sequence);
  std::vector<xml::Element> replies;
  link_.rejected(head, replies);
  reply(replies);
  wake_();
}

void LinkRuntime::append_durable(std::vector<focus::Operation>& operations, WallTime now) {
  if (link_.is_resumable()) {
    journal_.heard(settled());
    journal_.append_to_commit(transport_->outbound().confirmed, now, operations);
  }
}

void LinkRuntime::end_turn(std::uint64_t turn) {
  journal_.turn_ended(turn);
  if (settled() > acknowledged_) {
    acknowledged_ = settled();
    unreleased_.push_back({.turn = turn, .sequence = acknowledged_});
  }
}

void LinkRuntime::released(std::uint64_t turn, std::uint64_t durable) {
  send_all(journal_.take_replies(turn));
  std::uint64_t handled = 0;
  auto next = unreleased_.begin();
  for (; next != unreleased_.end() && next->turn <= durable; ++next) {
    handled = next->sequence;
  }
  unreleased_.erase(unreleased_.begin(), next);
  if (handled != 0) {
    transport_->handled(handled);
  }
}

}  // namespace bascule::daemon
