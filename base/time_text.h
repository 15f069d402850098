#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace bascule {

/// RFC 3339 in UTC with milliseconds: 2026-11-21T23:05:07.120Z.
[[nodiscard]] std::string to_text(WallTime time);

/// What `to_text` makes, with or without the fraction. nullopt for anything else.
[[nodiscard]] std::optional<WallTime> wall_time_from(std::string_view text);

}  // namespace bascule
