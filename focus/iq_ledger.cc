#include "focus/iq_ledger.h"

#include <utility>

namespace bascule::focus {

RequestId IqLedger::open(IqNote note) {
  const RequestId request(++last_);
  notes_.emplace(request, std::move(note));
  return request;
}

std::optional<IqNote> IqLedger::close(RequestId request) {
  const auto entry = notes_.find(request);
  if (entry == notes_.end()) {
    return std::nullopt;
  }
  IqNote note = std::move(entry->second);
  notes_.erase(entry);
  return note;
}

}  // namespace bascule::focus
