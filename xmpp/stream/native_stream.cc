#include "xmpp/stream/native_stream.h"

#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <openssl/rand.h>

#include "base/check.h"
#include "xmpp/base64.h"
#include "xmpp/component_negotiation.h"
#include "xmpp/stream/connection.h"
#include "xmpp/xml/parser.h"
#include "xmpp/xml/writer.h"

namespace bascule::xmpp {
namespace {

namespace net = boost::asio;
using Mode = NativeStreamOptions::Mode;

constexpr std::string_view kPingNamespace = "urn:xmpp:ping";
constexpr std::size_t kNonceBytes = 18;

std::string fresh_nonce() {
  std::string bytes(kNonceBytes, '\0');
  BASCULE_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()),
                           static_cast<int>(bytes.size())) == 1);
  return base64_encode(bytes);
}

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

class NativeStream::Impl final : public ConnectionHandler,
                                 public std::enable_shared_from_this<Impl> {
 public:
  Impl(net::io_context& io, NativeStreamOptions options, TransportListener& listener)
      : io_(io),
        options_(std::move(options)),
        listener_(&listener),
        sm_(options_.stream_management_options),
        open_timer_(io),
        probe_timer_(io) {}

  void open();
  void send(const xml::Element& stanza);
  void handled(std::uint64_t sequence);
  void close();
  void detach();
  void adopt(const SmState& state);
  [[nodiscard]] std::size_t queued_bytes() const {
    return connection_ ? connection_->queued_bytes() : 0;
  }
  [[nodiscard]] const NativeStreamCounters& counters() const { return counters_; }
  [[nodiscard]] SmState session_state() const { return sm_.state(); }

  void on_connected() override;
  void on_secured() override;
  void on_bytes(std::string_view bytes) override;
  void on_closed(const Down& down) override;

 private:
  enum class State { kIdle, kOpening, kUp, kClosing };

  [[nodiscard]] std::unique_ptr<Negotiation> make_negotiation();
  void restart_stream();
  void run(Steps steps);
  void perform(step::Send& send);
  void perform(step::StartTls&);
  void perform(step::RestartStream&);
  void perform(step::Established& established);
  void perform(step::Resumed& resumed);
  void perform(step::Failed& failed);
  void become_up(const Up& up);

  void drain();
  void on_event(xml::StreamOpened& event);
  void on_event(xml::StanzaParsed& event);
  void on_event(xml::StanzaRejected& event);
  void on_event(xml::StreamClosed& event);
  void on_live_element(xml::Element element);
  void on_stream_management(const xml::Element& element);
  std::optional<std::uint64_t> count_inbound();
  [[nodiscard]] bool is_probe_answer(const xml::Element& stanza) const;

  void write(const xml::Element& element) {
    connection_->write(xml::to_string(element, kClientNamespace));
  }
  void arm_probe(Duration delay);
  void probe();
  void check_probe();
  void go_down_later(Down down);
  void go_down(Down down);
  /// Runs `task` in the loop unless the connection it belongs to is gone by then.
  template <class Task>
  void post(Task task) {
    net::post(io_, [self = shared_from_this(), generation = generation_, task = std::move(task)] {
      if (self->generation_ == generation) {
        task(*self);
      }
    });
  }

  net::io_context& io_;
  NativeStreamOptions options_;
  TransportListener* listener_;  // Null after detach().
  NativeStreamCounters counters_;
  State state_ = State::kIdle;
  std::uint64_t generation_ = 0;  // One per open(); what was started before is void.
  std::shared_ptr<Connection> connection_;
  std::unique_ptr<Negotiation> negotiation_;             // Null while up.
  ClientNegotiation* client_negotiation_ = nullptr;      // The same object, in client mode.
  std::unique_ptr<xml::StreamParser> parser_;
  std::deque<xml::StreamEvent> events_;
  std::string parse_error_;
  StreamManagement sm_;
  std::uint64_t unmanaged_sequence_ = 0;  // Stanzas of a session without XEP-0198.
  std::uint64_t last_sequence_ = 0;       // The highest number given to the listener.
  net::steady_timer open_timer_;
  net::steady_timer probe_timer_;
  std::uint64_t probe_number_ = 0;
  std::string probe_id_;
  bool heard_since_probe_ = false;
};

void NativeStream::Impl::open() {
  BASCULE_CHECK(state_ == State::kIdle);
  state_ = State::kOpening;
  ++generation_;
  negotiation_ = make_negotiation();
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
    return std::make_unique<ComponentNegotiation>(domain.value_or(Jid()), options_.secret);
  }
  ClientLogin login{.user = options_.user,
                    .domain = options_.domain,
                    .resource = options_.resource,
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

void NativeStream::Impl::on_connected() { restart_stream(); }

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

void NativeStream::Impl::on_bytes(std::string_view bytes) {
  const auto self = shared_from_this();  // The listener may destroy the stream.
  heard_since_probe_ = true;
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
  connection_->start_tls(options_.tls, options_.tls.host_name.empty() ? options_.domain
                                                                      : options_.tls.host_name);
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
    counters_.resumes_refused += client_negotiation_->resume_refused() ? 1 : 0;
  }
  sm_.reset();
  if (!established.enabled.name.empty()) {
    BASCULE_CHECK(sm_.enabled(established.enabled, established.bound.to_string()).has_value());
  }
  unmanaged_sequence_ = 0;
  last_sequence_ = 0;
  const std::uint64_t generation = generation_;
  become_up({.bound_jid = established.bound, .resumed = false});
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
  become_up({.bound_jid = std::move(*bound), .resumed = true});
}

void NativeStream::Impl::perform(step::Failed& failed) { go_down(std::move(failed.down)); }

void NativeStream::Impl::become_up(const Up& up) {
  state_ = State::kUp;
  negotiation_.reset();
  client_negotiation_ = nullptr;
  open_timer_.cancel();
  arm_probe(options_.probe_interval);
  listener_->on_up(up);
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
  if (!sm_.is_enabled()) {
    ++counters_.unknown_elements;
  } else if (element.name == "r") {
    write(sm_.answer_request());
  } else if (element.name == "a") {
    if (auto acknowledged = sm_.acknowledged(element); !acknowledged) {
      sm_.reset();
      go_down({.kind = DownKind::kProtocol, .reason = acknowledged.error().what});
    }
  } else {
    ++counters_.unknown_elements;
  }
}

void NativeStream::Impl::send(const xml::Element& stanza) {
  if (state_ != State::kUp) {
    return;
  }
  std::string text = xml::to_string(stanza, kClientNamespace);
  if (text.size() > options_.max_stanza_bytes) {
    ++counters_.oversize_out;
    if (options_.warn) {
      options_.warn("not sent: a " + stanza.name + " of " + std::to_string(text.size()) +
                    " bytes to " + std::string(stanza.attribute_or_empty("to")) +
                    " is over the limit of " + std::to_string(options_.max_stanza_bytes));
    }
    return;
  }
  ++counters_.stanzas_out;
  connection_->write(text);
  if (auto kept = sm_.sent(std::move(text)); !kept) {
    sm_.reset();  // A stanza is missing in the outbox: this session must not be resumed.
    go_down_later({.kind = DownKind::kConnection, .reason = kept.error().what});
    return;
  }
  if (sm_.take_request_due()) {
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

void NativeStream::Impl::close() {
  if (state_ == State::kOpening) {
    state_ = State::kClosing;
    go_down_later({.kind = DownKind::kClosedByUs, .reason = "closed while opening"});
  } else if (state_ == State::kUp) {
    state_ = State::kClosing;
    sm_.reset();  // The server forgets the session as well.
    probe_timer_.cancel();
    connection_->write("</stream:stream>");
    connection_->close_gracefully();
  }
}

void NativeStream::Impl::adopt(const SmState& state) {
  BASCULE_CHECK(state_ == State::kIdle);
  sm_ = StreamManagement::restore(state, options_.stream_management_options);
  last_sequence_ = state.inbound_handled;
}

void NativeStream::Impl::on_closed(const Down& down) {
  const auto self = shared_from_this();
  go_down(down);
}

void NativeStream::Impl::go_down_later(Down down) {
  post([down = std::move(down)](Impl& impl) { impl.go_down(down); });
}

void NativeStream::Impl::go_down(Down down) {
  if (state_ == State::kIdle) {
    return;
  }
  state_ = State::kIdle;
  ++generation_;
  open_timer_.cancel();
  probe_timer_.cancel();
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

void NativeStream::Impl::arm_probe(Duration delay) {
  probe_timer_.expires_after(delay);
  probe_timer_.async_wait([self = shared_from_this(), generation = generation_](auto error) {
    if (!error && self->generation_ == generation && self->state_ == State::kUp) {
      self->probe();
    }
  });
}

void NativeStream::Impl::probe() {
  heard_since_probe_ = false;
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
  probe_timer_.expires_after(options_.probe_timeout);
  probe_timer_.async_wait([self = shared_from_this(), generation = generation_](auto error) {
    if (!error && self->generation_ == generation && self->state_ == State::kUp) {
      self->check_probe();
    }
  });
}

void NativeStream::Impl::check_probe() {
  // When our own process was held up, the answer may still lie in the kernel.
  if (!heard_since_probe_ && !connection_->has_unread_bytes()) {
    go_down({.kind = DownKind::kConnection, .reason = "the server does not answer"});
    return;
  }
  const Duration rest = options_.probe_interval - options_.probe_timeout;
  arm_probe(std::max(rest, options_.probe_timeout));
}

bool NativeStream::Impl::is_probe_answer(const xml::Element& stanza) const {
  if (stanza.name != "iq" || probe_id_.empty() || stanza.attribute_or_empty("id") != probe_id_) {
    return false;
  }
  const std::string_view from = stanza.attribute_or_empty("from");
  return from == options_.domain || (from.empty() && options_.mode == Mode::kClient);
}

NativeStream::NativeStream(net::io_context& io, NativeStreamOptions options,
                           TransportListener& listener)
    : impl_(std::make_shared<Impl>(io, std::move(options), listener)) {}

NativeStream::~NativeStream() { impl_->detach(); }

void NativeStream::open() { impl_->open(); }
void NativeStream::send(const xml::Element& stanza) { impl_->send(stanza); }
void NativeStream::handled(std::uint64_t sequence) { impl_->handled(sequence); }
void NativeStream::close() { impl_->close(); }
std::size_t NativeStream::queued_bytes() const { return impl_->queued_bytes(); }
const NativeStreamCounters& NativeStream::counters() const { return impl_->counters(); }
SmState NativeStream::session_state() const { return impl_->session_state(); }
void NativeStream::adopt(const SmState& state) { impl_->adopt(state); }

}  // namespace bascule::xmpp
