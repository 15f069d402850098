#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "base/result.h"
#include "focus/order.h"

namespace bascule::admin {

/// Hands orders of operators to the focus, and its answers to who gave them.
class OrderDesk {
 public:
  using Submit = std::function<void(focus::OrderId, std::string by, focus::Order)>;
  using Answered = std::function<void(const Result<focus::OrderDone>&)>;
  explicit OrderDesk(Submit submit) : submit_(std::move(submit)) {}

  /// `answered` is called once, on the event-loop thread: when the order is durable, or refused.
  /// Errors of its own: kUnavailable when too many orders wait.
  void give(std::string by, focus::Order order, Answered answered);
  /// The focus's answer; unknown numbers are ignored.
  void answer(focus::OrderId order, const Result<focus::OrderDone>& outcome);

  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

 private:
  Submit submit_;
  std::uint64_t last_id_ = 0;
  std::map<focus::OrderId, Answered> waiting_;
};

}  // namespace bascule::admin
