#include "focus/deadlines.h"

namespace bascule::focus {

void Deadlines::set(const TimerKey& key, Instant when) {
  auto [entry, inserted] = by_key_.try_emplace(key, when);
  if (!inserted) {
    by_time_.erase({entry->second, key});
    entry->second = when;
  }
  by_time_.emplace(when, key);
}

void Deadlines::set_no_later(const TimerKey& key, Instant when) {
  const auto current = get(key);
  if (!current || when < *current) {
    set(key, when);
  }
}

void Deadlines::clear(const TimerKey& key) {
  const auto entry = by_key_.find(key);
  if (entry != by_key_.end()) {
    by_time_.erase({entry->second, key});
    by_key_.erase(entry);
  }
}

std::optional<Instant> Deadlines::get(const TimerKey& key) const {
  const auto entry = by_key_.find(key);
  return entry == by_key_.end() ? std::nullopt : std::optional(entry->second);
}

std::optional<Instant> Deadlines::next() const {
  return by_time_.empty() ? std::nullopt : std::optional(by_time_.begin()->first);
}

std::optional<TimerKey> Deadlines::take_due(Instant now) {
  if (by_time_.empty() || by_time_.begin()->first > now) {
    return std::nullopt;
  }
  const TimerKey key = by_time_.begin()->second;
  by_time_.erase(by_time_.begin());
  by_key_.erase(key);
  return key;
}

}  // namespace bascule::focus
