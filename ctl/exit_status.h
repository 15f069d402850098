#pragma once

namespace bascule::ctl {

// Exit statuses (docs/operations.md).
inline constexpr int kExitOk = 0;
inline constexpr int kExitDamaged = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitFailed = 3;
inline constexpr int kExitNotPermitted = 4;
inline constexpr int kExitWarned = 5;

struct ExitStatus {
  int status;
  const char* meaning;
};

/// For the help and the manual page.
inline constexpr ExitStatus kExitStatuses[] = {
    {kExitOk, "done, or all well"},
    {kExitDamaged,
     "done, and the answer is that something is not well: damaged, lost, not ready, not in "
     "sync, a configuration with mistakes, a bridge not empty in time"},
    {kExitUsage, "the command was wrong"},
    {kExitFailed, "it could not be done, or nobody answered"},
    {kExitNotPermitted, "not permitted: no token, a wrong one, or one of a lesser role"},
    {kExitWarned, "doctor: nothing failed, but something is not as it should be"},
};

}  // namespace bascule::ctl
