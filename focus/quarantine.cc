#include "focus/quarantine.h"

#include <algorithm>

namespace bascule::focus {

std::optional<Instant> Quarantine::next_deadline() const {
  const auto first = std::min_element(held_.begin(), held_.end(), [](const auto& a, const auto& b) {
    return a.second.until < b.second.until;
  });
  return first == held_.end() ? std::nullopt : std::optional(first->second.until);
}

std::optional<std::pair<RoomJid, Quarantine::Held>> Quarantine::take_due(Instant now) {
  const auto due = std::find_if(held_.begin(), held_.end(),
                                [now](const auto& entry) { return entry.second.until <= now; });
  if (due == held_.end()) {
    return std::nullopt;
  }
  auto taken = held_.extract(due);
  return std::pair{taken.key(), std::move(taken.mapped())};
}

}  // namespace bascule::focus
