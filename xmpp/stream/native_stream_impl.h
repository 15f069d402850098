#pragma once

// The inside of NativeStream, in two halves: native_stream.cc brings the link up and down,
// native_stream_live.cc is the link while it is up.

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "xmpp/negotiation.h"
#include "xmpp/stream/connection.h"
#include "xmpp/stream/native_stream.h"
#include "xmpp/xml/parser.h"

namespace bascule::xmpp {

class NativeStream::Impl final : public ConnectionHandler,
                                 public std::enable_shared_from_this<Impl> {
 public:
  Impl(boost::asio::io_context& io, NativeStreamOptions options, TransportListener& listener)
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
  [[nodiscard]] std::optional<int> socket() const {
    return state_ == State::kUp ? std::optional(connection_->descriptor()) : std::nullopt;
  }
  [[nodiscard]] const NativeStreamCounters& counters() const { return counters_; }
  void send_text(std::string text);
  [[nodiscard]] bool takes(std::string_view text);
  [[nodiscard]] Transport::Outbound outbound() const {
    return {.sent = sm_.outbound_acked() + sm_.outbox_size(), .confirmed = sm_.outbound_acked()};
  }
  [[nodiscard]] SmState session_state() const { return sm_.state(); }

  void on_connected() override;
  void on_secured() override;
  void on_bytes(std::string_view bytes) override;
  void on_closed(const Down& down) override;

 private:
  using Mode = NativeStreamOptions::Mode;
  enum class State { kIdle, kOpening, kUp, kClosing };

  /// Null when the configured component domain is no address.
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

  void write(const xml::Element& element);
  void arm_probe(Duration delay);
  void probe();
  void await_probe(Duration limit);
  void check_probe();
  void go_down_later(Down down);
  void go_down(Down down);
  /// Runs `task` in the loop unless the connection it belongs to is gone by then.
  template <class Task>
  void post(Task task) {
    boost::asio::post(
        io_, [self = shared_from_this(), generation = generation_, task = std::move(task)] {
          if (self->generation_ == generation) {
            task(*self);
          }
        });
  }

  boost::asio::io_context& io_;
  NativeStreamOptions options_;
  TransportListener* listener_;  // Null after detach().
  NativeStreamCounters counters_;
  State state_ = State::kIdle;
  std::uint64_t generation_ = 0;  // One per open(); what was started before is void.
  std::shared_ptr<Connection> connection_;
  std::unique_ptr<Negotiation> negotiation_;         // Null while up.
  ClientNegotiation* client_negotiation_ = nullptr;  // The same object, in client mode.
  std::unique_ptr<xml::StreamParser> parser_;
  std::deque<xml::StreamEvent> events_;
  std::string parse_error_;
  StreamManagement sm_;
  std::string earlier_resource_;          // Of the session before; empty: it cannot be there.
  std::uint64_t unmanaged_sequence_ = 0;  // Stanzas of a session without XEP-0198.
  std::uint64_t last_sequence_ = 0;       // The highest number given to the listener.
  boost::asio::steady_timer open_timer_;
  boost::asio::steady_timer probe_timer_;
  std::uint64_t probe_number_ = 0;
  std::string probe_id_;
  bool probe_outstanding_ = false;
  bool resume_unproven_ = false;  // Since the resume the server has confirmed nothing.
  bool proof_extended_ = false;
};

}  // namespace bascule::xmpp
