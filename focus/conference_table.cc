#include "focus/conference_table.h"

#include <utility>

#include "base/check.h"

namespace bascule::focus {

Conference& ConferenceTable::create(const RoomJid& room,
                                    std::map<std::string, std::string> properties,
                                    const std::string& sid_secret, Turn& turn) {
  mark_.begin(room);
  const ConferenceId id(++turn.shared.last_number);
  auto conference = std::make_unique<Conference>(id, room, std::move(properties), sid_secret,
                                                 turn.options(), turn.now);
  const auto [entry, inserted] = by_room_.emplace(room, std::move(conference));
  BASCULE_CHECK(inserted);
  by_id_.emplace(id, entry->second.get());
  ++turn.counters().conferences_created;
  turn.counters().meetings.enter(turn.now.mono);
  return *entry->second;
}

Conference* ConferenceTable::find(const RoomJid& room) {
  mark_.begin(room);
  const auto entry = by_room_.find(room);
  return entry == by_room_.end() ? nullptr : entry->second.get();
}

Conference* ConferenceTable::find(ConferenceId id) {
  const auto entry = by_id_.find(id);
  if (entry == by_id_.end()) {
    return nullptr;
  }
  mark_.begin(entry->second->room_jid());
  return entry->second;
}

Conference* ConferenceTable::after(ConferenceId id) {
  const auto entry = by_id_.upper_bound(id);
  return entry == by_id_.end() ? nullptr : find(entry->first);
}

void ConferenceTable::erase(ConferenceId id) {
  const auto entry = by_id_.find(id);
  BASCULE_CHECK(entry != by_id_.end());
  entering_.erase(id);
  const RoomJid room = entry->second->room_jid();
  by_id_.erase(entry);
  by_room_.erase(room);
}

void ConferenceTable::suspend_all(Turn& turn) {
  waiting_.clear();
  entering_.clear();
  for (const auto& [room, conference] : by_room_) {
    mark_.begin(room);
    conference->suspend(turn);
    waiting_.push_back(conference->id());
  }
}

void ConferenceTable::hurry(const RoomJid& room, Turn& turn, Surroundings& around) {
  Conference* conference = find(room);
  if (conference != nullptr && conference->state() == ConferenceState::kSuspended &&
      turn.shared.is_up(StreamId::kClient) && !entering_.contains(conference->id())) {
    entering_.insert(conference->id());
    conference->reenter(turn, around);
  }
}

void ConferenceTable::reentered(ConferenceId id) {
  entering_.erase(id);
}

void ConferenceTable::continue_reentry(Turn& turn, Surroundings& around) {
  while (turn.shared.is_up(StreamId::kClient) && !waiting_.empty() &&
         entering_.size() < kReenterWindow) {
    const ConferenceId id = waiting_.front();
    waiting_.pop_front();
    Conference* conference = find(id);
    if (conference != nullptr && conference->state() == ConferenceState::kSuspended &&
        !entering_.contains(id)) {
      entering_.insert(id);
      conference->reenter(turn, around);
    }
  }
}

void ConferenceTable::for_each(const std::function<void(Conference&)>& visit) {
  for (const auto& [room, conference] : by_room_) {
    mark_.begin(room);
    visit(*conference);
  }
}

void ConferenceTable::for_each(const std::function<void(const Conference&)>& visit) const {
  for (const auto& [room, conference] : by_room_) {
    visit(*conference);
  }
}

void ConferenceTable::for_each_after(const std::optional<RoomJid>& after,
                                     const std::function<bool(const Conference&)>& visit) const {
  auto next = after ? by_room_.upper_bound(*after) : by_room_.begin();
  while (next != by_room_.end() && visit(*next->second)) {
    ++next;
  }
}

const Conference* ConferenceTable::find(const RoomJid& room) const {
  const auto found = by_room_.find(room);
  return found == by_room_.end() ? nullptr : found->second.get();
}

}  // namespace bascule::focus
