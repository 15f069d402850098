// How `Placement` makes decisions: once per second what fades, and passes over the queue.

#include <algorithm>

#include "base/check.h"
#include "focus/placement_impl.h"

namespace bascule::focus {
namespace {

constexpr Duration kTickPeriod = std::chrono::seconds{1};
constexpr Milliunits kRoomProbe = 5'000;  // A bridge without this much room is full.
constexpr Duration kSpareRest = std::chrono::minutes{10};
constexpr Duration kIsolation = std::chrono::minutes{10};
constexpr Duration kFullLong = std::chrono::seconds{5};

}  // namespace

void Placement::Impl::drain(Now now, std::vector<Decision>& placed, std::vector<Move>& moves) {
  const Instant at = clock(now);
  loads_.drop_expired_plans(at);
  settle_if_due(at);
  tick_if_due(at);
  if (queue_.empty()) {
    next_pass_.reset();
  } else if (registry_.phase().link_is_up() && (!next_pass_ || at >= *next_pass_)) {
    flush(at);
    selector_.begin_pass();
    pace_.adapt(at);
    const std::size_t decisions =
        std::min<std::size_t>(options_.max_decisions_per_drain, pace_.available(at));
    const Admission::Pass pass =
        queue_.serve_pass(at, decisions, [&](const WaitingTicket& waiting, TicketClass its_class) {
          return serve(waiting, its_class, at, placed);
        });
    last_pass_ = at;
    if (queue_.empty()) {
      next_pass_.reset();
    } else if (pass.served >= options_.max_decisions_per_drain) {
      next_pass_ = at;
    } else if (!pass.complete) {
      next_pass_ = at + options_.drain_spacing;
    } else {
      next_pass_ = std::clamp(next_pace(at), at + options_.drain_spacing, at + options_.recheck);
    }
  }
  flush(at);
  moves.insert(moves.end(), moves_.begin(), moves_.end());
  moves_.clear();
}

std::optional<Instant> Placement::Impl::next_deadline() const {
  std::optional<Instant> earliest = registry_.phase().deadline();
  const auto consider = [&](std::optional<Instant> deadline) {
    if (deadline && (!earliest || *deadline < *earliest)) {
      earliest = deadline;
    }
  };
  consider(loads_.next_plan_end());
  consider(next_tick_);
  if (!queue_.empty() && registry_.phase().link_is_up()) {
    consider(next_pass_);
  }
  return earliest ? std::optional(pauses_.outside(*earliest)) : std::nullopt;
}

void Placement::Impl::tick_if_due(Instant now) {
  if (next_tick_ && now >= *next_tick_) {
    tick(now);
    const bool idle = registry_.all().empty() && loads_.all().empty() && queue_.empty();
    next_tick_ = idle ? std::nullopt : std::optional(now + kTickPeriod);
  }
}

void Placement::Impl::tick(Instant now) {
  loads_.refresh_growth(now);
  registry_.estimate_focuses();
  if (returns_until_ && now >= *returns_until_) {
    returns_until_.reset();
  }
  std::erase_if(pins_, [&](const auto& pin) { return pin.second.until <= now; });
  for (auto& [jid, bridge] : registry_.all()) {
    if (bridge.participants > 0 || !bridge.plans.empty() || fleet_full_) {
      bridge.empty_since = now;
    } else if (bridge.activated && now - bridge.empty_since >= kSpareRest) {
      bridge.activated = false;
    }
    if (bridge.isolates_alone) {
      const auto alone = bridge.conferences.find(*bridge.isolates_alone);
      if (alone == bridge.conferences.end() ||
          now - alone->second->rehomed_at.value_or(now) >= kIsolation) {
        bridge.isolates_alone.reset();
      }
    }
    sort_in(bridge, now);
  }
  flush(now);
  refresh_fleet(now);
  relieve_bridges(now);
  evacuate_bridges(now);
  if (fleet_full_ && full_since_ && now - *full_since_ >= kFullLong) {
    activate_spare(now);
  }
}

/// Figures of the whole fleet that decisions use until the next time. O(bridges).
void Placement::Impl::refresh_fleet(Instant now) {
  std::int64_t roomy = 0;
  std::int64_t usable = 0;
  std::int64_t blind = 0;
  std::int64_t working = 0;
  Blindness blindness;
  for (const auto& [jid, bridge] : registry_.all()) {
    if (!BridgeRegistry::works(bridge, now)) {
      continue;
    }
    ++working;
    blind += BridgeRegistry::is_blind(bridge, now) ? 1 : 0;
    ++blindness.working;
    blindness.blind += registry_.tells_nothing(bridge, now) ? 1U : 0U;
    if (bridge.bucket) {
      ++usable;
      roomy += Selector::fits(selector_.look(bridge, now), kRoomProbe, options_.limit_join, true);
    }
  }
  fleet_full_ = usable > 0 && roomy * 1000 < usable * options_.pressure_permille;
  // Without a link or a bridge there is nobody who could have told anything.
  if (blindness.working > 0 && registry_.phase().link_is_up() && !registry_.phase().settling()) {
    blindness_ = blindness;
  }
  // Entered above a half, left below a fifth: reports come in bursts.
  fleet_blind_ = fleet_blind_ ? blind * 5 > working : blind * 2 > working;
  if (!fleet_full_) {
    full_since_.reset();
  } else if (!full_since_) {
    full_since_ = now;
  }
  const std::int64_t per_bridge = std::chrono::seconds{1} / options_.placement_interval;
  pace_.set_ceiling(working * std::max<std::int64_t>(per_bridge, 1));
}

void Placement::Impl::flush(Instant now) {
  for (Bridge* bridge : loads_.take_touched()) {
    if (bridge->bucket || bridge->present) {
      sort_in(*bridge, now);
    }
  }
}

void Placement::Impl::wake(Instant now) {
  if (queue_.empty() || !next_pass_) {
    return;
  }
  const Instant soonest = last_pass_ ? std::max(now, *last_pass_ + options_.drain_spacing) : now;
  next_pass_ = std::min(*next_pass_, soonest);
}

/// When the next token of anybody falls due. O(bridges), once per blocked pass.
Instant Placement::Impl::next_pace(Instant now) const {
  Instant earliest = now + options_.recheck;
  if (pace_.earliest() > now) {
    return pace_.earliest();
  }
  for (const Bridge* bridge : selector_.open()) {
    if (bridge->limiter.earliest() > now) {
      earliest = std::min(earliest, bridge->limiter.earliest());
    }
  }
  return earliest;
}

}  // namespace bascule::focus
