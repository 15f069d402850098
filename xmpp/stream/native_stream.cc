#include "xmpp/stream/native_stream.h"

#include <charconv>
#include <utility>
#include <vector>

#include <openssl/rand.h>

#include "base/check.h"
#include "xmpp/base64.h"
#include "xmpp/component_negotiation.h"
#include "xmpp/stream/native_stream_impl.h"
#include "xmpp/xml/writer.h"

namespace bascule::xmpp {
namespace {

namespace net = boost::asio;

constexpr std::size_t kNonceBytes = 18;

std::string fresh_nonce() {
  std::string bytes(kNonceBytes, '\0');
  BASCULE_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()),
                           static_cast<int>(bytes.size())) == 1);
  return base64_encode(bytes);
}

/// What `<enabled/>` grants.
std::optional<Duration> resumable_for(const xml::Element& enabled) {
  const std::string_view resume = enabled.attribute_or_empty("resume");
  if ((resume != "true" && resume != "1") || enabled.attribute_or_empty("id").empty()) {
    return std::nullopt;
  }
  const std::string_view max = enabled.attribute_or_empty("max");
  std::uint32_t seconds = 0;  // Also when it is no number.
  std::from_chars(max.data(), max.data() + max.size(), seconds);
  return std::chrono::seconds{seconds};
}

}  // namespace

void NativeStream::Impl::open() {
  BASCULE_CHECK(state_ == State::kIdle);
  BASCULE_CHECK(options_.stanzas_per_turn >= 1);
  state_ = State::kOpening;
  ++generation_;
  negotiation_ = make_negotiation();
  if (!negotiation_) {
    go_down_later({.kind = DownKind::kProtocol,
                   .reason = "'" + options_.domain + "' is no domain to connect as"});
    return;
  }
  connection_ = Connection::create(io_,
                                   {.host = options_.host,
                                    .port = options_.port,
                                    .timeout_per_address = options_.connect_timeout,
                                    .max_queued_bytes = options_.max_queued_bytes},
                                   *this);
  open_timer_.expires_after(options_.open_timeout);
  open_timer_.async_wait([self = shared_from_this(), generation = generation_](auto error) {
    if (!error && self->generation_ == generation && self->state_ == State::kOpening) {
      self->go_down({.kind = DownKind::kConnection,
                     .reason = "the link to " + self->options_.host + " did not come up in time"});
    }
  });
}

std::unique_ptr<Negotiation> NativeStream::Impl::make_negotiation() {
  client_negotiation_ = nullptr;
  if (options_.mode == Mode::kComponent) {
    auto domain = Jid::parse(options_.domain);
    if (!domain) {
      return nullptr;
    }
    return std::make_unique<ComponentNegotiation>(std::move(*domain), options_.secret);
  }
  ClientLogin login{.user = options_.user,
                    .domain = options_.domain,
                    .resource = options_.resource,
                    .earlier_resource = earlier_resource_,
                    .password = options_.secret,
                    .tls = options_.tls.mode,
                    .stream_management = options_.stream_management,
                    .nonce = fresh_nonce()};
  std::optional<xml::Element> resume;
  if (sm_.can_resume()) {
    resume = sm_.resume_request();
  }
  auto negotiation = std::make_unique<ClientNegotiation>(std::move(login), std::move(resume));
  client_negotiation_ = negotiation.get();
  return negotiation;
}

void NativeStream::Impl::on_connected() {
  restart_stream();
}

void NativeStream::Impl::restart_stream() {
  parser_ = std::make_unique<xml::StreamParser>(options_.parse_limits);
  events_.clear();
  connection_->write(negotiation_->header());
  connection_->read_more();
}

void NativeStream::Impl::on_secured() {
  const auto self = shared_from_this();
  run(negotiation_->on_tls_established());
}

void NativeStream::Impl::run(Steps steps) {
  const std::uint64_t generation = generation_;
  for (Step& next : steps) {
    std::visit([this](auto& concrete) { perform(concrete); }, next);
    if (generation_ != generation) {
      return;
    }
  }
}

void NativeStream::Impl::perform(step::Send& send) {
  // The negotiation speaks the stream's own namespace.
  connection_->write(xml::to_string(
      send.element, options_.mode == Mode::kComponent ? kComponentNamespace : kClientNamespace));
}

void NativeStream::Impl::perform(step::StartTls&) {
  if (!events_.empty()) {
    go_down({.kind = DownKind::kProtocol, .reason = "the server sent plain text after STARTTLS"});
    return;
  }
  // A new parser: half an element that came in plain text must not be completed inside TLS, and
  // drain() must not ask for plain bytes.
  parser_ = std::make_unique<xml::StreamParser>(options_.parse_limits);
  connection_->start_tls(options_.tls,
                         options_.tls.host_name.empty() ? options_.domain : options_.tls.host_name);
}

void NativeStream::Impl::perform(step::RestartStream&) {
  if (!events_.empty()) {
    go_down({.kind = DownKind::kProtocol, .reason = "the server spoke before our new stream"});
    return;
  }
  restart_stream();
}

void NativeStream::Impl::perform(step::Established& established) {
  std::vector<xml::Element> early;
  if (client_negotiation_ != nullptr) {
    early = client_negotiation_->take_early_stanzas();
    counters_.resumes_refused += client_negotiation_->resume_refused() ? 1U : 0U;
  }
  sm_.reset();
  earlier_resource_.clear();
  if (!established.enabled.name.empty()) {
    BASCULE_CHECK(sm_.enabled(established.enabled, established.bound.to_string()).has_value());
    earlier_resource_ = established.bound.resource();
  }
  unmanaged_sequence_ = 0;
  last_sequence_ = 0;
  const std::uint64_t generation = generation_;
  become_up({.bound_jid = established.bound,
             .resumed = false,
             .beside = established.beside,
             .resumable_for = resumable_for(established.enabled)});
  for (xml::Element& stanza : early) {
    if (generation_ != generation || state_ != State::kUp) {
      return;
    }
    ++counters_.stanzas_in;
    listener_->on_stanza(std::move(stanza), 0);
  }
}

void NativeStream::Impl::perform(step::Resumed& resumed) {
  auto again = sm_.resumed(resumed.resumed);
  if (!again) {
    sm_.reset();  // Whatever it is, it cannot be continued.
    go_down({.kind = DownKind::kProtocol, .reason = again.error().what});
    return;
  }
  auto bound = Jid::parse(sm_.bound_jid());
  if (!bound) {
    sm_.reset();
    go_down({.kind = DownKind::kProtocol, .reason = "resumed a session without an address"});
    return;
  }
  ++counters_.resumes;
  for (const std::string& text : *again) {
    connection_->write(text);
  }
  resume_unproven_ = true;
  proof_extended_ = false;
  probe();
  become_up({.bound_jid = std::move(*bound), .resumed = true});
}

void NativeStream::Impl::perform(step::Failed& failed) {
  go_down(std::move(failed.down));
}

void NativeStream::Impl::become_up(const Up& up) {
  state_ = State::kUp;
  negotiation_.reset();
  client_negotiation_ = nullptr;
  open_timer_.cancel();
  if (!resume_unproven_) {
    arm_probe(options_.probe_interval);
  }
  listener_->on_up(up);
}

void NativeStream::Impl::close() {
  if (state_ == State::kOpening) {
    state_ = State::kClosing;
    if (connection_) {
      connection_->abort();
    }
    go_down_later({.kind = DownKind::kClosedByUs, .reason = "closed while opening"});
  } else if (state_ == State::kUp) {
    state_ = State::kClosing;
    sm_.reset();  // The server forgets the session as well.
    earlier_resource_.clear();
    probe_timer_.cancel();
    connection_->write("</stream:stream>");
    connection_->close_gracefully();
  }
}

void NativeStream::Impl::adopt(const SmState& state) {
  BASCULE_CHECK(state_ == State::kIdle);
  const auto bound = Jid::parse(state.bound_jid);
  earlier_resource_ = bound ? bound->resource() : std::string();
  if (!state.id.empty()) {
    sm_ = StreamManagement::restore(state, options_.stream_management_options);
    last_sequence_ = state.inbound_handled;
  }
}

void NativeStream::Impl::on_closed(const Down& down) {
  const auto self = shared_from_this();
  go_down(down);
}

void NativeStream::Impl::go_down_later(Down down) {
  post([down = std::move(down)](Impl& impl) { impl.go_down(down); });
}

// By value, because the caller's may be a part of what is reset here.
void NativeStream::Impl::go_down(Down down) {  // NOLINT(performance-unnecessary-value-param)
  if (state_ == State::kIdle) {
    return;
  }
  state_ = State::kIdle;
  ++generation_;
  open_timer_.cancel();
  probe_timer_.cancel();
  probe_outstanding_ = resume_unproven_ = false;
  if (connection_) {
    connection_->abort();
    connection_.reset();
  }
  negotiation_.reset();
  client_negotiation_ = nullptr;
  parser_.reset();
  events_.clear();
  parse_error_.clear();
  if (listener_ != nullptr) {
    listener_->on_down(down);
  }
}

void NativeStream::Impl::detach() {
  listener_ = nullptr;
  go_down({.kind = DownKind::kClosedByUs, .reason = "destroyed"});
}

NativeStream::NativeStream(net::io_context& io, NativeStreamOptions options,
                           TransportListener& listener)
    : impl_(std::make_shared<Impl>(io, std::move(options), listener)) {
}

NativeStream::~NativeStream() {
  impl_->detach();
}

void NativeStream::open() {
  impl_->open();
}
void NativeStream::send(const xml::Element& stanza) {
  impl_->send(stanza);
}
void NativeStream::send_text(std::string text) {
  impl_->send_text(std::move(text));
}
bool NativeStream::takes(std::string_view text) {
  return impl_->takes(text);
}
Transport::Outbound NativeStream::outbound() const {
  return impl_->outbound();
}
void NativeStream::handled(std::uint64_t sequence) {
  impl_->handled(sequence);
}
void NativeStream::close() {
  impl_->close();
}
std::size_t NativeStream::queued_bytes() const {
  return impl_->queued_bytes();
}
std::optional<int> NativeStream::socket() const {
  return impl_->socket();
}
const NativeStreamCounters& NativeStream::counters() const {
  return impl_->counters();
}
SmState NativeStream::session_state() const {
  return impl_->session_state();
}
std::optional<SmState> NativeStream::resumable_session() const {
  SmState state = impl_->session_state();
  return state.id.empty() ? std::nullopt : std::optional(std::move(state));
}
void NativeStream::adopt(const SmState& state) {
  impl_->adopt(state);
}

}  // namespace bascule::xmpp
