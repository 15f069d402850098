#pragma once

#include <cstdint>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/time.h"
#include "focus/latency_histogram.h"

namespace bascule::daemon {

/// How busy the event loop is: how long the turns of the focus take, and how late a timer fires,
/// which is what anything that happens now has to wait, whatever keeps the loop.
class LoopWatch {
 public:
  explicit LoopWatch(boost::asio::io_context& io) : timer_(io) {}

  /// Begins to look, ten times a second.
  void start();

  /// Measures the turn it lives for.
  class Turn {
   public:
    explicit Turn(LoopWatch& watch);
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    LoopWatch& watch_;
    boost::asio::steady_timer::time_point began_;
  };

  [[nodiscard]] const focus::LatencyHistogram& turns() const { return turns_; }
  [[nodiscard]] const focus::LatencyHistogram& delays() const { return delays_; }

 private:
  boost::asio::steady_timer timer_;
  focus::LatencyHistogram turns_{focus::kInternalEdges};
  focus::LatencyHistogram delays_{focus::kInternalEdges};
};

}  // namespace bascule::daemon
