#include "daemon/loop_watch.h"

#include <chrono>

namespace bascule::daemon {
namespace {

using TimerClock = boost::asio::steady_timer::clock_type;

constexpr std::chrono::milliseconds kInterval{100};

Duration since(TimerClock::time_point then) {
  return std::chrono::duration_cast<Duration>(TimerClock::now() - then);
}

}  // namespace

void LoopWatch::start() {
  timer_.expires_after(kInterval);
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error) {
      delays_.record(since(timer_.expiry()));
      start();
    }
  });
}

LoopWatch::Turn::Turn(LoopWatch& watch) : watch_(watch), began_(TimerClock::now()) {
}

LoopWatch::Turn::~Turn() {
  watch_.turns_.record(since(began_));
}

}  // namespace bascule::daemon
