#include "tests/peers/common/xmpp_client.h"

#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

#include "tests/peers/common/encoding.h"
#include "tests/peers/common/stanza.h"
#include "xmpp/xml/writer.h"

namespace bascule::peers {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t kReadBytes = std::size_t{16} * 1024;
// A server that stops reading must not make a peer grow without limit.
constexpr std::size_t kQueueBytesMax = std::size_t{8} * 1024 * 1024;
constexpr Milliseconds kLoginDeadline{20'000};
constexpr std::string_view kBindId = "bind";

}  // namespace

XmppClient::XmppClient(asio::io_context& io, Account account, Listener& listener)
    : io_(io),
      socket_(io),
      account_(std::move(account)),
      listener_(&listener),
      login_timer_(io),
      buffer_(kReadBytes) {
}

std::shared_ptr<XmppClient> XmppClient::start(asio::io_context& io, Account account,
                                              Listener& listener) {
  std::shared_ptr<XmppClient> client(new XmppClient(io, std::move(account), listener));
  client->connect();
  return client;
}

void XmppClient::connect() {
  login_timer_.start(kLoginDeadline, [this] { lose("login took too long"); });
  socket_.async_connect(account_.server, [self = shared_from_this()](const error_code& error) {
    if (self->listener_ == nullptr) {
      return;
    }
    if (error) {
      self->lose("connect: " + error.message());
      return;
    }
    error_code ignored;  // Nagle only costs latency; a socket that cannot turn it off still works.
    self->socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    self->open_stream();
    self->read();
  });
}

void XmppClient::open_stream() {
  xml::Element header = element("stream:stream", {},
                                {{"xmlns", ns::kClient},
                                 {"xmlns:stream", ns::kStreams},
                                 {"to", account_.domain},
                                 {"version", "1.0"}});
  // The header is an element that stays open.
  std::string text = xml::to_string(header);
  text.replace(text.rfind("/>"), 2, ">");
  parser_ = xml::StreamParser();
  write(text);
}

void XmppClient::read() {
  if (reading_ || frozen_ || listener_ == nullptr) {
    return;
  }
  reading_ = true;
  socket_.async_read_some(asio::buffer(buffer_),
                          [self = shared_from_this()](const error_code& error, std::size_t length) {
                            self->reading_ = false;
                            if (self->listener_ == nullptr) {
                              return;
                            }
                            if (error) {
                              self->lose("read: " + error.message());
                              return;
                            }
                            self->consume(length);
                            self->read();
                          });
}

void XmppClient::consume(std::size_t length) {
  std::vector<xml::StreamEvent> events;
  const Result<> fed = parser_.feed(std::string_view(buffer_.data(), length), events);
  for (const xml::StreamEvent& event : events) {
    if (listener_ == nullptr) {
      return;
    }
    handle(event);
  }
  if (!fed && listener_ != nullptr) {
    lose("parse: " + fed.error().what);
  }
}

void XmppClient::handle(const xml::StreamEvent& event) {
  if (const auto* parsed = std::get_if<xml::StanzaParsed>(&event)) {
    if (bound_) {
      handle_stanza(parsed->stanza);
    } else {
      handle_negotiation(parsed->stanza);
    }
  } else if (const auto* rejected = std::get_if<xml::StanzaRejected>(&event)) {
    lose("stanza over a limit: " + rejected->reason);
  } else if (std::holds_alternative<xml::StreamClosed>(event)) {
    lose("stream closed by the server");
  }
}

void XmppClient::handle_negotiation(const xml::Element& stanza) {
  if (stanza.is("features", ns::kStreams)) {
    authenticated_ ? bind() : authenticate();
  } else if (stanza.is("success", ns::kSasl)) {
    authenticated_ = true;
    open_stream();
  } else if (stanza.is("iq", ns::kClient) && stanza.attribute_or_empty("id") == kBindId) {
    const xml::Element* result = stanza.child("bind", ns::kBind);
    const xml::Element* jid = result == nullptr ? nullptr : result->child("jid", ns::kBind);
    Result<Jid> own = jid == nullptr ? Jid::parse("") : Jid::parse(jid->text);
    if (!own) {
      lose("resource binding refused: " + error_condition(stanza));
      return;
    }
    own_ = *own;
    bound_ = true;
    login_timer_.stop();
    listener_->on_ready(own_);
  } else {
    lose("login: unexpected " + xml::to_string(stanza));
  }
}

void XmppClient::authenticate() {
  const bool anonymous = account_.user.empty();
  xml::Element auth =
      element("auth", ns::kSasl, {{"mechanism", anonymous ? "ANONYMOUS" : "PLAIN"}});
  if (!anonymous) {
    std::string message(1, '\0');
    message += account_.user;
    message += '\0';
    message += account_.password;
    auth.text = base64(message);
  }
  write(xml::to_string(auth, ns::kClient));
}

void XmppClient::bind() {
  xml::Element stanza = element("iq", ns::kClient, {{"type", "set"}, {"id", kBindId}});
  xml::Element& request_body = stanza.add(element("bind", ns::kBind));
  if (!account_.resource.empty()) {
    request_body.add(text_element("resource", ns::kBind, account_.resource));
  }
  write(xml::to_string(stanza, ns::kClient));
}

void XmppClient::handle_stanza(const xml::Element& stanza) {
  if (stanza.is("presence", ns::kClient)) {
    listener_->on_presence(stanza);
  } else if (stanza.is("message", ns::kClient)) {
    listener_->on_message(stanza);
  } else if (stanza.is("iq", ns::kClient)) {
    const std::string_view type = stanza.attribute_or_empty("type");
    if (type == "get" || type == "set") {
      listener_->on_iq_request(stanza);
    } else {
      handle_answer(stanza);
    }
  } else if (stanza.is("error", ns::kStreams)) {
    lose("stream error: " + (stanza.children.empty() ? "?" : stanza.children.front().name));
  }
}

void XmppClient::handle_answer(const xml::Element& stanza) {
  const auto found = pending_.find(stanza.attribute_or_empty("id"));
  if (found == pending_.end() || found->second.to != stanza.attribute_or_empty("from")) {
    const auto answered = answered_.find(stanza.attribute_or_empty("id"));
    if (answered != answered_.end() && answered->second == stanza.attribute_or_empty("from")) {
      listener_->on_repeated_answer(stanza);
    }
    return;  // Also: late (its deadline passed), or not from whom we asked.
  }
  const IqCallback callback = std::move(found->second.callback);
  answered_.emplace(found->first, std::move(found->second.to));
  pending_.erase(found);
  const bool is_error = stanza.attribute_or_empty("type") == "error";
  callback({is_error ? IqOutcome::Kind::kError : IqOutcome::Kind::kResult, &stanza});
}

void XmppClient::request(xml::Element stanza, Milliseconds deadline, IqCallback callback) {
  const std::string id = "p" + std::to_string(next_id_++);
  stanza.set("id", id);
  Pending& pending = pending_[id];
  pending.to = stanza.attribute_or_empty("to");
  pending.callback = std::move(callback);
  pending.timer = std::make_unique<Timer>(io_);
  pending.timer->start(deadline, [this, id] {
    const auto found = pending_.find(id);
    const std::shared_ptr<XmppClient> keep = shared_from_this();
    const IqCallback timed_out = std::move(found->second.callback);
    pending_.erase(found);
    timed_out({IqOutcome::Kind::kTimeout, nullptr});
  });
  send(stanza);
}

void XmppClient::send(const xml::Element& stanza) {
  write(xml::to_string(stanza, ns::kClient));
}

void XmppClient::write(std::string_view text) {
  if (listener_ == nullptr) {
    return;
  }
  if (queued_.size() + text.size() > kQueueBytesMax) {
    lose("the server does not read");
    return;
  }
  queued_ += text;
  flush();
}

void XmppClient::flush() {
  if (!writing_.empty() || queued_.empty() || frozen_) {
    return;
  }
  writing_.swap(queued_);
  asio::async_write(socket_, asio::buffer(writing_),
                    [self = shared_from_this()](const error_code& error, std::size_t) {
                      self->writing_.clear();
                      if (error && self->listener_ != nullptr) {
                        self->lose("write: " + error.message());
                      } else if (!error && !self->queued_.empty()) {
                        self->flush();
                      } else if (self->closing_) {
                        error_code ignored;  // Already closed by the server: nothing left to do.
                        self->socket_.close(ignored);
                      }
                    });
}

void XmppClient::close() {
  if (listener_ == nullptr) {
    return;
  }
  frozen_ = false;
  write("</stream:stream>");
  listener_ = nullptr;
  closing_ = true;
  pending_.clear();
  login_timer_.stop();
}

void XmppClient::abort() {
  shut(nullptr, {});
}

void XmppClient::freeze(bool frozen) {
  frozen_ = frozen;
  if (!frozen) {
    flush();
    read();
  }
}

void XmppClient::lose(const std::string& reason) {
  shut(listener_, reason);
}

void XmppClient::shut(Listener* last_listener, const std::string& reason) {
  if (listener_ == nullptr && !closing_) {
    return;
  }
  const std::shared_ptr<XmppClient> keep = shared_from_this();
  listener_ = nullptr;
  pending_.clear();
  queued_.clear();
  login_timer_.stop();
  error_code ignored;  // Closing a broken socket may fail; it is gone either way.
  socket_.close(ignored);
  if (last_listener != nullptr) {
    last_listener->on_closed(reason);
  }
}

}  // namespace bascule::peers
