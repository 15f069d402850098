// The only translation unit that instantiates Asio's TCP and TLS streams for XMPP.

#include "xmpp/stream/connection.h"

#include <array>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "xmpp/stream/send_window.h"
#include "xmpp/stream/tls.h"

namespace bascule::xmpp {
namespace {

namespace net = boost::asio;
using boost::system::error_code;
using net::ip::tcp;

constexpr std::size_t kReadBytes = 64UL * 1024;
/// Not only a dead peer lets data lie: also one that is alive and too busy to read (tcp(7)). A
/// server in a storm is exactly that for half a minute, so this is far above what a probe needs.
constexpr int kTcpUserTimeoutMs = 60'000;
/// One TLS record. Whole writes of the caller leave this machine together or not at all, also when
/// this process is killed (`leaves_at_once`). A stanza that is cut in the middle would spoil the
/// session for the next process: Prosody 0.12 goes on parsing where the old connection broke off.
constexpr std::size_t kWriteBytes = 16'000;
constexpr std::size_t kTlsOverhead = 64;
constexpr std::chrono::milliseconds kWindowPoll{1};
constexpr Duration kCloseTimeout = std::chrono::seconds{1};

void set_option(int fd, int level, int option, int value) {
  // A kernel that lacks one of these options costs speed of detection, not correctness.
  ::setsockopt(fd, level, option, &value, sizeof value);
}

void tune(tcp::socket& socket) {
  const int fd = socket.native_handle();
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 10);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 3);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
  set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, kTcpUserTimeoutMs);
}

class AsioConnection final : public Connection,
                             public std::enable_shared_from_this<AsioConnection> {
 public:
  AsioConnection(net::io_context& io, Target target, ConnectionHandler& handler)
      : io_(io),
        target_(std::move(target)),
        handler_(&handler),
        resolver_(io),
        socket_(io),
        timer_(io),
        window_timer_(io),
        buffer_(kReadBytes) {}

  void start();
  void start_tls(const TlsOptions& options, const std::string& name) override;
  void read_more() override;
  void write(std::string_view bytes) override;
  void close_gracefully() override;
  void abort() override;
  [[nodiscard]] std::size_t queued_bytes() const override {
    return pending_.size() - taken_ + in_flight_.size();
  }
  [[nodiscard]] int descriptor() const override {
    // Asio's accessor changes nothing and is not const.
    return const_cast<tcp::socket&>(socket_).native_handle();  // NOLINT
  }
  [[nodiscard]] bool has_unread_bytes() const override {
    error_code error;
    return socket_.available(error) > 0;
  }

 private:
  void on_resolved(error_code error, const tcp::resolver::results_type& results);
  void try_next_address();
  void on_connect(error_code error, std::size_t attempt);
  void on_handshake(error_code error);
  void on_read(error_code error, std::size_t bytes);
  void schedule_flush();
  void flush();
  void take_batch();
  void write_when_it_fits();
  void write_batch();
  void on_written(error_code error);
  void finish_close();
  void end(DownKind kind, std::string reason);
  [[nodiscard]] std::string place() const {
    return target_.host + " port " + std::to_string(target_.port);
  }

  net::io_context& io_;
  Target target_;
  ConnectionHandler* handler_;  // Null once nothing may be reported any more.
  tcp::resolver resolver_;
  std::vector<tcp::endpoint> addresses_;
  std::size_t next_address_ = 0;
  std::size_t attempt_ = 0;  // Tells a late timer or connect apart from the current one.
  error_code last_error_;
  tcp::socket socket_;
  net::steady_timer timer_;
  net::steady_timer window_timer_;
  std::unique_ptr<TlsSession> tls_session_;
  std::optional<net::ssl::stream<tcp::socket&>> tls_;
  std::vector<char> buffer_;
  std::string pending_;
  std::deque<std::size_t> sizes_;  // Of the writes in `pending_` behind `taken_`.
  std::size_t taken_ = 0;          // Of `pending_`: is in flight or written.
  std::string in_flight_;
  bool reading_ = false;
  bool flush_scheduled_ = false;
  bool closing_ = false;
  bool overflowed_ = false;
};

void AsioConnection::start() {
  error_code error;
  const auto numeric = net::ip::make_address(target_.host, error);
  if (!error) {
    addresses_.emplace_back(numeric, target_.port);
    net::post(io_, [self = shared_from_this()] { self->try_next_address(); });
    return;
  }
  resolver_.async_resolve(
      target_.host, std::to_string(target_.port),
      [self = shared_from_this()](error_code failure, const tcp::resolver::results_type& results) {
        self->on_resolved(failure, results);
      });
}

void AsioConnection::on_resolved(error_code error, const tcp::resolver::results_type& results) {
  if (handler_ == nullptr) {
    return;
  }
  if (error) {
    end(DownKind::kConnection, "cannot resolve " + target_.host + ": " + error.message());
    return;
  }
  for (const auto& entry : results) {
    addresses_.push_back(entry.endpoint());
  }
  try_next_address();
}

void AsioConnection::try_next_address() {
  if (handler_ == nullptr) {
    return;
  }
  if (next_address_ == addresses_.size()) {
    end(DownKind::kConnection, "cannot connect to " + place() + ": " + last_error_.message() +
                                   " (addresses tried: " + std::to_string(addresses_.size()) + ")");
    return;
  }
  const tcp::endpoint address = addresses_[next_address_++];
  const std::size_t attempt = ++attempt_;
  error_code ignored;
  socket_.close(ignored);
  timer_.expires_after(target_.timeout_per_address);
  timer_.async_wait([self = shared_from_this(), attempt](error_code error) {
    if (!error) {
      self->on_connect(net::error::timed_out, attempt);
    }
  });
  socket_.async_connect(address, [self = shared_from_this(), attempt](error_code error) {
    self->on_connect(error, attempt);
  });
}

void AsioConnection::on_connect(error_code error, std::size_t attempt) {
  if (handler_ == nullptr || attempt != attempt_) {
    return;
  }
  ++attempt_;
  timer_.cancel();
  if (error) {
    last_error_ = error;
    try_next_address();
    return;
  }
  tune(socket_);
  handler_->on_connected();
}

void AsioConnection::start_tls(const TlsOptions& options, const std::string& name) {
  auto session = TlsSession::create(options, name);
  if (!session) {
    net::post(io_, [self = shared_from_this(), reason = session.error().what] {
      self->end(DownKind::kCertificate, reason);
    });
    return;
  }
  tls_session_ = std::move(*session);
  tls_.emplace(socket_, tls_session_->context());
  if (!tls_session_->prepare(tls_->native_handle())) {
    net::post(io_, [self = shared_from_this()] {
      self->end(DownKind::kCertificate, "cannot check the certificate for the configured name");
    });
    return;
  }
  tls_->async_handshake(
      net::ssl::stream_base::client,
      [self = shared_from_this()](error_code error) { self->on_handshake(error); });
}

void AsioConnection::on_handshake(error_code error) {
  if (handler_ == nullptr) {
    return;
  }
  if (!error) {
    handler_->on_secured();
  } else if (!tls_session_->refusal().empty()) {
    end(DownKind::kCertificate, tls_session_->refusal());
  } else {
    end(DownKind::kConnection, "TLS handshake with " + place() + " failed: " + error.message());
  }
}

void AsioConnection::read_more() {
  if (reading_) {
    return;
  }
  reading_ = true;
  auto done = [self = shared_from_this()](error_code error, std::size_t bytes) {
    self->on_read(error, bytes);
  };
  if (tls_) {
    tls_->async_read_some(net::buffer(buffer_), std::move(done));
  } else {
    socket_.async_read_some(net::buffer(buffer_), std::move(done));
  }
}

void AsioConnection::on_read(error_code error, std::size_t bytes) {
  reading_ = false;
  if (handler_ == nullptr) {
    return;
  }
  if (closing_) {  // What still comes is not of interest; the peer's end is.
    if (error) {
      end(DownKind::kClosedByUs, "closed");
    } else {
      read_more();
    }
    return;
  }
  if (!error) {
    handler_->on_bytes({buffer_.data(), bytes});
  } else if (error == net::error::eof || error == net::ssl::error::stream_truncated) {
    end(DownKind::kConnection, "the server closed the connection");
  } else {
    end(DownKind::kConnection, "connection to " + place() + " lost: " + error.message());
  }
}

void AsioConnection::write(std::string_view bytes) {
  if (handler_ == nullptr || closing_ || overflowed_) {
    return;
  }
  if (queued_bytes() + bytes.size() > target_.max_queued_bytes) {
    overflowed_ = true;  // A stream with a gap is worse than none: nothing more is accepted.
    net::post(io_, [self = shared_from_this()] {
      self->end(DownKind::kConnection,
                "outgoing queue over its limit: the server reads too slowly");
    });
    return;
  }
  pending_ += bytes;
  sizes_.push_back(bytes.size());
  schedule_flush();
}

void AsioConnection::schedule_flush() {
  if (flush_scheduled_ || !in_flight_.empty() || sizes_.empty()) {
    return;
  }
  flush_scheduled_ = true;
  net::post(io_, [self = shared_from_this()] {
    self->flush_scheduled_ = false;
    self->flush();
  });
}

void AsioConnection::flush() {
  if (handler_ == nullptr || !in_flight_.empty() || sizes_.empty()) {
    return;
  }
  take_batch();
  write_when_it_fits();
}

void AsioConnection::write_when_it_fits() {
  if (handler_ == nullptr) {
    return;
  }
  if (leaves_at_once(socket_.native_handle(), in_flight_.size() + kTlsOverhead)) {
    write_batch();
    return;
  }
  window_timer_.expires_after(kWindowPoll);
  window_timer_.async_wait([self = shared_from_this()](error_code) { self->write_when_it_fits(); });
}

/// Whole writes, as many as fit, at least one.
void AsioConnection::take_batch() {
  std::size_t size = 0;
  do {
    size += sizes_.front();
    sizes_.pop_front();
  } while (!sizes_.empty() && size + sizes_.front() <= kWriteBytes);
  in_flight_.assign(pending_, taken_, size);
  taken_ += size;
  if (taken_ > pending_.size() / 2) {  // Each byte is moved once at most.
    pending_.erase(0, taken_);
    taken_ = 0;
  }
}

void AsioConnection::write_batch() {
  auto done = [self = shared_from_this()](error_code error, std::size_t) {
    self->on_written(error);
  };
  if (tls_) {
    net::async_write(*tls_, net::buffer(in_flight_), std::move(done));
  } else {
    net::async_write(socket_, net::buffer(in_flight_), std::move(done));
  }
}

void AsioConnection::on_written(error_code error) {
  in_flight_.clear();
  if (handler_ == nullptr) {
    return;
  }
  if (error) {
    end(closing_ ? DownKind::kClosedByUs : DownKind::kConnection,
        "connection to " + place() + " lost: " + error.message());
    return;
  }
  if (!sizes_.empty()) {
    flush();
  } else if (closing_) {
    finish_close();
  }
}

void AsioConnection::close_gracefully() {
  if (handler_ == nullptr || closing_) {
    return;
  }
  closing_ = true;
  timer_.expires_after(kCloseTimeout);
  timer_.async_wait([self = shared_from_this()](error_code error) {
    if (!error) {
      self->end(DownKind::kClosedByUs, "closed");
    }
  });
  if (queued_bytes() == 0) {
    finish_close();
  } else {
    schedule_flush();
  }
}

/// Half-closes and reads to the end. Closing at once with unread data would make the kernel send a
/// reset, which can destroy what we wrote last before the peer reads it.
void AsioConnection::finish_close() {
  error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
  read_more();
}

void AsioConnection::abort() {
  handler_ = nullptr;
  resolver_.cancel();
  timer_.cancel();
  error_code ignored;
  socket_.close(ignored);
}

void AsioConnection::end(DownKind kind, std::string reason) {
  ConnectionHandler* const handler = handler_;
  if (handler == nullptr) {
    return;
  }
  abort();
  handler->on_closed({.kind = kind, .reason = std::move(reason)});
}

}  // namespace

std::shared_ptr<Connection> Connection::create(net::io_context& io, Target target,
                                               ConnectionHandler& handler) {
  auto connection = std::make_shared<AsioConnection>(io, std::move(target), handler);
  connection->start();
  return connection;
}

}  // namespace bascule::xmpp
