#include "sim/checkers.h"

#include <algorithm>

namespace bascule::sim {

std::size_t PaceChecker::window_limit() const {
  return options_.placement_burst +
         static_cast<std::size_t>((kWindow + kJitter) / options_.placement_interval) + 1;
}

void PaceChecker::observe(const focus::Action& action, Instant now, std::uint64_t process) {
  const auto* iq = std::get_if<focus::out::SendIq>(&action);
  const auto* modify = iq != nullptr ? std::get_if<proto::ConferenceModify>(&iq->payload) : nullptr;
  if (modify == nullptr) {
    return;
  }
  const auto created = std::count_if(modify->endpoints.begin(), modify->endpoints.end(),
                                     [](const auto& endpoint) { return endpoint.create; });
  auto& recent = recent_[{iq->to, process}];
  for (std::ptrdiff_t i = 0; i < created; ++i) {
    ++placements_;
    recent.push_back(now);
  }
  while (!recent.empty() && recent.front() <= now - kWindow) {
    recent.pop_front();
  }
  window_max_ = std::max(window_max_, recent.size());
  if (recent.size() > window_limit()) {
    complaints_.push_back("pace of " + iq->to.to_string() +
                          " exceeded: " + std::to_string(recent.size()) + " placements in 5 s");
  }
}

}  // namespace bascule::sim
