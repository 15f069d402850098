#include "focus/decision_log.h"

#include <algorithm>
#include <utility>

namespace bascule::focus {

void DecisionLog::add(DecisionRecord record) {
  if (records_max_ == 0) {
    return;
  }
  record.number = ++last_number_;
  if (records_.size() < records_max_) {
    records_.push_back(std::move(record));
    return;
  }
  records_[next_] = std::move(record);
  next_ = (next_ + 1) % records_max_;
}

const DecisionRecord& DecisionLog::nth_oldest(std::size_t n) const {
  return records_[(next_ + n) % records_.size()];
}

template <class Wanted>
std::vector<DecisionRecord> DecisionLog::newest(std::size_t limit, Wanted wanted) const {
  std::vector<DecisionRecord> found;
  for (std::size_t n = records_.size(); n > 0 && found.size() < limit; --n) {
    const DecisionRecord& record = nth_oldest(n - 1);
    if (wanted(record)) {
      found.push_back(record);
    }
  }
  return found;
}

std::vector<DecisionRecord> DecisionLog::about(const RoomJid& room, std::size_t limit) const {
  return newest(limit, [&](const DecisionRecord& record) { return record.ticket.room == room; });
}

std::vector<DecisionRecord> DecisionLog::about(const BridgeJid& bridge, std::size_t limit) const {
  return newest(limit, [&](const DecisionRecord& record) { return record.bridge == bridge; });
}

std::vector<DecisionRecord> DecisionLog::since(std::uint64_t number, std::size_t limit) const {
  std::vector<DecisionRecord> found;
  if (last_number_ <= number) {
    return found;
  }
  const std::uint64_t missing = last_number_ - number;
  std::size_t n =
      records_.size() - static_cast<std::size_t>(std::min<std::uint64_t>(missing, records_.size()));
  for (; n < records_.size() && found.size() < limit; ++n) {
    found.push_back(nth_oldest(n));
  }
  return found;
}

}  // namespace bascule::focus
