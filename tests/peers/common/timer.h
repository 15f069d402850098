#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace bascule::peers {

using SteadyTime = std::chrono::steady_clock::time_point;
using Milliseconds = std::chrono::milliseconds;

/// A one-shot timer that may be destroyed or restarted at any time, also from its own callback: a
/// callback that was already queued then does nothing.
class Timer {
 public:
  explicit Timer(boost::asio::io_context& io)
      : timer_(io), generation_(std::make_shared<std::uint64_t>(0)) {}
  ~Timer() { ++*generation_; }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void start(Milliseconds after, std::function<void()> callback) {
    const std::uint64_t mine = ++*generation_;
    timer_.expires_after(after);
    timer_.async_wait([current = generation_, mine,
                       callback = std::move(callback)](const boost::system::error_code& error) {
      if (!error && *current == mine) {
        callback();
      }
    });
  }

  void stop() {
    ++*generation_;
    timer_.cancel();
  }

 private:
  boost::asio::steady_timer timer_;
  std::shared_ptr<std::uint64_t> generation_;
};

/// Uniform in [low, high], from SplitMix64.
template <class Random>
Milliseconds random_between(Random& random, Milliseconds low, Milliseconds high) {
  if (high <= low) {
    return low;
  }
  const auto span = static_cast<std::uint64_t>((high - low).count()) + 1;
  return low + Milliseconds(static_cast<std::int64_t>(random.below(span)));
}

}  // namespace bascule::peers
