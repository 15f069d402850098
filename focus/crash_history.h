#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/jid.h"
#include "base/time.h"

namespace bascule::focus {

/// A conference that is left out for a while because the process dies of it.
struct HeldRoom {
  Instant until{};
  std::uint32_t times = 1;  ///< How often in a row; each time lasts twice as long.
  bool released = false;    ///< It is served again, and is watched for a while.
  friend bool operator==(const HeldRoom&, const HeldRoom&) = default;
};

/// What is known of the ends of earlier processes of this boot (ADR 0017). A value.
struct CrashHistory {
  struct Crash {
    Instant at{};
    std::string room;  ///< That was being handled; empty: none.
    friend bool operator==(const Crash&, const Crash&) = default;
  };
  std::vector<Crash> crashes;  ///< Newest last.
  std::map<RoomJid, HeldRoom> held;
  friend bool operator==(const CrashHistory&, const CrashHistory&) = default;
};

struct CrashVerdict {
  std::size_t crashes = 0;         ///< In the window, this one included.
  bool is_loop = false;            ///< Too many.
  std::optional<RoomJid> suspect;  ///< Left out from now on.
  std::size_t in_room = 0;         ///< Of the crashes in the window: in the same conference.
};

/// As many crashes within the window are a loop (07 §5.4).
inline constexpr std::size_t kCrashLoop = 3;
inline constexpr Duration kCrashWindow = std::chrono::seconds{60};
/// The first time in quarantine: redelivery takes a second or two, and what clients repeat comes
/// within ten.
inline constexpr Duration kHoldFirst = std::chrono::seconds{15};
inline constexpr Duration kHoldMax = std::chrono::minutes{15};
/// A conference that kills the process so soon after its release needs no second and third crash.
inline constexpr Duration kRelapse = std::chrono::minutes{15};

/// The process before ended without saying so, in `room` or outside of every conference. It is left
/// out when kCrashLoop of the window were in it, or it relapses. Less would leave out a conference
/// that was only being handled when somebody killed the process, for the third time in a minute.
CrashVerdict note_crash(CrashHistory& history, Instant now, const std::optional<RoomJid>& room);

/// At each start: forgets what is too old, and prolongs what was not released, because the server
/// is going to deliver again what was not handled.
void begin_process(CrashHistory& history, Instant now);

}  // namespace bascule::focus
