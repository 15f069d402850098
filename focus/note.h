#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/time.h"

namespace bascule::focus {

/// `error`: a human must act; `warn`: degraded, or a peer misbehaves, once per change of state;
/// `info`: the life of conferences, bridges and links; `debug`: single stanzas.
enum class NoteLevel : std::uint8_t { kDebug, kInfo, kWarn, kError };

/// A log event as data; the shell formats it as `event key=value ...`. `event` and the keys are
/// string literals such as "bridge.placed": they form the operator's vocabulary
/// (docs/operations.md) and are never built at run time.
struct Note {
  using Value = std::variant<std::string, std::int64_t, bool, Duration>;
  NoteLevel level;
  std::string_view event;
  std::vector<std::pair<std::string_view, Value>> fields;
};

}  // namespace bascule::focus
