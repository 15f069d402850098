// The only unit that instantiates Beast's parser: it is slow to compile.

#include "admin/http_session.h"

#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/status.hpp>

#include "admin/answer_headers.h"

namespace bascule::admin {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr std::size_t kReadBytes = std::size_t{8} * 1024;
// What a peer still sends after its last answer: thrown away, so that the answer is not lost with
// the connection (RFC 9112 9.6), but not for ever.
constexpr std::size_t kDrainBytes = std::size_t{1024} * 1024;
constexpr std::chrono::seconds kDrainTime{2};
// An answer has the idle time, and a second more for each of these.
constexpr std::size_t kSlowestBytesPerSecond = std::size_t{64} * 1024;
constexpr std::string_view kHeartbeat = ":\n\n";

std::string value_of(const http::fields& fields, http::field name) {
  const auto found = fields.find(name);
  return found == fields.end() ? std::string() : std::string(found->value());
}

std::string value_of(const http::fields& fields, const char* name) {
  const auto found = fields.find(name);
  return found == fields.end() ? std::string() : std::string(found->value());
}

struct Trouble {
  HttpRefusal refusal;
  HttpResponse response;
};

Trouble trouble_of(error_code error) {
  if (error == http::error::body_limit) {
    return {HttpRefusal::kBody, problem(413, "Content too large", "the body is over the limit")};
  }
  if (error == http::error::header_limit) {
    return {HttpRefusal::kHeader,
            problem(431, "Request header fields too large", "the header is over the limit")};
  }
  return {HttpRefusal::kMalformed, problem(400, "Bad request", error.message())};
}

HttpResponse come_back(std::string_view detail, const char* seconds) {
  HttpResponse response = problem(503, "Service unavailable", detail);
  response.headers.emplace_back("Retry-After", seconds);
  return response;
}

}  // namespace

HttpSession::HttpSession(std::shared_ptr<HttpCore> core, std::shared_ptr<std::size_t> open,
                         Peer peer, std::unique_ptr<Wire> wire)
    : core_(std::move(core)),
      open_(std::move(open)),
      peer_(std::move(peer)),
      wire_(std::move(wire)),
      deadline_(core_->io),
      answer_timer_(core_->io) {
  ++*open_;
  ++core_->counters.connections_open;
}

HttpSession::~HttpSession() {
  --*open_;
  --core_->counters.connections_open;
}

void HttpSession::start() {
  expire_after(core_->options.request_timeout);
  wire_->start([self = shared_from_this()](error_code error) {
    if (error) {
      self->core_->counters.refuse(HttpRefusal::kHandshake);
      self->close();
    } else if (self->state_ != State::kClosed) {
      self->await_request();
    }
  });
}

void HttpSession::close() {
  if (std::exchange(state_, State::kClosed) == State::kClosed) {
    return;
  }
  deadline_.cancel();
  answer_timer_.cancel();
  wire_->close();
  if (const auto stream = std::exchange(stream_, nullptr)) {
    --core_->counters.streams_open;
    stream->attach(nullptr);
    stream->close();
  }
}

void HttpSession::expire_after(Duration time) {
  deadline_.expires_after(time);
  deadline_.async_wait([self = shared_from_this()](error_code error) {
    // A wait that was over before the time was set anew is none of this time's.
    if (!error && self->deadline_.expiry() <= std::chrono::steady_clock::now()) {
      self->on_expired();
    }
  });
}

void HttpSession::expire_never() {
  deadline_.expires_at(std::chrono::steady_clock::time_point::max());
}

void HttpSession::on_expired() {
  if (state_ == State::kClosed) {
    return;
  }
  if (state_ == State::kReading && has_begun_) {
    core_->counters.refuse(HttpRefusal::kSlowRequest);
    is_unread_ = true;
    keep_alive_ = false;
    write(problem(408, "Request timeout", "the request did not arrive in time"));
    return;
  }
  if (is_writing_) {
    core_->counters.refuse(HttpRefusal::kSlowReader);
  }
  close();
}

// ---- reading -----------------------------------------------------------------------------------

void HttpSession::await_request() {
  state_ = State::kReading;
  has_begun_ = false;
  head_ = false;
  request_id_.clear();
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(core_->options.header_bytes_max));
  parser_->body_limit(core_->options.body_bytes_max);
  parser_->eager(true);
  expire_after(core_->options.idle_timeout);
  if (buffer_.size() > 0) {
    has_begun_ = true;
    expire_after(core_->options.request_timeout);
    parse();
  } else {
    read_more();
  }
}

void HttpSession::read_more() {
  if (std::exchange(is_reading_, true)) {
    return;
  }
  wire_->read_some(buffer_.prepare(kReadBytes),
                   [self = shared_from_this()](error_code error, std::size_t bytes) {
                     self->is_reading_ = false;
                     self->on_bytes(error, bytes);
                   });
}

void HttpSession::on_bytes(error_code error, std::size_t bytes) {
  if (state_ == State::kStreaming && !error) {
    read_more();  // Whatever it is: there are no more requests on this connection.
    return;
  }
  if (state_ == State::kEnding && !error && bytes < drain_left_) {
    drain_left_ -= bytes;
    read_more();
    return;
  }
  if (state_ == State::kAnswering) {
    return;  // The end of a read that its deadline cut short; what comes next looks again.
  }
  if (state_ != State::kReading || (error && (error != asio::error::eof || !has_begun_))) {
    close();
    return;
  }
  if (error) {
    refuse(http::error::partial_message);
    return;
  }
  buffer_.commit(bytes);
  if (!std::exchange(has_begun_, true)) {
    expire_after(core_->options.request_timeout);
  }
  parse();
}

void HttpSession::parse() {
  while (buffer_.size() > 0) {
    error_code error;
    const std::size_t used = parser_->put(buffer_.data(), error);
    buffer_.consume(used);
    if (error == http::error::need_more) {
      break;
    }
    if (!error && parser_->is_done()) {
      const auto& fields = parser_->get();
      if (fields.count(http::field::host) < 2 && fields.count(http::field::authorization) < 2) {
        dispatch();
        return;
      }
      error = http::error::bad_field;  // A proxy before us may have read the other one.
    }
    if (error) {
      refuse(error);
      return;
    }
  }
  read_more();
}

void HttpSession::refuse(error_code error) {
  Trouble trouble = trouble_of(error);
  core_->counters.refuse(trouble.refusal);
  is_unread_ = true;
  keep_alive_ = false;
  write(std::move(trouble.response));
}

HttpRequest HttpSession::take_request() {
  auto message = parser_->release();
  keep_alive_ = message.keep_alive();
  head_ = message.method() == http::verb::head;
  HttpRequest request;
  request.method = std::string(message.method_string());
  const std::string_view target(message.target().data(), message.target().size());
  const auto question = target.find('?');
  request.path = std::string(target.substr(0, question));
  if (question != std::string_view::npos) {
    request.query = std::string(target.substr(question + 1));
  }
  request.request_id = value_of(message, "X-Request-Id");
  if (!is_request_id(request.request_id)) {
    request.request_id = core_->next_id();
  }
  request_id_ = request.request_id;
  request.authorization = value_of(message, http::field::authorization);
  request.host = value_of(message, http::field::host);
  request.origin = value_of(message, http::field::origin);
  request.fetch_site = value_of(message, "Sec-Fetch-Site");
  request.accept = value_of(message, http::field::accept);
  request.content_type = value_of(message, http::field::content_type);
  request.if_match = value_of(message, http::field::if_match);
  request.if_none_match = value_of(message, http::field::if_none_match);
  request.last_event_id = value_of(message, "Last-Event-ID");
  request.body = std::move(message.body());
  return request;
}

// ---- answering ---------------------------------------------------------------------------------

void HttpSession::dispatch() {
  state_ = State::kAnswering;
  ++core_->counters.requests;
  const std::uint64_t turn = ++turn_;
  expire_never();
  answer_timer_.expires_after(core_->options.answer_timeout);
  answer_timer_.async_wait([self = shared_from_this(), turn](error_code error) {
    if (!error && turn == self->turn_ && self->answered_ != turn) {
      self->core_->counters.refuse(HttpRefusal::kLate);
      self->answer(turn, problem(504, "Timed out", "no answer was ready in time"));
    }
  });
  const Gate gate = [self = shared_from_this()](HttpRequest& request, Role role) {
    return self->core_->access->admit(self->peer_, request, role);
  };
  const Respond respond = [self = shared_from_this(), turn](HttpResponse response) {
    self->answer(turn, std::move(response));
  };
  try {
    core_->router.handle(take_request(), respond, gate);
  } catch (const std::exception& error) {
    // A bug of a handler, and whoever asked can do nothing about it; but people in conferences must
    // not pay for a question of an operator.
    respond(problem(500, "Internal error", std::string("please report this: ") + error.what()));
  }
}

/// The first answer of a turn counts; a later one (timer or handler) finds the turn over.
void HttpSession::answer(std::uint64_t turn, HttpResponse response) {
  if (turn != turn_ || answered_ == turn) {
    if (response.stream) {
      response.stream->close();
    }
    return;
  }
  answered_ = turn;
  answer_timer_.cancel();
  // Posted: a handler that answers at once must not grow the stack from request to request.
  asio::post(core_->io, [self = shared_from_this(), later = std::move(response)]() mutable {
    self->write(std::move(later));
  });
}

bool HttpSession::has_room_for(const HttpResponse& response) const {
  const std::size_t held = core_->counters.answer_bytes;
  return held == 0 || held + response.body.size() <= core_->options.answer_bytes_max;
}

void HttpSession::write(HttpResponse response) {
  if (state_ == State::kClosed) {
    if (response.stream) {
      response.stream->close();
    }
    return;
  }
  state_ = State::kAnswering;
  if (request_id_.empty()) {
    request_id_ = core_->next_id();  // What came was no request.
  }
  if (response.stream && head_) {
    std::exchange(response.stream, nullptr)->close();
    keep_alive_ = false;
  }
  if (response.stream) {
    begin_stream(std::move(response));
    return;
  }
  if (!has_room_for(response)) {
    core_->counters.refuse(HttpRefusal::kMemory);
    response = come_back("others have not read their answers yet", "5");
  }
  ++core_->counters.answers_by_class.at(std::min(response.status / 100, 5U));
  add_standard_headers(response, request_id_);
  header_ = header_of(response);
  body_ = head_ ? std::string() : std::move(response.body);
  core_->counters.answer_bytes += body_.size();
  is_writing_ = true;
  expire_after(core_->options.idle_timeout +
               std::chrono::seconds{body_.size() / kSlowestBytesPerSecond});
  wire_->write({asio::buffer(header_), asio::buffer(body_)},
               [self = shared_from_this()](error_code error, std::size_t /*bytes*/) {
                 self->on_written(error);
               });
}

std::string HttpSession::header_of(const HttpResponse& response) const {
  const auto reason = http::obsolete_reason(static_cast<http::status>(response.status));
  std::string text = "HTTP/1.1 " + std::to_string(response.status) + " ";
  text.append(reason.data(), reason.size()).append("\r\nServer: bascule\r\n");
  const auto add = [&text](std::string_view name, std::string_view value) {
    if (is_header_value(value)) {
      text.append(name).append(": ").append(value).append("\r\n");
    }
  };
  const bool is_bare = response.status == 204 || response.status == 304;
  if (!is_bare) {
    add("Content-Type", response.content_type);
  }
  for (const auto& [name, value] : response.headers) {
    add(name, value);
  }
  if (!keep_alive_) {
    add("Connection", "close");
  }
  if (!is_bare && !response.stream) {
    add("Content-Length", std::to_string(response.body.size()));
  }
  return text + "\r\n";
}

void HttpSession::on_written(error_code error) {
  is_writing_ = false;
  core_->counters.answer_bytes -= body_.size();
  body_ = {};
  if (error || state_ == State::kClosed) {
    close();
  } else if (keep_alive_) {
    await_request();
  } else {
    end();
  }
}

/// Ends the connection behind the last answer.
void HttpSession::end() {
  state_ = State::kEnding;
  drain_left_ = kDrainBytes;
  expire_after(kDrainTime);
  wire_->end_writing();
  if (is_unread_ || is_reading_) {
    read_more();
  } else {
    wire_->finish([self = shared_from_this()](error_code /*error*/) { self->close(); });
  }
}

// ---- answers that go on ------------------------------------------------------------------------

void HttpSession::begin_stream(HttpResponse response) {
  if (core_->counters.streams_open >= core_->options.streams_max) {
    core_->counters.refuse(HttpRefusal::kStreams);
    response.stream->close();
    write(come_back("too many listen already; the others have to end first", "30"));
    return;
  }
  state_ = State::kStreaming;
  keep_alive_ = false;
  ++core_->counters.streams_open;
  ++core_->counters.answers_by_class.at(std::min(response.status / 100, 5U));
  add_standard_headers(response, request_id_);
  response.headers.emplace_back("X-Accel-Buffering", "no");  // A proxy must not keep events back.
  header_ = header_of(response);
  stream_ = std::move(response.stream);
  stream_->attach([weak = weak_from_this()] {
    if (const auto self = weak.lock()) {
      self->pump();
    }
  });
  read_more();
  pump();
  beat();
}

/// Writes what is there, a piece at a time. What the peer does not take in the idle time, or more
/// than the queue of the stream holds, ends the connection.
void HttpSession::pump() {
  if (state_ != State::kStreaming || is_writing_) {
    if (state_ == State::kStreaming && stream_->has_overflowed()) {
      core_->counters.refuse(HttpRefusal::kSlowReader);
      close();
    }
    return;
  }
  if (!stream_->is_open()) {
    const auto stream = std::exchange(stream_, nullptr);
    --core_->counters.streams_open;
    answer_timer_.cancel();
    end();
    return;
  }
  body_ = header_ + stream_->take();
  header_.clear();
  if (body_.empty()) {
    expire_never();
    return;
  }
  is_writing_ = true;
  expire_after(core_->options.idle_timeout);
  wire_->write({asio::buffer(body_), asio::const_buffer()},
               [self = shared_from_this()](error_code error, std::size_t /*bytes*/) {
                 self->is_writing_ = false;
                 if (error) {
                   self->close();
                 } else {
                   self->pump();
                 }
               });
}

/// A comment now and then tells proxies, and us, that the other one is still there.
void HttpSession::beat() {
  answer_timer_.expires_after(core_->options.heartbeat);
  answer_timer_.async_wait([self = shared_from_this()](error_code error) {
    if (!error && self->state_ == State::kStreaming) {
      const auto stream = self->stream_;  // It may be given up for this.
      stream->send(kHeartbeat);
      if (stream->is_open()) {
        self->beat();
      }
    }
  });
}

}  // namespace bascule::admin
