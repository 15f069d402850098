#include "xmpp/strophe/pump.h"

#include <chrono>
#include <utility>

#include <boost/asio/post.hpp>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>

namespace bascule::xmpp::strophe {
namespace {

constexpr int kStepsPerTurnMax = 64;
constexpr int kIdleStepsPlain = 1;
constexpr int kIdleStepsTls = 5;  // One TLS record of 16 KiB in reads of 4096 bytes, and one more.
constexpr std::chrono::milliseconds kLoginTick{10};
constexpr std::chrono::milliseconds kSafetyTick{250};

}  // namespace

Pump::Pump(boost::asio::io_context& io, std::unique_ptr<Connection> connection,
           std::function<void()> after_turn)
    : io_(io),
      connection_(std::move(connection)),
      after_turn_(std::move(after_turn)),
      socket_(io),
      tick_(io) {
}

void Pump::start() {
  const int copy = ::fcntl(connection_->descriptor(), F_DUPFD_CLOEXEC, 0);
  boost::system::error_code error;
  if (copy >= 0) {
    socket_.assign(copy, error);
  }
  // Without the copy the ticks alone drive the connection: slow, but alive.
  await_readable();
  await_writable();
  arm_tick();
}

void Pump::request_turn() {
  if (turn_requested_ || !connection_) {
    return;
  }
  turn_requested_ = true;
  boost::asio::post(io_, [self = shared_from_this()] {
    self->turn_requested_ = false;
    self->turn();
  });
}

void Pump::stop() {
  boost::system::error_code ignored;  // Nothing can be done about a failing close.
  socket_.close(ignored);
  tick_.cancel();
  connection_.reset();
}

void Pump::turn() {
  if (!connection_) {
    return;
  }
  step_until_idle();
  if (connection_->down()) {
    boost::system::error_code ignored;
    socket_.close(ignored);  // Only now the peer sees the end: this was the last descriptor.
    tick_.cancel();
  } else {
    if (connection_->queue_length() > 0 && !is_writable()) {
      await_writable();
    }
    await_readable();
    arm_tick();
  }
  after_turn_();
}

void Pump::step_until_idle() {
  const int idle_steps_max =
      connection_->is_encrypted() || !connection_->is_connected() ? kIdleStepsTls : kIdleStepsPlain;
  int idle_steps = 0;
  for (int step = 0; step < kStepsPerTurnMax; ++step) {
    const auto stanzas = connection_->stanzas();
    connection_->run_once();
    if (connection_->down()) {
      return;
    }
    if (connection_->stanzas() != stanzas || work_is_left()) {
      idle_steps = 0;
    } else if (++idle_steps >= idle_steps_max) {
      return;
    }
  }
  request_turn();
}

bool Pump::work_is_left() const {
  int readable = 0;
  if (::ioctl(connection_->descriptor(), FIONREAD, &readable) == 0 && readable > 0) {
    return true;
  }
  return connection_->queue_length() > 0 && is_writable();
}

bool Pump::is_writable() const {
  pollfd query{.fd = connection_->descriptor(), .events = POLLOUT, .revents = 0};
  return ::poll(&query, 1, 0) > 0 && (query.revents & POLLOUT) != 0;
}

void Pump::await_readable() {
  if (awaiting_readable_ || !socket_.is_open()) {
    return;
  }
  awaiting_readable_ = true;
  socket_.async_wait(socket_.wait_read,
                     [self = shared_from_this()](const boost::system::error_code& error) {
                       self->awaiting_readable_ = false;
                       if (!error) {
                         self->turn();
                       }
                     });
}

void Pump::await_writable() {
  if (awaiting_writable_ || !socket_.is_open()) {
    return;
  }
  awaiting_writable_ = true;
  socket_.async_wait(socket_.wait_write,
                     [self = shared_from_this()](const boost::system::error_code& error) {
                       self->awaiting_writable_ = false;
                       if (!error) {
                         self->turn();
                       }
                     });
}

void Pump::arm_tick() {
  tick_.expires_after(connection_->is_connected() ? kSafetyTick : kLoginTick);
  tick_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error) {
      self->turn();
    }
  });
}

}  // namespace bascule::xmpp::strophe
