// How decisions become media: at once, or when somebody slow has answered.

#include <algorithm>

#include "base/check.h"
#include "sim/storm/run.h"

namespace bascule::sim::storm {
namespace {

constexpr Step kAnswerTimeout = 150;  // 15 s: the other side is taken for dead.
constexpr Step kPoisonTakes = 100;    // 10 s.

}  // namespace

void StormRun::carry_out(Duration at) {
  for (const Placed& placed : decided_) {
    BASCULE_CHECK(fleet_.reachable(placed.bridge));
    BASCULE_CHECK(media_.placed(placed.person) || people_.waiting(placed.person));
    Answer answer{
        .person = placed.person, .serial = ++serials_[placed.person], .bridge = placed.bridge};
    const Step due = next_answer(placed.bridge);
    const Step heard = std::min(due, now_ + kAnswerTimeout);
    answer.lost = due > heard;
    // Answers within a step are part of what a join takes in this model.
    answer.carried_out = heard <= now_ + 1;
    if (answer.carried_out) {
      use(placed.person, placed.bridge, at);
    }
    answers_.emplace(heard, answer);
  }
  decided_.clear();
}

/// When the next placement will be answered: bridges take a while, the XMPP server does one after
/// the other.
Step StormRun::next_answer(BridgeId bridge) {
  const Scenario& scenario = *setup_.scenario;
  const bool slow = scenario.slow_every > 0 && bridge % scenario.slow_every == 0;
  const Step bridge_takes = step_after(slow ? scenario.slow_answer : setup_.truth.answer);
  if (setup_.truth.server_rate <= 0) {
    return now_ + bridge_takes;
  }
  server_busy_until_ = std::max(server_busy_until_, static_cast<double>(now_)) +
                       1 / (setup_.truth.server_rate * kStepSeconds);
  return static_cast<Step>(server_busy_until_) + bridge_takes;
}

void StormRun::use(PersonId person, BridgeId bridge, Duration at) {
  if (media_.placed(person)) {
    remove_media(person);
    ++result_.moves;
  }
  media_.place(person, people_.room_of(person), bridge, now_);
  people_.placed(person, bridge, fleet_, at);
}

void StormRun::hear_answers(Step now) {
  const Duration at = time_of(now);
  while (!answers_.empty() && answers_.begin()->first <= now) {
    const Answer answer = answers_.begin()->second;
    answers_.erase(answers_.begin());
    if (serials_[answer.person] != answer.serial) {
      continue;  // Left, or placed again.
    }
    if (answer.lost) {
      policy_of(answer.person).not_answered(answer.person, clock(at));
      lose_media(answer.person, at);
      request(answer.person, RequestKind::kJoin, at);
      continue;
    }
    if (!answer.carried_out) {
      use(answer.person, answer.bridge, at);
    }
    policy_of(answer.person).confirmed(answer.person, clock(at));
  }
}

/// The conference kills every bridge it is on for a while.
void StormRun::poison(Step now) {
  if (!script_.poison) {
    return;
  }
  const std::vector<BridgeId> used = media_.bridges_of(*script_.poison);
  std::erase_if(poisoned_, [&](const Poisoned& one) {
    return std::find(used.begin(), used.end(), one.bridge) == used.end();
  });
  for (const BridgeId bridge : used) {
    const auto known = std::find_if(poisoned_.begin(), poisoned_.end(),
                                    [&](const Poisoned& one) { return one.bridge == bridge; });
    if (known == poisoned_.end()) {
      poisoned_.push_back({bridge, now});
    } else if (now - known->since == kPoisonTakes) {
      fleet_.kill(bridge, now);
      ++result_.poisoned;
    }
  }
}

}  // namespace bascule::sim::storm
