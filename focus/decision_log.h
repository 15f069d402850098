#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/jid.h"
#include "focus/ticket.h"

namespace bascule::focus {

/// The latest decisions, so that "why is this participant on that bridge" has an answer. A ring:
/// bounded, the oldest are overwritten. Cost: O(1) to add, O(size) to search.
class DecisionLog {
 public:
  explicit DecisionLog(std::size_t records_max) : records_max_(records_max) {}

  /// Numbers the record.
  void add(DecisionRecord record);

  [[nodiscard]] std::vector<DecisionRecord> about(const RoomJid& room, std::size_t limit) const;
  [[nodiscard]] std::vector<DecisionRecord> about(const BridgeJid& bridge, std::size_t limit) const;
  [[nodiscard]] std::vector<DecisionRecord> since(std::uint64_t number, std::size_t limit) const;
  [[nodiscard]] std::size_t size() const { return records_.size(); }

 private:
  template <class Wanted>
  [[nodiscard]] std::vector<DecisionRecord> newest(std::size_t limit, Wanted wanted) const;
  [[nodiscard]] const DecisionRecord& nth_oldest(std::size_t n) const;

  std::size_t records_max_;
  std::vector<DecisionRecord> records_;
  std::size_t next_ = 0;  // To be overwritten, once full.
  std::uint64_t last_number_ = 0;
};

}  // namespace bascule::focus
