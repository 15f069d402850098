#include "admin/http_server.h"

#include <array>
#include <cstdio>
#include <functional>
#include <list>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <openssl/rand.h>

#include "admin/http_core.h"
#include "admin/http_session.h"
#include "admin/http_wire.h"
#include "admin/local_socket.h"
#include "base/check.h"

namespace bascule::admin {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kAcceptPause{100};
constexpr std::chrono::seconds kWindow{1};

std::string random_prefix() {
  std::array<unsigned char, 4> bytes{};
  BASCULE_CHECK(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1);
  std::array<char, 9> text{};
  std::snprintf(text.data(), text.size(), "%02x%02x%02x%02x", bytes[0], bytes[1], bytes[2],
                bytes[3]);
  return text.data();
}

/// Takes connections from one acceptor, as many as may be open, and not faster than it may.
template <class Acceptor>
class Accepting : public std::enable_shared_from_this<Accepting<Acceptor>> {
 public:
  using Socket = typename Acceptor::protocol_type::socket;
  struct Limits {
    std::size_t open_max;
    std::size_t per_second_max;  ///< 0: none.
  };

  /// `acceptor` lives until `stop`.
  Accepting(std::shared_ptr<HttpCore> core, Acceptor& acceptor, Limits limits,
            std::function<std::shared_ptr<HttpSession>(Socket, std::shared_ptr<std::size_t>)> make)
      : core_(std::move(core)),
        acceptor_(&acceptor),
        timer_(core_->io),
        limits_(limits),
        make_(std::move(make)) {}

  void accept() {
    acceptor_->async_accept([self = this->shared_from_this()](error_code error, Socket socket) {
      if (self->acceptor_ == nullptr || error == asio::error::operation_aborted) {
        return;
      }
      if (error) {
        // Without descriptors the connection stays in the kernel's queue and accepting fails at
        // once, every time: trying without a pause would take a whole processor.
        self->accept_after(kAcceptPause);
        return;
      }
      self->take(std::move(socket));
      self->accept_next();
    });
  }

  void stop() {
    acceptor_ = nullptr;
    timer_.cancel();
    for (const auto& held : std::exchange(sessions_, {})) {
      if (const auto session = held.lock()) {
        session->close();
      }
    }
  }

 private:
  void take(Socket socket) {
    if (*open_ >= limits_.open_max) {
      core_->counters.refuse(HttpRefusal::kConnections);
      error_code ignored;
      socket.close(ignored);
      return;
    }
    ++core_->counters.connections;
    const auto session = make_(std::move(socket), open_);
    sessions_.remove_if([](const auto& held) { return held.expired(); });
    sessions_.push_back(session);
    session->start();
  }

  void accept_next() {
    const auto now = steady_clock::now();
    if (now - window_ >= kWindow) {
      window_ = now;
      taken_ = 0;
    }
    if (limits_.per_second_max != 0 && ++taken_ >= limits_.per_second_max) {
      accept_after(window_ + kWindow - now);
    } else {
      accept();
    }
  }

  void accept_after(steady_clock::duration time) {
    timer_.expires_after(time);
    timer_.async_wait([self = this->shared_from_this()](error_code error) {
      if (!error && self->acceptor_ != nullptr && self->acceptor_->is_open()) {
        self->accept();
      }
    });
  }

  std::shared_ptr<HttpCore> core_;
  Acceptor* acceptor_;
  asio::steady_timer timer_;
  Limits limits_;
  std::function<std::shared_ptr<HttpSession>(Socket, std::shared_ptr<std::size_t>)> make_;
  std::shared_ptr<std::size_t> open_ = std::make_shared<std::size_t>(0);
  std::list<std::weak_ptr<HttpSession>> sessions_;
  steady_clock::time_point window_;
  std::size_t taken_ = 0;
};

}  // namespace

class HttpServer::Impl {
 public:
  using Tcp = Accepting<tcp::acceptor>;
  using Local = Accepting<LocalSocket::Acceptor>;

  Impl(asio::io_context& io, const HttpServerOptions& options, Router router,
       std::shared_ptr<Access> access)
      : core(std::make_shared<HttpCore>(HttpCore{.io = io,
                                                 .options = options,
                                                 .router = std::move(router),
                                                 .access = std::move(access),
                                                 .id_prefix = random_prefix(),
                                                 .counters = {}})),
        acceptor(io),
        local_socket(io) {}

  Result<> bind();
  void serve();
  void serve_local();

  std::shared_ptr<HttpCore> core;
  tcp::acceptor acceptor;
  LocalSocket local_socket;
  std::shared_ptr<Tcp> accepting;
  std::shared_ptr<Local> accepting_local;
};

Result<> HttpServer::Impl::bind() {
  const HttpServerOptions& options = core->options;
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

void HttpServer::Impl::serve() {
  error_code ignored;
  const bool to_loopback = acceptor.local_endpoint(ignored).address().is_loopback();
  const bool tls = core->access->uses_tls();
  accepting = std::make_shared<Tcp>(
      core, acceptor,
      Tcp::Limits{.open_max = core->options.connections_max,
                  .per_second_max = tls ? core->options.handshakes_per_second_max : 0},
      [shared = core, to_loopback, tls](tcp::socket socket, std::shared_ptr<std::size_t> open) {
        error_code error;
        const auto remote = socket.remote_endpoint(error);
        Peer peer{.address = error ? "unknown" : remote.address().to_string(),
                  .to_loopback = to_loopback,
                  .over_tls = tls};
        socket.set_option(tcp::no_delay(true), error);
        auto wire = tls ? make_tls_wire(std::move(socket), shared->access->certificate().context)
                        : make_wire(std::move(socket));
        return std::make_shared<HttpSession>(shared, std::move(open), std::move(peer),
                                             std::move(wire));
      });
  accepting->accept();
}

void HttpServer::Impl::serve_local() {
  accepting_local = std::make_shared<Local>(
      core, local_socket.acceptor(),
      Local::Limits{.open_max = core->options.local_connections_max, .per_second_max = 0},
      [this](Local::Socket socket, std::shared_ptr<std::size_t> open) {
        Peer peer = local_socket.peer_of(socket.native_handle());
        return std::make_shared<HttpSession>(core, std::move(open), std::move(peer),
                                             make_wire(std::move(socket)));
      });
  accepting_local->accept();
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {
}

HttpServer::~HttpServer() {
  stop();
}

Result<std::unique_ptr<HttpServer>> HttpServer::listen(asio::io_context& io,
                                                       const HttpServerOptions& options,
                                                       Router router) {
  std::shared_ptr<Access> access = options.access;
  if (!access) {
    access = Access::open({}).value();  // There is no file that could be missing.
  }
  auto impl = std::make_unique<Impl>(io, options, std::move(router), std::move(access));
  if (auto bound = impl->bind(); !bound) {
    return tl::make_unexpected(bound.error());
  }
  impl->serve();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

Result<> HttpServer::listen_local(const std::string& path) {
  auto listening = impl_->local_socket.listen(path);
  if (listening) {
    impl_->serve_local();
  }
  return listening;
}

std::uint16_t HttpServer::port() const {
  return impl_->acceptor.local_endpoint().port();
}

const HttpCounters& HttpServer::counters() const {
  return impl_->core->counters;
}

const Access& HttpServer::access() const {
  return *impl_->core->access;
}

void HttpServer::stop() {
  error_code ignored;
  impl_->acceptor.close(ignored);
  impl_->local_socket.close();
  if (impl_->accepting) {
    impl_->accepting->stop();
  }
  if (impl_->accepting_local) {
    impl_->accepting_local->stop();
  }
}

}  // namespace bascule::admin
