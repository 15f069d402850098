#pragma once

namespace bascule::daemon {

// Exit statuses (docs/operations.md).
inline constexpr int kExitOk = 0;
inline constexpr int kExitConfig = 2;     ///< The configuration or the arguments are wrong.
inline constexpr int kExitUnhealthy = 1;  ///< `--health`: nobody answers.
inline constexpr int kExitStart = 3;      ///< No state directory, no port.

}  // namespace bascule::daemon
