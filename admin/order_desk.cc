#include "admin/order_desk.h"

#include <utility>

namespace bascule::admin {
namespace {

constexpr std::size_t kWaitingMax = 100;  // Only a store that hangs lets them pile up.

}  // namespace

void OrderDesk::give(std::string by, focus::Order order, Answered answered) {
  if (waiting_.size() >= kWaitingMax) {
    answered(fail(Errc::kUnavailable, "too many orders wait for the store; ask again later"));
    return;
  }
  const focus::OrderId id{++last_id_};
  waiting_.emplace(id, std::move(answered));
  submit_(id, std::move(by), std::move(order));
}

void OrderDesk::answer(focus::OrderId order, const Result<focus::OrderDone>& outcome) {
  const auto found = waiting_.find(order);
  if (found == waiting_.end()) {
    return;
  }
  const Answered answered = std::move(found->second);
  waiting_.erase(found);
  answered(outcome);
}

}  // namespace bascule::admin
