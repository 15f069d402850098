// The only unit that instantiates Beast: it is slow to compile, so everybody else sees http.h.

#include "admin/http_server.h"

#include <list>
#include <optional>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

namespace bascule::admin {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::milliseconds kAcceptPause{100};

HttpRequest to_request(const http::request<http::string_body>& message) {
  HttpRequest request;
  request.method = std::string(message.method_string());
  std::string_view target(message.target().data(), message.target().size());
  const auto question = target.find('?');
  request.path = std::string(target.substr(0, question));
  if (question != std::string_view::npos) {
    request.query = std::string(target.substr(question + 1));
  }
  const auto authorization = message.find(http::field::authorization);
  if (authorization != message.end()) {
    request.authorization = std::string(authorization->value());
  }
  request.body = message.body();
  return request;
}

}  // namespace

class HttpServer::Impl : public std::enable_shared_from_this<HttpServer::Impl> {
 public:
  class Session;

  Impl(asio::io_context& context, HttpServerOptions server_options, Router server_router)
      : io(context),
        options(std::move(server_options)),
        router(std::move(server_router)),
        acceptor(context),
        accept_timer(context) {}

  Result<> bind();
  void accept();
  void accept_later();
  void stop();

  asio::io_context& io;
  HttpServerOptions options;
  Router router;
  HttpCounters counters;
  tcp::acceptor acceptor;
  asio::steady_timer accept_timer;
  std::list<std::weak_ptr<Session>> sessions;
};

/// One connection: read, hand to the router, write, again. Holds itself alive through its pending
/// operation or through the Respond given to a handler.
class HttpServer::Impl::Session : public std::enable_shared_from_this<Session> {
 public:
  Session(std::shared_ptr<Impl> server, tcp::socket socket)
      : server_(std::move(server)), stream_(std::move(socket)), answer_timer_(server_->io) {
    ++server_->counters.connections_open;
  }
  ~Session() { --server_->counters.connections_open; }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void read() {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(server_->options.header_bytes_max));
    parser_->body_limit(server_->options.body_bytes_max);
    stream_.expires_after(server_->options.idle_timeout);
    http::async_read(stream_, buffer_, *parser_,
                     [self = this->shared_from_this()](error_code error, std::size_t /*bytes*/) {
                       self->on_read(error);
                     });
  }

  void close() {
    error_code ignored;  // Closing twice or after a reset is fine.
    stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
    stream_.close();
  }

 private:
  void on_read(error_code error) {
    if (error == http::error::end_of_stream || error == beast::error::timeout ||
        error == asio::error::operation_aborted || error == asio::error::connection_reset) {
      close();
      return;
    }
    if (error) {
      ++server_->counters.requests_bad;
      keep_alive_ = false;
      head_ = false;
      if (error == http::error::body_limit) {
        write(problem(413, "Content too large", "the body is over the limit"));
      } else if (error == http::error::header_limit) {
        write(problem(431, "Request header fields too large", "the header is over the limit"));
      } else {
        write(problem(400, "Bad request", error.message()));
      }
      return;
    }
    ++server_->counters.requests;
    const auto message = parser_->release();
    keep_alive_ = message.keep_alive();
    head_ = message.method() == http::verb::head;
    dispatch(to_request(message));
  }

  void dispatch(const HttpRequest& request) {
    const std::uint64_t turn = ++turn_;
    stream_.expires_never();
    answer_timer_.expires_after(server_->options.answer_timeout);
    answer_timer_.async_wait([self = this->shared_from_this(), turn](error_code error) {
      if (!error) {
        self->answer(turn, problem(504, "Timed out", "no answer was ready in time"));
      }
    });
    server_->router.handle(request, [self = this->shared_from_this(), turn](HttpResponse response) {
      self->answer(turn, std::move(response));
    });
  }

  /// The first answer of a turn counts; a later one (timer or handler) finds the turn over.
  void answer(std::uint64_t turn, HttpResponse response) {
    if (turn != turn_ || answered_ == turn) {
      return;
    }
    answered_ = turn;
    answer_timer_.cancel();
    // Posted: a handler that answers at once must not grow the stack from request to request.
    asio::post(server_->io,
               [self = this->shared_from_this(), later = std::move(response)]() mutable {
                 self->write(std::move(later));
               });
  }

  void write(HttpResponse response) {
    message_.emplace();
    message_->version(11);
    message_->result(response.status);
    message_->set(http::field::server, "bascule");
    message_->set(http::field::content_type, response.content_type);
    message_->set(http::field::cache_control, "no-store");
    for (const auto& [name, value] : response.headers) {
      message_->set(name, value);
    }
    message_->keep_alive(keep_alive_);
    message_->content_length(response.body.size());
    if (!head_) {
      message_->body() = std::move(response.body);
    }
    serializer_.emplace(*message_);
    stream_.expires_after(server_->options.idle_timeout);
    const auto done = [self = this->shared_from_this()](error_code error, std::size_t /*bytes*/) {
      self->on_written(error);
    };
    if (head_) {
      http::async_write_header(stream_, *serializer_, done);
    } else {
      http::async_write(stream_, *serializer_, done);
    }
  }

  void on_written(error_code error) {
    if (error || !keep_alive_) {
      close();
      return;
    }
    read();
  }

  std::shared_ptr<Impl> server_;
  beast::tcp_stream stream_;
  asio::steady_timer answer_timer_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::string_body>> message_;
  std::optional<http::response_serializer<http::string_body>> serializer_;
  bool keep_alive_ = false;
  bool head_ = false;
  std::uint64_t turn_ = 0;
  std::uint64_t answered_ = 0;
};

Result<> HttpServer::Impl::bind() {
  error_code error;
  const auto address = asio::ip::make_address(options.address, error);
  if (error) {
    return fail(Errc::kInvalidArgument, "not an IP address: " + options.address);
  }
  const tcp::endpoint endpoint(address, options.port);
  acceptor.open(endpoint.protocol(), error);
  if (!error) {
    acceptor.set_option(asio::socket_base::reuse_address(true), error);
  }
  if (!error) {
    acceptor.bind(endpoint, error);
  }
  if (!error) {
    acceptor.listen(asio::socket_base::max_listen_connections, error);
  }
  if (error) {
    return fail(Errc::kUnavailable, "cannot listen on " + options.address + ":" +
                                        std::to_string(options.port) + ": " + error.message());
  }
  return {};
}

void HttpServer::Impl::accept() {
  acceptor.async_accept([self = shared_from_this()](error_code error, tcp::socket socket) {
    if (error == asio::error::operation_aborted) {
      return;
    }
    if (error) {
      self->accept_later();
      return;
    }
    if (self->counters.connections_open >= self->options.connections_max) {
      ++self->counters.connections_refused;
      error_code ignored;
      socket.close(ignored);
    } else {
      ++self->counters.connections;
      const auto session = std::make_shared<Session>(self, std::move(socket));
      self->sessions.remove_if([](const auto& held) { return held.expired(); });
      self->sessions.push_back(session);
      session->read();
    }
    self->accept();
  });
}

/// Without descriptors the connection stays in the kernel's queue and accepting fails at once,
/// every time: trying without a pause would take a whole processor.
void HttpServer::Impl::accept_later() {
  accept_timer.expires_after(kAcceptPause);
  accept_timer.async_wait([self = shared_from_this()](error_code error) {
    if (!error && self->acceptor.is_open()) {
      self->accept();
    }
  });
}

void HttpServer::Impl::stop() {
  error_code ignored;
  acceptor.close(ignored);
  accept_timer.cancel();
  for (const auto& held : sessions) {
    if (const auto session = held.lock()) {
      session->close();
    }
  }
  sessions.clear();
}

HttpServer::HttpServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {
}

HttpServer::~HttpServer() {
  stop();
}

Result<std::unique_ptr<HttpServer>> HttpServer::listen(asio::io_context& io,
                                                       const HttpServerOptions& options,
                                                       Router router) {
  auto impl = std::make_shared<Impl>(io, options, std::move(router));
  if (auto bound = impl->bind(); !bound) {
    return tl::make_unexpected(bound.error());
  }
  impl->accept();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

std::uint16_t HttpServer::port() const {
  return impl_->acceptor.local_endpoint().port();
}

const HttpCounters& HttpServer::counters() const {
  return impl_->counters;
}

void HttpServer::stop() {
  impl_->stop();
}

}  // namespace bascule::admin
