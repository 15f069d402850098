#include "sim/checkers.h"

#include <algorithm>

namespace bascule::sim {
namespace {

const FakeBridge::Conference* find(const FakeBridge& bridge, const std::string& meeting) {
  const auto found = bridge.meetings().find(meeting);
  return found == bridge.meetings().end() ? nullptr : &found->second;
}

/// What `near` has got wrong about `far`.
std::string relay_problem(const FakeBridge& near, const FakeBridge& far, const std::string& meeting,
                          const std::function<bool(const std::string&)>& gone) {
  const std::string who = near.nick() + " of " + far.nick() + " in " + meeting + ": ";
  const auto& relays = find(near, meeting)->relays.all();
  const auto relay = relays.find(far.relay_id());
  const FakeBridge::Conference* there = find(far, meeting);
  if (there == nullptr) {
    return relay == relays.end() ? "" : who + "a relay to where nobody is";
  }
  if (relay == relays.end()) {
    return who + "no relay";
  }
  const auto back = there->relays.all().find(near.relay_id());
  if (back == there->relays.all().end() || relay->second.remote != back->second.ufrag) {
    return who + "not the transport of its relay";
  }
  for (const auto& [id, endpoint] : there->endpoints) {
    const auto known = relay->second.endpoints.find(id);
    if (known == relay->second.endpoints.end()) {
      return who + "does not know " + id;
    }
    if (known->second != endpoint.sources) {
      return who + "does not know the sources of " + id;
    }
  }
  for (const auto& [id, sources] : relay->second.endpoints) {
    if (!there->endpoints.contains(id) && !gone(id)) {
      return who + "still knows " + id;
    }
  }
  return {};
}

}  // namespace

std::string relay_problem(const std::vector<std::unique_ptr<FakeBridge>>& bridges,
                          const std::function<bool(const std::string&)>& gone) {
  for (const auto& near : bridges) {
    for (const auto& [meeting, conference] : near->meetings()) {
      for (const auto& far : bridges) {
        if (near != far) {
          if (std::string problem = relay_problem(*near, *far, meeting, gone); !problem.empty()) {
            return problem;
          }
        }
      }
    }
  }
  return {};
}

std::size_t PaceChecker::window_limit() const {
  return options_.placement_burst +
         static_cast<std::size_t>((kWindow + kJitter) / options_.placement_interval) + 1;
}

void PaceChecker::observe(const focus::Action& action, Instant now) {
  const auto* iq = std::get_if<focus::out::SendIq>(&action);
  const auto* modify = iq != nullptr ? std::get_if<proto::ConferenceModify>(&iq->payload) : nullptr;
  if (modify == nullptr) {
    return;
  }
  const auto created = std::count_if(modify->endpoints.begin(), modify->endpoints.end(),
                                     [](const auto& endpoint) { return endpoint.create; });
  auto& recent = recent_[iq->to];
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
