#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tests/peers/common/timer.h"

namespace bascule::peers {

/// Something done to a bridge: `kill for 8s`, `slow 10s`, `errors conflict 0.1 create for 30s`.
/// The verbs are described in tests/peers/README.md.
struct FaultAction {
  std::string verb;
  std::vector<std::string> arguments;
  std::optional<Milliseconds> duration;  ///< After it the fault ends by itself.
};

/// When a scripted action happens.
struct FaultTrigger {
  enum class Kind : std::uint8_t { kTime, kEndpoints, kRequests, kStress };
  Kind kind = Kind::kTime;
  double threshold = 0;  ///< Seconds, endpoints, colibri2 requests or true stress.
};

struct ScriptLine {
  FaultTrigger trigger;
  int bridge = 0;  ///< 0: all.
  FaultAction action;
};

/// `12s`, `1.5s`, `300ms`. Error: kInvalidArgument.
Result<Milliseconds> parse_duration(std::string_view text);
/// `bridge 2 kill for 8s`, `bridge all drain on`. Error: kInvalidArgument, naming the word.
Result<ScriptLine> parse_command(std::string_view text);
/// A whole script: `at TIME bridge ...` or `when endpoints|requests|stress NUMBER bridge ...`, one
/// a line; `#` begins a comment. Error: kInvalidArgument with the number of the first bad line.
Result<std::vector<ScriptLine>> parse_script(std::string_view text);

}  // namespace bascule::peers
