#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <utility>

#include "base/jid.h"
#include "base/time.h"
#include "focus/tables.h"

namespace bascule::focus {

/// Conferences that earlier processes died of (ADR 0017): not restored and not heard until their
/// time is over. What is stored of them stays stored until then, so that it is not lost to another
/// crash.
class Quarantine {
 public:
  struct Held {
    Instant until{};
    std::optional<ConferenceRow> row;  ///< nullopt: nothing was stored of it.
  };

  void hold(const RoomJid& room, Held held) { held_.insert_or_assign(room, std::move(held)); }
  [[nodiscard]] bool holds(const RoomJid& room) const { return held_.contains(room); }
  [[nodiscard]] std::size_t size() const { return held_.size(); }
  [[nodiscard]] const std::map<RoomJid, Held>& rooms() const { return held_; }
  [[nodiscard]] std::optional<Instant> next_deadline() const;
  /// Removes and returns one whose time is over.
  std::optional<std::pair<RoomJid, Held>> take_due(Instant now);
  /// Removes and returns all.
  std::map<RoomJid, Held> take_all() { return std::exchange(held_, {}); }

 private:
  std::map<RoomJid, Held> held_;
};

}  // namespace bascule::focus
