#include "focus/audit.h"

#include <algorithm>

namespace bascule::focus {
namespace {

constexpr TimerKey kTimer{TimerKind::kAudit};
/// Bridges and rooms are found again first; nothing can be asked without the links anyway.
constexpr Duration kLinksAwait = std::chrono::seconds{1};

}  // namespace

void Audit::start(const ConferenceTable& conferences, Turn& turn) {
  if (!turn.options().audit) {
    return;
  }
  is_fast_ = conferences.size() > 0;
  round_began_ = turn.now.mono;
  turn.set_timer(kTimer, kLinksAwait);
}

void Audit::on_timer(ConferenceTable& conferences, Turn& turn, Surroundings& around) {
  const bool can_ask = turn.shared.is_up(StreamId::kClient) &&
                       turn.shared.is_up(StreamId::kService) && !conferences.is_reentering();
  if (!can_ask) {
    turn.set_timer(kTimer, kLinksAwait);
    return;
  }
  const Options& options = turn.options();
  const Duration spacing = is_fast_ ? options.audit_spacing_first : options.audit_spacing;
  Conference* conference = conferences.after(last_);
  if (conference == nullptr) {
    last_ = ConferenceId(0);
    is_fast_ = false;
    const Instant next = std::max(round_began_ + options.audit_round, turn.now.mono + spacing);
    round_began_ = next;
    turn.shared.deadlines.set(kTimer, next);
    return;
  }
  if (conference->audit(turn, around) == Conference::Audited::kWholly) {
    last_ = conference->id();
    ++turn.counters().audited;
  }
  turn.set_timer(kTimer, spacing);
}

}  // namespace bascule::focus
