#include "daemon/link_runtime.h"

#include <algorithm>
#include <utility>

namespace bascule::daemon {

LinkRuntime::LinkRuntime(focus::LinkOptions options, Enqueue enqueue, std::function<void()> wake)
    : link_(std::move(options)), enqueue_(std::move(enqueue)), wake_(std::move(wake)) {
}

void LinkRuntime::enqueue(std::vector<focus::Input>& inputs) {
  for (focus::Input& input : inputs) {
    enqueue_(std::move(input));
  }
}

void LinkRuntime::reply(const std::vector<xml::Element>& replies) {
  for (const xml::Element& stanza : replies) {
    transport_->send(stanza);
  }
}

void LinkRuntime::send(const focus::out::SendIq& request, Now now) {
  std::vector<focus::Input> inputs;
  if (const auto stanza = link_.send(request, now, inputs)) {
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
    stored_ = newest_ = 0;
  } else {
    is_durable_ = true;
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
  reply(replies);
  enqueue(inputs);
  wake_();
}

void LinkRuntime::on_rejected(const xml::Element& head, const std::string& /*reason*/,
                              std::uint64_t sequence) {
  received_ = std::max(received_, sequence);
  newest_ = std::max(newest_, sequence);
  std::vector<xml::Element> replies;
  link_.rejected(head, replies);
  reply(replies);
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
  if (is_durable_ && newest_ > stored_) {
    stored_ = newest_;
    operations.emplace_back(
        focus::op::InboundHandled{.stream = link_.stream(), .handled = stored_});
  }
}

void LinkRuntime::end_turn(std::uint64_t turn) {
  if (received_ != 0 && (unreleased_.empty() || unreleased_.back().sequence != received_)) {
    unreleased_.push_back({.turn = turn, .sequence = received_});
  }
}

void LinkRuntime::released(std::uint64_t turn) {
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
