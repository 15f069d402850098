#include "focus/crash_history.h"

#include <algorithm>

namespace bascule::focus {
namespace {

constexpr std::uint32_t kDoublingsMax = 6;

void hold(CrashHistory& history, const RoomJid& room, Instant now) {
  const auto [entry, is_new] = history.held.try_emplace(room);
  HeldRoom& held = entry->second;
  held.times += is_new ? 0U : 1U;
  const auto doublings = std::min(held.times - 1, kDoublingsMax);
  held.until = now + std::min<Duration>(kHoldFirst * (1U << doublings), kHoldMax);
  held.released = false;
}

std::size_t crashes_in(const CrashHistory& history, const std::string& room) {
  return static_cast<std::size_t>(
      std::count_if(history.crashes.begin(), history.crashes.end(),
                    [&](const CrashHistory::Crash& crash) { return crash.room == room; }));
}

void forget(CrashHistory& history, Instant now) {
  std::erase_if(history.crashes,
                [now](const CrashHistory::Crash& crash) { return crash.at + kCrashWindow < now; });
  std::erase_if(history.held, [now](const auto& entry) {
    return entry.second.released && entry.second.until + kRelapse < now;
  });
}

}  // namespace

CrashVerdict note_crash(CrashHistory& history, Instant now, const std::optional<RoomJid>& room) {
  forget(history, now);
  history.crashes.push_back({now, room ? room->to_string() : std::string()});
  CrashVerdict verdict;
  verdict.crashes = history.crashes.size();
  verdict.is_loop = verdict.crashes >= kCrashLoop;
  if (room) {
    verdict.in_room = crashes_in(history, room->to_string());
    if (history.held.contains(*room) || verdict.in_room >= kCrashLoop) {
      verdict.suspect = room;
      hold(history, *room, now);
    }
  }
  return verdict;
}

void begin_process(CrashHistory& history, Instant now) {
  forget(history, now);
  for (auto& [room, held] : history.held) {
    if (!held.released) {
      held.until = std::max(held.until, now + kHoldFirst);
    }
  }
}

}  // namespace bascule::focus
