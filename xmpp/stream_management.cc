#include "xmpp/stream_management.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/check.h"

namespace bascule::xmpp {
namespace {

std::uint32_t modulo_2_32(std::uint64_t count) {
  return static_cast<std::uint32_t>(count & 0xFFFF'FFFFU);
}

Result<std::uint32_t> parse_h(const xml::Element& element) {
  const std::string_view text = element.attribute_or_empty("h");
  std::uint32_t h = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), h);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return fail(Errc::kMalformed, "stream management: '" + element.name + "' without a valid h");
  }
  return h;
}

xml::Element nonza(std::string name) {
  return {.name = std::move(name), .ns = std::string(kSmNamespace)};
}

bool is_true(std::string_view text) {
  return text == "true" || text == "1";
}

}  // namespace

StreamManagement::StreamManagement(const Options& options) : options_(options) {
  BASCULE_CHECK(options.request_every >= 1 && options.max_outbox_stanzas >= 1);
}

StreamManagement StreamManagement::restore(const SmState& state, const Options& options) {
  StreamManagement sm(options);
  sm.enabled_ = !state.id.empty();
  sm.id_ = state.id;
  sm.bound_jid_ = state.bound_jid;
  sm.received_ = state.inbound_handled;
  sm.handled_ = state.inbound_handled;
  sm.acked_ = state.outbound_acked;
  sm.is_restored_ = true;
  for (const std::string& text : state.outbox) {
    sm.outbox_bytes_ += text.size();
    sm.outbox_.push_back(text);
  }
  return sm;
}

SmState StreamManagement::state() const {
  return {.id = id_,
          .bound_jid = bound_jid_,
          .inbound_handled = handled_,
          .outbound_acked = acked_,
          .outbox = {outbox_.begin(), outbox_.end()}};
}

void StreamManagement::reset() {
  *this = StreamManagement(options_);
}

Result<> StreamManagement::enabled(const xml::Element& enabled_element, std::string bound_jid) {
  if (!enabled_element.is("enabled", kSmNamespace)) {
    return fail(Errc::kMalformed, "stream management: not an answer to enable");
  }
  reset();
  enabled_ = true;
  bound_jid_ = std::move(bound_jid);
  if (is_true(enabled_element.attribute_or_empty("resume"))) {
    id_ = enabled_element.attribute_or_empty("id");
  }
  return {};
}

std::optional<std::uint64_t> StreamManagement::received() {
  ++received_;
  if (received_ <= redelivered_until_) {
    return std::nullopt;
  }
  return received_;
}

void StreamManagement::handled(std::uint64_t sequence) {
  // After a resume the received count starts again at the handled one, but what is redelivered was
  // given to the caller long ago and may be committed at any time.
  BASCULE_CHECK(sequence <= std::max(received_, redelivered_until_));
  handled_ = std::max(handled_, sequence);
}

Result<> StreamManagement::sent(std::string text) {
  if (!enabled_) {
    return {};
  }
  if (outbox_.size() >= options_.max_outbox_stanzas ||
      outbox_bytes_ + text.size() > options_.max_outbox_bytes) {
    return fail(Errc::kUnavailable, "stream management: the server confirms nothing, outbox full");
  }
  outbox_bytes_ += text.size();
  outbox_.push_back(std::move(text));
  ++since_request_;
  return {};
}

bool StreamManagement::take_request_due() {
  if (!enabled_ || since_request_ < options_.request_every) {
    return false;
  }
  since_request_ = 0;
  return true;
}

xml::Element StreamManagement::answer_request() {
  // Redelivered stanzas count as received only when they arrive again, yet they may already be
  // handled: what we tell must not exceed what the server sent on this connection.
  const std::uint64_t tell = std::min(handled_, received_);
  owed_ = tell < received_ ? std::optional(received_) : std::nullopt;
  xml::Element answer = nonza("a");
  answer.set("h", std::to_string(modulo_2_32(tell)));
  return answer;
}

std::optional<xml::Element> StreamManagement::take_owed_answer() {
  if (!owed_ || handled_ < *owed_) {
    return std::nullopt;
  }
  return answer_request();
}

Result<> StreamManagement::confirm(const xml::Element& element) {
  const auto h = parse_h(element);
  if (!h) {
    return tl::make_unexpected(h.error());
  }
  const std::uint32_t newly = *h - modulo_2_32(acked_);  // Modulo 2^32 by the type.
  constexpr std::uint32_t kBack = 0x8000'0000U;          // Further than that is a step back.
  if (std::exchange(is_restored_, false) && newly > outbox_.size() && newly < kBack) {
    acked_ += newly;
    outbox_.clear();
    outbox_bytes_ = 0;
    return {};
  }
  if (newly > outbox_.size()) {
    return fail(Errc::kInvalidArgument,
                "stream management: the server confirms stanzas that were never sent");
  }
  for (std::uint32_t i = 0; i < newly; ++i) {
    outbox_bytes_ -= outbox_.front().size();
    outbox_.pop_front();
  }
  acked_ += newly;
  return {};
}

Result<> StreamManagement::acknowledged(const xml::Element& answer) {
  if (!enabled_) {
    return fail(Errc::kInvalidArgument, "stream management: confirmation while not enabled");
  }
  return confirm(answer);
}

xml::Element StreamManagement::enable_request() {
  xml::Element enable = nonza("enable");
  enable.set("resume", "true");
  return enable;
}

xml::Element StreamManagement::request() {
  return nonza("r");
}

xml::Element StreamManagement::resume_request() {
  BASCULE_CHECK(can_resume());
  resume_from_ = handled_;
  xml::Element resume = nonza("resume");
  resume.set("h", std::to_string(modulo_2_32(resume_from_)));
  resume.set("previd", id_);
  return resume;
}

Result<std::vector<std::string>> StreamManagement::resumed(const xml::Element& resumed_element) {
  if (!resumed_element.is("resumed", kSmNamespace) ||
      resumed_element.attribute_or_empty("previd") != id_) {
    return fail(Errc::kMalformed, "stream management: resumed, but not our session");
  }
  if (auto confirmed = confirm(resumed_element); !confirmed) {
    return tl::make_unexpected(confirmed.error());
  }
  // The server redelivers what follows the count that resume_request() told it.
  redelivered_until_ = std::max(redelivered_until_, received_);
  received_ = resume_from_;
  owed_.reset();
  since_request_ = 0;
  return std::vector<std::string>(outbox_.begin(), outbox_.end());
}

}  // namespace bascule::xmpp
