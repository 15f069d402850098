#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "focus/input.h"
#include "focus/restored.h"
#include "focus/turn.h"

namespace bascule::focus {

/// Carries out what operators order, keeps what holds until they say otherwise, and records who
/// changed what. An order is answered when it is durable: a drain survives the process that took
/// it.
class Orders {
 public:
  using Drains = std::map<BridgeJid, op::BridgeDrain>;
  using Pins = std::map<RoomJid, op::PinSet>;
  using Audit = std::map<std::pair<WallTime, std::uint64_t>, op::AuditEntry>;

  /// Hands Placement what an earlier process was told. O(orders).
  void restore(const Tables& earlier, Turn& turn);
  /// Answers with exactly one out::AnswerOrder.
  void on_order(const in::OperatorOrder& input, Turn& turn);

  [[nodiscard]] const Drains& drains() const { return drains_; }
  [[nodiscard]] const Pins& pins() const { return pins_; }  ///< Also expired ones.
  /// The newest changes, by time and number; at most kAuditMax.
  [[nodiscard]] const Audit& audit() const { return audit_; }

 private:
  /// What an order changed, for people.
  struct Change {
    std::string what, target, before, after;
    OrderDone done;
  };
  Result<Change> carry_out(const order::Drain& drain, const std::string& by, Turn& turn);
  Result<Change> carry_out(const order::Undrain& undrain, const std::string& by, Turn& turn);
  Result<Change> carry_out(const order::Pin& pin, const std::string& by, Turn& turn);
  Result<Change> carry_out(const order::Unpin& unpin, const std::string& by, Turn& turn);
  Result<Change> carry_out(const order::Move& move, const std::string& by, Turn& turn);
  Result<Change> carry_out(const order::Record& record, const std::string& by, Turn& turn);
  void drop_expired_pins(Turn& turn);
  void record(const Change& change, const std::string& by, Turn& turn);

  Drains drains_;
  Pins pins_;
  Audit audit_;
  std::uint64_t last_number_ = 0;
};

}  // namespace bascule::focus
