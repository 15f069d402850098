#pragma once

#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "tests/peers/bridgesim/bridge.h"
#include "tests/peers/bridgesim/script.h"
#include "tests/peers/common/event_log.h"

namespace bascule::peers {

/// All bridges of one process, their script and their once-a-second events.
class Fleet {
 public:
  Fleet(boost::asio::io_context& io, const std::vector<BridgeOptions>& bridges,
        std::vector<ScriptLine> script, EventLog& log);

  void start();
  void stop();
  /// A line of standard input: `status`, `endpoints`, `expect-empty`, `quit` (handled by the
  /// caller) or `bridge NUMBER|all VERB ...`.
  void command(const std::string& line);
  /// The figures of the whole run.
  [[nodiscard]] Json summary() const;

 private:
  void tick();
  void run_script();
  [[nodiscard]] bool due(const ScriptLine& line) const;
  void apply(const ScriptLine& line);
  [[nodiscard]] Json all(Json (Bridge::*describe)() const) const;

  EventLog& log_;
  std::vector<std::unique_ptr<Bridge>> bridges_;
  std::vector<ScriptLine> script_;
  Timer tick_timer_;
  SteadyTime started_;
  SteadyTime next_report_;
};

}  // namespace bascule::peers
