#pragma once

#include <string>
#include <vector>

#include "ctl/text.h"

namespace bascule::ctl {

enum class Severity { kWarn, kBad };

/// One thing that is not as it should be, and the command to act on it.
struct Finding {
  Severity severity = Severity::kWarn;
  std::string what;     ///< One sentence, without a full stop.
  std::string command;  ///< What to type next; empty: waiting is all there is to do.
};

/// What is wrong according to an answer of /v1/overview; the worst first.
std::vector<Finding> findings_in(const Json& overview);

/// A bridge that is not as it should be; empty: it is.
std::string trouble_of(const Json& bridge);
/// That takes nobody new because an operator or the bridge itself wants it.
bool is_leaving(const Json& bridge);
/// How far a drain is: "12 left, 3 moving, 2 STUCK"; of one that is over: "empty".
std::string drain_text(const Json& drain);

}  // namespace bascule::ctl
