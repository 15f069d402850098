#include "xmpp/strophe/strophe_transport.h"

#include <csignal>
#include <optional>
#include <thread>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <pthread.h>

#include "base/check.h"
#include "xmpp/strophe/driver.h"

namespace bascule::xmpp {

using strophe::AttemptStarted;
using strophe::Driver;
using strophe::DriverEvent;
using strophe::OverLimit;

namespace {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

void run_driver(boost::asio::io_context& io) {
  // A peer that closed the connection makes a write raise SIGPIPE; libstrophe handles EPIPE.
  sigset_t pipe_only;
  sigemptyset(&pipe_only);
  sigaddset(&pipe_only, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe_only, nullptr);
  pthread_setname_np(pthread_self(), "strophe");
  io.run();
}

}  // namespace

/// The loop's side: state as the listener knows it, the watchdog of the login, and the thread.
class StropheTransport::Impl : public std::enable_shared_from_this<StropheTransport::Impl> {
 public:
  Impl(StropheOptions options, boost::asio::any_io_executor loop, TransportListener& listener)
      : options_(std::move(options)),
        loop_(std::move(loop)),
        listener_(listener),
        login_watchdog_(loop_),
        work_(boost::asio::make_work_guard(io_)) {}

  void start() {
    driver_.emplace(options_, io_, link_,
                    [weak = weak_from_this(), loop = loop_](DriverEvent event) {
                      boost::asio::post(loop, [weak, event = std::move(event)]() mutable {
                        if (const auto self = weak.lock(); self && !self->stopped_) {
                          self->handle(std::move(event));
                        }
                      });
                    });
    thread_ = std::thread([this] { run_driver(io_); });
  }

  void stop() {
    stopped_ = true;
    login_watchdog_.cancel();
    link_.shut_down("stopped");
    io_.stop();
    thread_.join();
    driver_.reset();
  }

  void open() {
    BASCULE_CHECK(state_ == State::kIdle);
    state_ = State::kOpening;
    boost::asio::post(io_, [this] { driver_->open(); });
  }

  void send(const xml::Element& stanza) {
    if (state_ != State::kUp) {
      return;
    }
    auto bytes = strophe::to_wire(stanza);
    link_.queued_bytes += bytes.size();
    ++link_.queued_stanzas;
    const bool overflow = link_.queued_bytes > options_.queue_bytes_max ||
                          link_.queued_stanzas > options_.queue_stanzas_max;
    boost::asio::post(io_, [this, bytes = std::move(bytes), overflow] {
      driver_->send(bytes);
      if (overflow) {
        driver_->abort({.kind = DownKind::kConnection,
                        .reason = "the peer does not read: too much is waiting to be sent"});
      }
    });
  }

  void close() {
    if (state_ == State::kIdle) {
      return;
    }
    if (std::exchange(state_, State::kClosing) == State::kOpening) {
      link_.shut_down("closed");  // The driver may be stuck in the TLS handshake.
    }
    boost::asio::post(io_, [this] { driver_->close(); });
  }

  [[nodiscard]] std::size_t queued_bytes() const { return link_.queued_bytes; }

 private:
  enum class State { kIdle, kOpening, kUp, kClosing };

  void handle(DriverEvent event) {
    std::visit(
        Overloaded{
            [this](const AttemptStarted&) { arm_login_watchdog(); },
            [this](const Up& up) {
              login_watchdog_.cancel();
              sequence_ = 0;
              if (state_ == State::kOpening) {
                state_ = State::kUp;
                listener_.on_up(up);
              }
            },
            [this](const Down& down) {
              login_watchdog_.cancel();
              const bool ours = state_ == State::kClosing;
              state_ = State::kIdle;
              listener_.on_down(ours ? Down{DownKind::kClosedByUs, down.reason} : down);
            },
            [this](xml::Element& stanza) { listener_.on_stanza(std::move(stanza), ++sequence_); },
            [this](const OverLimit& stanza) {
              listener_.on_rejected(stanza.head, stanza.reason, ++sequence_);
            }},
        event);
  }

  void arm_login_watchdog() {
    login_watchdog_.expires_after(options_.login_timeout);
    login_watchdog_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
      const auto self = weak.lock();
      if (!error && self && self->state_ != State::kUp) {
        self->link_.shut_down("no login within the time limit");
      }
    });
  }

  const StropheOptions options_;
  const boost::asio::any_io_executor loop_;
  TransportListener& listener_;
  boost::asio::steady_timer login_watchdog_;
  State state_ = State::kIdle;
  bool stopped_ = false;
  std::uint64_t sequence_ = 0;

  strophe::SharedLink link_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::optional<Driver> driver_;
  std::thread thread_;
};

StropheTransport::StropheTransport(StropheOptions options, boost::asio::any_io_executor loop,
                                   TransportListener& listener)
    : impl_(std::make_shared<Impl>(std::move(options), std::move(loop), listener)) {
  impl_->start();
}

StropheTransport::~StropheTransport() {
  impl_->stop();
}

void StropheTransport::open() {
  impl_->open();
}

void StropheTransport::send(const xml::Element& stanza) {
  impl_->send(stanza);
}

void StropheTransport::handled(std::uint64_t /*sequence*/) {
}

void StropheTransport::close() {
  impl_->close();
}

std::size_t StropheTransport::queued_bytes() const {
  return impl_->queued_bytes();
}

}  // namespace bascule::xmpp
