#include <utility>
#include <vector>

#include "xmpp/stream/native_stream_impl.h"
#include "xmpp/xml/writer.h"

namespace bascule::xmpp {
namespace {

constexpr std::string_view kPingNamespace = "urn:xmpp:ping";

/// `jabber:component:accept` becomes `jabber:client` in the stanza and in those descendants that
/// inherited it (error, body, show, ...).
void map_to_client_namespace(xml::Element& element) {
  if (element.ns != kComponentNamespace) {
    return;
  }
  element.ns = kClientNamespace;
  for (xml::Element& child : element.children) {
    map_to_client_namespace(child);
  }
}

bool is_stanza(const xml::Element& element) {
  return element.ns == kClientNamespace &&
         (element.name == "iq" || element.name == "message" || element.name == "presence");
}

}  // namespace

void NativeStream::Impl::on_bytes(std::string_view bytes) {
  const auto self = shared_from_this();  // The listener may destroy the stream.
  if (probe_outstanding_ && !resume_unproven_) {
    arm_probe(options_.probe_interval);
  }
  counters_.bytes_in += bytes.size();
  std::vector<xml::StreamEvent> events;
  if (auto fed = parser_->feed(bytes, events); !fed) {
    parse_error_ = fed.error().what;
  }
  for (xml::StreamEvent& event : events) {
    events_.push_back(std::move(event));
  }
  drain();
}

/// Delivers what was parsed, at most `stanzas_per_turn` at a time; reads on when all is delivered,
/// so that a flood fills the kernel's buffers and not our memory.
void NativeStream::Impl::drain() {
  if (state_ == State::kClosing) {
    return;
  }
  const std::uint64_t generation = generation_;
  const xml::StreamParser* const parser = parser_.get();
  for (std::size_t budget = options_.stanzas_per_turn; !events_.empty(); --budget) {
    if (budget == 0) {
      post([](Impl& impl) { impl.drain(); });
      return;
    }
    xml::StreamEvent event = std::move(events_.front());
    events_.pop_front();
    std::visit([this](auto& concrete) { on_event(concrete); }, event);
    if (generation_ != generation || parser_.get() != parser || state_ == State::kClosing) {
      return;
    }
  }
  if (!parse_error_.empty()) {
    go_down({.kind = DownKind::kProtocol, .reason = "the server's XML is broken: " + parse_error_});
    return;
  }
  connection_->read_more();
}

void NativeStream::Impl::on_event(xml::StreamOpened& event) {
  if (negotiation_) {
    run(negotiation_->on_header(event.header));
  }
}

void NativeStream::Impl::on_event(xml::StanzaParsed& event) {
  if (negotiation_) {
    run(negotiation_->on_element(event.stanza));
  } else {
    on_live_element(std::move(event.stanza));
  }
}

void NativeStream::Impl::on_event(xml::StanzaRejected& event) {
  if (negotiation_) {
    go_down({.kind = DownKind::kProtocol,
             .reason = "an element over the limits during negotiation: " + event.reason});
    return;
  }
  map_to_client_namespace(event.head);
  ++counters_.rejected_in;
  if (!is_stanza(event.head)) {
    ++counters_.unknown_elements;
    return;
  }
  if (const auto sequence = count_inbound()) {
    listener_->on_rejected(event.head, event.reason, *sequence);
  }
}

void NativeStream::Impl::on_event(xml::StreamClosed&) {
  go_down({.kind = DownKind::kConnection, .reason = "the server closed the stream"});
}

void NativeStream::Impl::on_live_element(xml::Element element) {
  if (element.is("error", kStreamNamespace)) {
    go_down(down_from_stream_error(element));
    return;
  }
  if (element.ns == kSmNamespace) {
    on_stream_management(element);
    return;
  }
  map_to_client_namespace(element);
  if (!is_stanza(element)) {
    ++counters_.unknown_elements;
    return;
  }
  const auto sequence = count_inbound();
  if (!sequence) {
    ++counters_.redelivered;
    return;
  }
  if (is_probe_answer(element)) {
    return;
  }
  listener_->on_stanza(std::move(element), *sequence);
}

std::optional<std::uint64_t> NativeStream::Impl::count_inbound() {
  ++counters_.stanzas_in;
  const auto sequence = sm_.is_enabled() ? sm_.received() : std::optional(++unmanaged_sequence_);
  if (sequence) {
    last_sequence_ = *sequence;
  }
  return sequence;
}

void NativeStream::Impl::on_stream_management(const xml::Element& element) {
  if (sm_.is_enabled() && element.name == "r") {
    write(sm_.answer_request());
  } else if (sm_.is_enabled() && element.name == "a") {
    if (auto acknowledged = sm_.acknowledged(element); !acknowledged) {
      sm_.reset();
      go_down({.kind = DownKind::kProtocol, .reason = acknowledged.error().what});
    } else if (resume_unproven_) {
      resume_unproven_ = false;
      arm_probe(options_.probe_interval);
    }
  } else {
    ++counters_.unknown_elements;
  }
}

void NativeStream::Impl::send(const xml::Element& stanza) {
  if (state_ == State::kUp) {
    std::string text = xml::to_string(stanza, kClientNamespace);
    if (takes(text)) {
      send_text(std::move(text));
    }
  }
}

bool NativeStream::Impl::takes(std::string_view text) {
  if (text.size() <= options_.max_stanza_bytes) {
    return true;
  }
  ++counters_.oversize_out;
  if (options_.warn) {
    constexpr std::size_t kShown = 200;
    options_.warn("not sent: a stanza of " + std::to_string(text.size()) +
                  " bytes is over the limit of " + std::to_string(options_.max_stanza_bytes) +
                  ": " + std::string(text.substr(0, kShown)));
  }
  return false;
}

void NativeStream::Impl::send_text(std::string text) {
  const bool is_up = state_ == State::kUp;
  if (!is_up && !sm_.can_resume()) {
    return;
  }
  if (is_up) {
    ++counters_.stanzas_out;
    connection_->write(text);
  }
  if (auto kept = sm_.sent(std::move(text)); !kept) {
    sm_.reset();  // A stanza is missing in the outbox: this session must not be resumed.
    if (is_up) {
      go_down_later({.kind = DownKind::kConnection, .reason = kept.error().what});
    }
    return;
  }
  if (is_up && sm_.take_request_due()) {
    write(StreamManagement::request());
  }
}

void NativeStream::Impl::handled(std::uint64_t sequence) {
  if (!sm_.is_enabled() || sequence > last_sequence_) {
    return;
  }
  sm_.handled(sequence);
  if (state_ != State::kUp) {
    return;
  }
  if (const auto answer = sm_.take_owed_answer()) {
    write(*answer);
  }
}

void NativeStream::Impl::arm_probe(Duration delay) {
  probe_outstanding_ = false;
  probe_timer_.expires_after(delay);
  probe_timer_.async_wait([self = shared_from_this(), generation = generation_](auto error) {
    if (!error && self->generation_ == generation && self->state_ == State::kUp) {
      self->probe();
    }
  });
}

void NativeStream::Impl::probe() {
  probe_outstanding_ = true;
  if (sm_.is_enabled()) {
    write(StreamManagement::request());
  } else {
    probe_id_ = "bascule-probe-" + std::to_string(++probe_number_);
    xml::Element ping{.name = "iq", .ns = std::string(kClientNamespace)};
    ping.set("type", "get").set("id", probe_id_).set("to", options_.domain);
    if (options_.mode == Mode::kComponent) {
      ping.set("from", options_.domain);
    }
    ping.add({.name = "ping", .ns = std::string(kPingNamespace)});
    write(ping);
  }
  await_probe(options_.probe_timeout);
}

void NativeStream::Impl::await_probe(Duration limit) {
  probe_timer_.expires_after(limit);
  probe_timer_.async_wait([self = shared_from_this(), generation = generation_](auto error) {
    if (!error && self->generation_ == generation && self->state_ == State::kUp) {
      self->check_probe();
    }
  });
}

void NativeStream::Impl::check_probe() {
  // When our own process was held up, the answer may still lie in the kernel.
  if (connection_->has_unread_bytes() && !proof_extended_) {
    proof_extended_ = resume_unproven_;
    resume_unproven_ ? await_probe(options_.probe_interval) : arm_probe(options_.probe_interval);
    return;
  }
  if (resume_unproven_) {
    sm_.reset();  // It may talk, but it does not hear us: a new session.
    go_down({.kind = DownKind::kProtocol, .reason = "the resumed session confirms nothing"});
    return;
  }
  go_down({.kind = DownKind::kConnection, .reason = "the server does not answer"});
}

bool NativeStream::Impl::is_probe_answer(const xml::Element& stanza) const {
  if (stanza.name != "iq" || probe_id_.empty() || stanza.attribute_or_empty("id") != probe_id_) {
    return false;
  }
  const std::string_view from = stanza.attribute_or_empty("from");
  return from == options_.domain || (from.empty() && options_.mode == Mode::kClient);
}

void NativeStream::Impl::write(const xml::Element& element) {
  connection_->write(xml::to_string(element, kClientNamespace));
}

}  // namespace bascule::xmpp
