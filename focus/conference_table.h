#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/jid.h"
#include "focus/conference.h"
#include "focus/turn.h"
#include "focus/work_mark.h"

namespace bascule::focus {

/// All conferences, by room and by number; and the order in which they are entered again after the
/// client link was lost: a window at a time, so that the server is not flooded while it recovers.
class ConferenceTable {
 public:
  /// Rooms being entered again at once.
  static constexpr std::size_t kReenterWindow = 50;

  /// `mark` is told of every conference that is taken out to be worked on.
  explicit ConferenceTable(WorkMark& mark) : mark_(mark) {}

  Conference& create(const RoomJid& room, std::map<std::string, std::string> properties,
                     const std::string& sid_secret, Turn& turn);
  [[nodiscard]] Conference* find(const RoomJid& room);
  [[nodiscard]] Conference* find(ConferenceId id);
  /// Forgets a conference that has ended.
  void erase(ConferenceId id);

  /// The client link is back without resumption: every room has to be entered again.
  void suspend_all(Turn& turn);
  /// Somebody waits for this room: it is entered now.
  void hurry(const RoomJid& room, Turn& turn, Surroundings& around);
  void reentered(ConferenceId id);
  /// Enters what the window allows.
  void continue_reentry(Turn& turn, Surroundings& around);
  /// Some conference waits for that, or is at it.
  [[nodiscard]] bool is_reentering() const { return !waiting_.empty() || !entering_.empty(); }

  /// The conference with the lowest number above `id`, or nullptr.
  [[nodiscard]] Conference* after(ConferenceId id);
  void for_each(const std::function<void(Conference&)>& visit);
  void for_each(const std::function<void(const Conference&)>& visit) const;
  /// From the first one behind `after` until `visit` says false.
  void for_each_after(const std::optional<RoomJid>& after,
                      const std::function<bool(const Conference&)>& visit) const;
  [[nodiscard]] const Conference* find(const RoomJid& room) const;
  [[nodiscard]] std::size_t size() const { return by_room_.size(); }

 private:
  WorkMark& mark_;
  std::map<RoomJid, std::unique_ptr<Conference>> by_room_;
  std::map<ConferenceId, Conference*> by_id_;
  std::deque<ConferenceId> waiting_;  // To be entered again, in order.
  std::set<ConferenceId> entering_;
};

}  // namespace bascule::focus
