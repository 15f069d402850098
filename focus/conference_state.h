#pragma once

#include <cstdint>
#include <string_view>

namespace bascule::focus {

/// Life of a conference.
///
/// | from       | event                            | to         | action                    |
/// |------------|----------------------------------|------------|---------------------------|
/// | (none)     | conference request               | kJoining   | enter the room            |
/// | kJoining   | entered and configured           | kWaiting   | answer ready=true         |
/// | kJoining   | refused, timeout, link lost      | kEnded     | answer ready=false        |
/// | kWaiting   | enough members                   | kActive    | tickets for all           |
/// | kWaiting   | kInitial fires, last member left | kEnded     | leave the room            |
/// | kActive    | kSingle fires                    | kWaiting   | expire the one session    |
/// | kActive    | last member left                 | kEnded     | leave, expire on bridges  |
/// | any joined | client link lost                 | kSuspended | media goes on             |
/// | kSuspended | link resumed                     | as before  |                           |
/// | kSuspended | link is back without resumption  | kRejoining | enter again, then compare |
/// | kSuspended | kLinkGrace fires                 | kEnded     | expire on bridges         |
/// | kRejoining | entered                          | by members | drop who is gone          |
/// | kRejoining | the server forgot the room       | kEnded     | expire on bridges         |
/// | any joined | destroyed, or we were removed    | kEnded     | expire on bridges         |
enum class ConferenceState : std::uint8_t {
  kJoining,
  kWaiting,    ///< In the room, fewer members than needed.
  kActive,     ///< Members are invited.
  kSuspended,  ///< The client link is down; also: just restored from the tables.
  kRejoining,  ///< Entering the room again after the link was lost.
  kEnded,
};
[[nodiscard]] std::string_view name_of(ConferenceState state);

}  // namespace bascule::focus
