#include "focus/stress_ledger.h"

#include <algorithm>
#include <cstdlib>

#include "base/check.h"

namespace bascule::focus {
namespace {

constexpr Duration kMergeWithin = std::chrono::milliseconds{250};
constexpr Duration kSetupAndSlack = std::chrono::milliseconds{1500};  // Setup plus merging, twice.
constexpr std::size_t kEntriesMax = 512;  // Reached only by a bridge that never reports.

constexpr std::int64_t kCostMin = 500;      // 0.0005 to 0.25 stress per unit: from the largest
constexpr std::int64_t kCostMax = 250'000;  // machines to ones that four people fill.
constexpr int kConfirmed = 3;
constexpr std::int64_t kDeathStress = 950'000;
constexpr Milliunits kUnit = 1000;

// Reached after four minutes of silence: counts that no sample corrects drift. Only where whoever
// does not fit can go to another bridge; a meeting that cannot be split would wait for nothing.
constexpr std::int64_t kLongSilencePermille = 60;
constexpr Milliunits kWindowUnits = 30'000;  // Placed unseen in a whole window, whatever the cost.
constexpr std::int64_t kIdleBaseMax = 300'000;
constexpr std::int64_t kWindowOpeningPerSecond = 20'000;  // Millionths, while nothing is reported.

}  // namespace

StressLedger::StressLedger(const PlacementOptions& options)
    : ramp_(options.ramp),
      window_(options.sample_window),
      half_period_(options.publish_period / 2),
      stale_after_(options.stale_after),
      blind_after_(options.blind_after),
      margin_permille_(options.margin_permille),
      long_silence_permille_(options.relays ? kLongSilencePermille : 0),
      windowed_(options.unknown_window > Stress()),
      cost_(std::clamp(options.stress_per_unit.millionths(), kCostMin, kCostMax)),
      deviation_(cost_ * 3 / 10),
      unknown_window_(options.unknown_window.millionths()) {
}

void StressLedger::joined(Milliunits load, Instant at) {
  append(Kind::kJoin, load, at);
}

void StressLedger::left(Milliunits load, Milliunits own_join, Instant joined_at, Instant at) {
  if (at - joined_at < ramp_ + window_ + std::chrono::seconds{1}) {
    const auto after = std::upper_bound(joins_.begin(), joins_.end(), joined_at,
                                        [](Instant t, const Entry& e) { return t < e.at; });
    if (after != joins_.begin() && joined_at - std::prev(after)->at < kMergeWithin) {
      change(Kind::kJoin, *std::prev(after), -own_join);
      own_ -= own_join;
      load -= own_join;  // What is left: others became heavier or lighter in between.
    }
  }
  append(Kind::kLeave, -load, at);
}

void StressLedger::restored(Milliunits load) {
  own_ += load;
}

void StressLedger::restored(Milliunits load, Instant joined_at) {
  own_ += load;
  const auto after = std::upper_bound(joins_.begin(), joins_.end(), joined_at,
                                      [](Instant t, const Entry& e) { return t < e.at; });
  const bool is_full = joins_.size() >= kEntriesMax;
  const bool merges =
      after != joins_.begin() && (is_full || joined_at - std::prev(after)->at < kMergeWithin);
  const auto entry = merges    ? std::prev(after)
                     : is_full ? after
                               : joins_.insert(after, {joined_at, 0});
  change(Kind::kJoin, *entry, load);
}

void StressLedger::cleared() {
  joins_.clear();
  leaves_.clear();
  own_ = foreign_ = unaccounted_ = uncertain_ = 0;
  reported_ = Stress();
  contained_ = 0;
  sampled_at_.reset();
  sample_heard_at_.reset();
  heard_at_.reset();
}

bool StressLedger::report(Stress stress, Instant at, bool learn, ReportOrigin origin) {
  heard_at_ = at;
  origin_ = origin;
  if (sampled_at_ && stress == reported_) {
    if (at - *sample_heard_at_ < window_ + 2 * half_period_) {
      return false;
    }
    // Certainly measured again, at the latest one window before this report was published. A gauge
    // may also be stuck: it confirms what is new to us, but never changes what we know.
    const Milliunits contained_before = contained_;
    sample_heard_at_ = at;
    accept_sample(at - window_ - 2 * half_period_);
    if (learn && confirmations_ < kConfirmed && contained_ == contained_before) {
      learn_from_sample();
    }
    return true;
  }
  reported_ = stress;
  sample_heard_at_ = at;
  accept_sample(at - half_period_);
  if (learn) {
    learn_from_sample();
  }
  return true;
}

void StressLedger::accept_sample(Instant sampled_at) {
  sampled_at_ = sampled_at_ ? std::max(*sampled_at_, sampled_at) : sampled_at;
  const Instant oldest = *sampled_at_ - (ramp_ + window_ + kSetupAndSlack);
  for (Entries* entries : {&joins_, &leaves_}) {
    while (!entries->empty() && entries->front().at < oldest) {
      entries->pop_front();
    }
  }
  recount();
  contained_ = own_ + foreign_ - unaccounted_;
  if (confirmations_ >= kConfirmed) {
    const std::int64_t predicted = base_ + stress_of(contained_, Stress(cost_)).millionths();
    sample_error_ = std::abs(reported_.millionths() - predicted);
  }
}

void StressLedger::set_prior(Stress cost_per_unit) {
  if (confirmations_ == 0) {
    cost_ = std::clamp(cost_per_unit.millionths(), kCostMin, kCostMax);
    deviation_ = cost_ * 3 / 10;
  }
}

void StressLedger::died(Instant now) {
  const bool measured = confirmations_ >= 2 && heard_at_ && now - *heard_at_ <= blind_after_;
  const Milliunits load = own_ + foreign_;
  if (!measured && load >= 20 * kUnit) {
    cost_ = std::min(kCostMax, std::max(cost_, kDeathStress * kUnit / load));
    deviation_ = std::clamp(deviation_, cost_ / 50, cost_);
  }
}

void StressLedger::set_learned(const Learned& learned) {
  cost_ = std::clamp(learned.cost.millionths(), kCostMin, kCostMax);
  deviation_ = std::clamp(learned.deviation.millionths(), cost_ / 50, cost_);
  confirmations_ = std::clamp(learned.confirmations, 0, kConfirmed);
}

Stress StressLedger::estimate(Instant now) const {
  const Milliunits all = own_ + foreign_;
  std::int64_t model = stress_of(all, Stress(cost_)).millionths();
  std::int64_t corrected =
      reported_.millionths() + stress_of(unaccounted_, cost_with_margin()).millionths();
  if (unaccounted_ > 0 && focuses_permille_ > 1000) {
    corrected += stress_of(unaccounted_ * (focuses_permille_ - 1000) / 1000, cost_with_margin())
                     .millionths();
  }
  const std::int64_t confidence = this->confidence(now);
  if (confidence < kFullConfidence) {
    model = raised(stress_of(all, cost_with_margin()), now).millionths();
  }
  if (confidence < kLateConfidence) {
    corrected = model;
  }
  return Stress(std::max({std::int64_t{0}, corrected, model}));
}

std::int64_t StressLedger::confidence(Instant now) const {
  if (!heard_at_) {
    return confirmations_ > 0 ? kRememberedConfidence : 0;
  }
  return confidence_permille(origin_, now - *heard_at_, stale_after_, blind_after_);
}

Stress StressLedger::raised(Stress stress, Instant now) const {
  return Stress(stress.millionths() * (1000 + caution(now)) / 1000);
}

Stress StressLedger::cost_of_more(Instant now) const {
  return Stress((cost_with_margin().millionths() * (1000 + caution(now)) + 999) / 1000);
}

bool StressLedger::within_window(Milliunits load, Instant now) const {
  if (!windowed_ || confirmations_ >= kConfirmed) {
    return true;
  }
  std::int64_t window = unknown_window_ << confirmations_;
  if (heard_at_ && now - *heard_at_ > std::chrono::seconds{20}) {
    const auto silent = now - *heard_at_ - std::chrono::seconds{20};
    window +=
        std::min<std::int64_t>(silent / std::chrono::seconds{1}, 60) * kWindowOpeningPerSecond;
  }
  const Milliunits pending = std::max<Milliunits>(0, unaccounted_) + load;
  return stress_of(pending, cost_with_margin()).millionths() <= window &&
         pending <= kWindowUnits * window / std::max<std::int64_t>(unknown_window_, 1);
}

void StressLedger::idle_sample(Stress stress) {
  if (own_ + foreign_ == 0 && joins_.empty() && leaves_.empty()) {
    base_ += (std::clamp<std::int64_t>(stress.millionths(), 0, kIdleBaseMax) - base_) / 4;
  }
}

Milliunits StressLedger::unexplained() const {
  const Milliunits all = own_ + foreign_;
  if (confirmations_ < kConfirmed || uncertain_ * 10 > all * 3) {
    return 0;
  }
  const Milliunits shown =
      std::max<std::int64_t>(reported_.millionths() - base_, 0) * kUnit / cost_;
  return std::max<Milliunits>(0, shown - (own_ - unaccounted_));
}

Stress StressLedger::cost_with_margin() const {
  return Stress(cost_ + deviation_ * margin_permille_ / 1000);
}

void StressLedger::append(Kind kind, Milliunits load, Instant at) {
  own_ += load;
  Entries& list = entries(kind);
  BASCULE_CHECK(list.empty() || list.back().at <= at);
  if (list.empty() || at - list.back().at >= kMergeWithin) {
    if (list.size() == kEntriesMax) {
      // Counted as younger than it is, which errs on the safe side for joins.
      change(kind, list[1], list[0].load);
      change(kind, list[0], -list[0].load);
      list.pop_front();
    }
    list.push_back({at, 0});
  }
  change(kind, list.back(), load);
}

void StressLedger::change(Kind kind, Entry& entry, Milliunits delta) {
  const Milliunits before = hidden_part(kind, entry);
  entry.load += delta;
  const Milliunits after = hidden_part(kind, entry);
  unaccounted_ += after - before;
  uncertain_ += std::abs(after) - std::abs(before);
}

Milliunits StressLedger::hidden_part(Kind kind, const Entry& entry) const {
  if (!sampled_at_ || entry.at >= *sampled_at_) {
    return entry.load;
  }
  const Duration age = *sampled_at_ - entry.at;
  const std::int64_t visible = kind == Kind::kJoin ? visible_join_share(age, ramp_, window_)
                                                   : visible_leave_share(age, window_);
  return entry.load * (kWholeShare - visible) / kWholeShare;
}

void StressLedger::recount() {
  unaccounted_ = uncertain_ = 0;
  for (const Kind kind : {Kind::kJoin, Kind::kLeave}) {
    for (const Entry& entry : entries(kind)) {
      const Milliunits hidden = hidden_part(kind, entry);
      unaccounted_ += hidden;
      uncertain_ += std::abs(hidden);
    }
  }
}

/// Exponentially weighted mean with mean deviation, as TCP estimates its round trip (RFC 6298):
/// quick upwards, slow downwards, and only from samples that mostly hold settled load.
void StressLedger::learn_from_sample() {
  const Milliunits all = own_ + foreign_;
  const Milliunits contained = all - unaccounted_;
  const std::int64_t stress = std::max<std::int64_t>(0, reported_.millionths() - base_);
  // A gauge at its noise floor says nothing, unless many units are known to be in it.
  const bool readable = stress > 20'000 || (stress >= 1'000 && contained >= 20 * kUnit);
  if (!readable || contained < 4 * kUnit) {
    return;
  }
  const std::int64_t quotient = stress * kUnit / contained;
  if (confirmations_ < kConfirmed) {
    if (contained < 5 * kUnit || contained * 10 < all * 4) {
      return;
    }
    if (confirmations_ == 0) {
      cost_ = std::max(quotient, cost_ * 3 / 10);
      deviation_ = cost_ * 3 / 10;
    } else {
      move_cost_toward(quotient, 2, 2);
    }
    ++confirmations_;
  } else if (contained >= 6 * kUnit && uncertain_ * 2 <= all) {
    // Such a gauge reads too low; what the machine does besides is in what it reads.
    const bool saturated = reported_.millionths() > 1'060'000 && quotient < cost_;
    if (!saturated) {
      const std::int64_t step = quotient > cost_ ? 2 : 4;
      move_cost_toward(quotient, step, step);
    }
  } else if (quotient * 10 > cost_with_margin().millionths() * 13) {
    move_cost_toward(quotient, 4, 10);  // Unsettled but alarming.
  }
  cost_ = std::clamp(cost_, kCostMin, kCostMax);
  deviation_ = std::clamp(deviation_, cost_ / 50, cost_);
}

void StressLedger::move_cost_toward(std::int64_t quotient, std::int64_t cost_step,
                                    std::int64_t deviation_step) {
  deviation_ += (std::abs(quotient - cost_) - deviation_) / deviation_step;
  cost_ += (quotient - cost_) / cost_step;
}

void StressLedger::check_invariants() const {
  Milliunits sum = 0;
  Milliunits absolute = 0;
  for (const Kind kind : {Kind::kJoin, Kind::kLeave}) {
    std::optional<Instant> previous;
    for (const Entry& entry : kind == Kind::kJoin ? joins_ : leaves_) {
      BASCULE_CHECK(!previous || *previous < entry.at);
      BASCULE_CHECK(!sampled_at_ || entry.at >= *sampled_at_ - (ramp_ + window_ + kSetupAndSlack));
      previous = entry.at;
      const Milliunits hidden = hidden_part(kind, entry);
      sum += hidden;
      absolute += std::abs(hidden);
    }
  }
  BASCULE_CHECK(sum == unaccounted_ && absolute == uncertain_);
  BASCULE_CHECK(own_ >= 0 && foreign_ >= 0);
}

}  // namespace bascule::focus
