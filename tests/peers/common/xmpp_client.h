#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "base/jid.h"
#include "tests/peers/common/timer.h"
#include "xmpp/xml/element.h"
#include "xmpp/xml/parser.h"

namespace bascule::peers {

/// Where and as whom to log in. Without a user: SASL ANONYMOUS; otherwise SASL PLAIN.
struct Account {
  boost::asio::ip::tcp::endpoint server;
  std::string domain;
  std::string user;
  std::string password;
  std::string resource;  ///< Empty: the server chooses.
};

/// How a request ended.
struct IqOutcome {
  enum class Kind : std::uint8_t { kResult, kError, kTimeout };
  Kind kind;
  const xml::Element* stanza;  ///< Null on timeout.
};
using IqCallback = std::function<void(const IqOutcome&)>;

/// One XMPP client connection over plain TCP (RFC 6120), for test peers on loopback: no TLS, no
/// XEP-0198. All connections of a process share one io_context and one thread.
class XmppClient : public std::enable_shared_from_this<XmppClient> {
 public:
  /// Called from the io_context; every call may close or drop the client.
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void on_ready(const Jid& own) = 0;
    virtual void on_presence(const xml::Element& stanza) = 0;
    /// A get or set; exactly one answer must be sent.
    virtual void on_iq_request(const xml::Element& stanza) = 0;
    virtual void on_message(const xml::Element& stanza) = 0;
    /// A request was answered before, by the same address.
    virtual void on_repeated_answer(const xml::Element& /*stanza*/) {}
    /// The connection is gone; the last call. Open requests are dropped without their callback.
    virtual void on_closed(const std::string& reason) = 0;
  };

  /// Connects and logs in. `listener` must outlive the client or call `close` or `abort`.
  static std::shared_ptr<XmppClient> start(boost::asio::io_context& io, Account account,
                                           Listener& listener);

  /// Sends a stanza. Ignored when the connection is gone.
  void send(const xml::Element& stanza);
  /// Sends an IQ with a fresh id. The answer must come from the address the request went to
  /// (RFC 6120 8.1.2.1); one from somebody else is not taken for it.
  void request(xml::Element stanza, Milliseconds deadline, IqCallback callback);

  /// Ends the stream in order; no call to the listener after this.
  void close();
  /// Cuts the TCP connection without a word; no call to the listener after this.
  void abort();
  /// A frozen client neither reads nor writes, like a process that hangs.
  void freeze(bool frozen);

  [[nodiscard]] const Jid& own() const { return own_; }
  [[nodiscard]] std::size_t open_requests() const { return pending_.size(); }

 private:
  struct Pending {
    std::string to;
    IqCallback callback;
    std::unique_ptr<Timer> timer;
  };

  XmppClient(boost::asio::io_context& io, Account account, Listener& listener);
  void connect();
  void open_stream();
  void read();
  void consume(std::size_t length);
  void handle(const xml::StreamEvent& event);
  void handle_negotiation(const xml::Element& stanza);
  void authenticate();
  void bind();
  void handle_stanza(const xml::Element& stanza);
  void handle_answer(const xml::Element& stanza);
  void write(std::string_view text);
  void flush();
  void lose(const std::string& reason);
  void shut(Listener* last_listener, const std::string& reason);

  boost::asio::io_context& io_;
  boost::asio::ip::tcp::socket socket_;
  Account account_;
  Listener* listener_;
  Timer login_timer_;
  xml::StreamParser parser_;
  std::vector<char> buffer_;
  std::string queued_;
  std::string writing_;
  std::map<std::string, Pending, std::less<>> pending_;
  std::map<std::string, std::string, std::less<>> answered_;  ///< By id: who answered.
  std::uint64_t next_id_ = 1;
  Jid own_;
  bool authenticated_ = false;
  bool bound_ = false;
  bool frozen_ = false;
  bool reading_ = false;
  bool closing_ = false;
};

}  // namespace bascule::peers
