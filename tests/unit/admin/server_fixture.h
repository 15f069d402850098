#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <boost/asio/connect.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include "admin/http_server.h"

namespace bascule::admin {

/// A server on its own thread and loop; requests are written as raw bytes, so that what is tested
/// is the wire and not a client library.
class ServerFixture {
 public:
  using Tcp = boost::asio::ip::tcp;

  explicit ServerFixture(HttpServerOptions options = {}) {
    options.port = 0;
    server_ = HttpServer::listen(io_, options, make_router()).value();
    thread_ = std::thread([this] { io_.run(); });
  }
  ServerFixture(const ServerFixture&) = delete;
  ServerFixture& operator=(const ServerFixture&) = delete;

  /// What `call` returns, called on the server's thread.
  template <class Call>
  auto on_loop(Call call) {
    std::promise<decltype(call())> result;
    boost::asio::post(io_, [&result, &call] { result.set_value(call()); });
    return result.get_future().get();
  }
  ~ServerFixture() {
    on_loop([this] {
      held_ = nullptr;
      server_->stop();
      work_.reset();
      return true;
    });
    thread_.join();
  }
  HttpCounters counters() {
    return on_loop([this] { return server_->counters(); });
  }
  /// Waits until `holds` says so of the counters, 10 s at most.
  bool eventually(const std::function<bool(const HttpCounters&)>& holds) {
    const auto bound = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    while (!holds(counters())) {
      if (std::chrono::steady_clock::now() > bound) {
        return false;
      }
      std::this_thread::yield();
    }
    return true;
  }
  HttpServer& server() { return *server_; }
  /// Of the last GET /events; on the loop only.
  std::shared_ptr<EventStream> stream() { return stream_; }

  Tcp::socket connect() {
    Tcp::socket socket(client_io_);
    socket.connect({boost::asio::ip::make_address("127.0.0.1"), server_->port()});
    return socket;
  }

  /// Everything the server sends until it closes the connection.
  std::string exchange(const std::string& bytes) {
    Tcp::socket socket = connect();
    return exchange_over(socket, bytes);
  }
  template <class Socket>
  static std::string exchange_over(Socket& socket, const std::string& bytes) {
    boost::system::error_code error;  // The server may close before it has read everything.
    boost::asio::write(socket, boost::asio::buffer(bytes), error);
    std::string answer;
    boost::asio::read(socket, boost::asio::dynamic_buffer(answer), error);
    return answer;
  }
  /// One request to a trusted host; `more`: lines of the header, each with its line break.
  std::string ask(const std::string& line, const std::string& more = {}) {
    return exchange(line + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + more + "\r\n");
  }

  boost::asio::io_context& client_io() { return client_io_; }

 private:
  Router make_router() {
    Router router;
    router.add("GET", "/hello", [](const HttpRequest& request, const Respond& respond) {
      respond({.status = 200,
               .content_type = "text/plain",
               .body = "hello " + request.query,
               .headers = {}});
    });
    router.add("GET", "/who", [](const HttpRequest& request, const Respond& respond) {
      respond({.status = 200,
               .body = request.principal.name + " " + request.request_id,
               .headers = {}});
    });
    router.add("GET", "/live", Role::kPublic, [](const HttpRequest&, const Respond& respond) {
      respond({.status = 200, .body = "alive", .headers = {}});
    });
    router.add("GET", "/page", Role::kPublic, [](const HttpRequest&, const Respond& respond) {
      respond({.status = 200, .content_type = "text/html", .body = "<p>", .headers = {}});
    });
    router.add("GET", "/large", [](const HttpRequest& request, const Respond& respond) {
      respond({.status = 200,
               .body = std::string(std::stoul(request.query), 'x'),
               .headers = {{"X-Bad", "a\r\nX-Injected: b"}}});
    });
    router.add("POST", "/echo", [](const HttpRequest& request, const Respond& respond) {
      respond({.status = 200, .content_type = "text/plain", .body = request.body, .headers = {}});
    });
    router.add("PUT", "/level", Role::kAdmin, [](const HttpRequest&, const Respond& respond) {
      respond({.status = 204, .body = {}, .headers = {}});
    });
    router.add("GET", "/broken", [](const HttpRequest& request, const Respond&) {
      static_cast<void>(std::stoul(request.query));
    });
    router.add("GET", "/never",
               [this](const HttpRequest&, Respond respond) { held_ = std::move(respond); });
    router.add("GET", "/events", [this](const HttpRequest&, const Respond& respond) {
      stream_ = std::make_shared<EventStream>();
      respond({.status = 200,
               .content_type = "text/event-stream",
               .body = {},
               .headers = {},
               .stream = stream_});
    });
    return router;
  }

  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      io_.get_executor()};  // The loop goes on when a test has stopped the server.
  boost::asio::io_context client_io_{1};
  Respond held_;
  std::shared_ptr<EventStream> stream_;
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
};

}  // namespace bascule::admin
