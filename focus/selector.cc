#include "focus/selector.h"

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace bascule::focus {
namespace {

constexpr int kDraws = 12;

}  // namespace

Selector::Selector(const BridgeRegistry& registry, const PlacementOptions& options)
    : registry_(registry), bucket_width_(options.bucket_width) {
}

void Selector::sort_in(Bridge& bridge, Instant now) {
  if (!BridgeRegistry::takes_new(bridge, now)) {
    take_out(bridge);
    return;
  }
  const std::size_t bucket = bucket_of(look(bridge, now));
  if (bridge.bucket == bucket) {
    return;
  }
  if (bridge.bucket) {
    std::vector<Bridge*>& old = buckets_[*bridge.bucket];
    old.back()->position = bridge.position;
    std::swap(old[bridge.position], old.back());
    old.pop_back();
    if (old.empty()) {
      occupied_[*bridge.bucket / 64] &= ~(std::uint64_t{1} << (*bridge.bucket % 64));
    }
  } else {
    bridge.open_position = open_.size();
    open_.push_back(&bridge);
  }
  bridge.bucket = bucket;
  bridge.position = buckets_[bucket].size();
  buckets_[bucket].push_back(&bridge);
  occupied_[bucket / 64] |= std::uint64_t{1} << (bucket % 64);
}

void Selector::take_out(Bridge& bridge) {
  if (!bridge.bucket) {
    return;
  }
  std::vector<Bridge*>& bucket = buckets_[*bridge.bucket];
  bucket.back()->position = bridge.position;
  std::swap(bucket[bridge.position], bucket.back());
  bucket.pop_back();
  if (bucket.empty()) {
    occupied_[*bridge.bucket / 64] &= ~(std::uint64_t{1} << (*bridge.bucket % 64));
  }
  open_.back()->open_position = bridge.open_position;
  std::swap(open_[bridge.open_position], open_.back());
  open_.pop_back();
  bridge.bucket.reset();
}

Candidate Selector::look(const Bridge& bridge, Instant now) const {
  Candidate candidate;
  candidate.estimate = bridge.ledger.estimate(now);
  candidate.cost_per_unit = bridge.ledger.cost_of_more(now);
  candidate.growth = stress_of(bridge.growth, candidate.cost_per_unit);
  candidate.capacity = registry_.capacity(bridge, now);
  return candidate;
}

Choice Selector::choose(const Need& need, Instant now, Prng& prng) {
  if (const Refused* refused = refused_before(need);
      refused != nullptr && refused->load <= need.load) {
    return refused->choice;
  }
  if (registry_.focuses_permille() > 1000 && need.pace_matters && !need.lowest) {
    const Choice drawn = draw_two(need, now, prng);
    if (drawn.bridge != nullptr) {
      return drawn;
    }
  }
  const Choice choice = scan(need, now, prng);
  // With filters nobody may be left although others have room: only true for this need.
  const bool ordinary = need.regions == nullptr && need.version == nullptr && need.avoid.empty() &&
                        need.pace_matters && !need.wants_relay && !need.emptier_than &&
                        !need.beside_suspect;
  if (ordinary && choice.bridge == nullptr) {
    remember_refusal(need, choice);
  }
  return choice;
}

Selector::Refused* Selector::refused_before(const Need& need) {
  if (!need.pace_matters || need.beside_suspect) {
    return nullptr;
  }
  const auto found = std::find_if(refused_.begin(), refused_.end(), [&](const Refused& refused) {
    return refused.limit == need.limit && refused.respect_growth == need.respect_growth;
  });
  return found == refused_.end() ? nullptr : &*found;
}

void Selector::remember_refusal(const Need& need, const Choice& choice) {
  if (Refused* refused = refused_before(need)) {
    refused->load = need.load;
    refused->choice = choice;
  } else {
    refused_.push_back({need.limit, need.respect_growth, need.load, choice});
  }
}

bool Selector::suits(const Bridge& bridge, const Need& need, Instant now) const {
  if (need.wants_relay && !bridge.relay_id) {
    return false;
  }
  if (need.version != nullptr && bridge.version != *need.version) {
    return false;
  }
  if (need.regions != nullptr &&
      (!bridge.region || std::find(need.regions->begin(), need.regions->end(), *bridge.region) ==
                             need.regions->end())) {
    return false;
  }
  if (bridge.isolates_alone && !need.emptier_than && !need.beside_suspect) {
    return false;
  }
  if (need.emptier_than &&
      (!bridge.conferences.empty() || bridge.ledger.estimate(now) > *need.emptier_than)) {
    return false;
  }
  return std::find(need.avoid.begin(), need.avoid.end(), &bridge) == need.avoid.end();
}

Choice Selector::scan(const Need& need, Instant now, Prng& prng) const {
  Choice choice;
  Stress lowest;
  for (auto bucket = next_bucket(0); bucket; bucket = next_bucket(*bucket + 1)) {
    // Everybody from here on is at least this loaded, and capacities are at most full.
    const Stress least(static_cast<std::int64_t>(*bucket) * bucket_width_.millionths());
    if (need.respect_growth && least > need.limit) {
      break;
    }
    const std::vector<Bridge*>& equals = buckets_[*bucket];
    const auto first = need.lowest ? 0 : static_cast<std::size_t>(prng.below(equals.size()));
    for (std::size_t i = 0; i < equals.size(); ++i) {
      Bridge* bridge = equals[(first + i) % equals.size()];
      ++choice.looked_at;
      if (!suits(*bridge, need, now)) {
        continue;
      }
      choice.anybody_suits = true;
      const Candidate candidate = look(*bridge, now);
      if (!fits(candidate, need.load, need.limit, need.respect_growth)) {
        continue;
      }
      choice.capacity_seen = true;
      if (need.pace_matters && !registry_.is_ready(*bridge, now)) {
        continue;
      }
      const Stress load = candidate.estimate + candidate.growth;
      if (need.lowest) {
        if (choice.bridge == nullptr || load < lowest) {
          choice.bridge = bridge;
          lowest = load;
        }
      } else {
        choice.bridge = bridge;
        break;
      }
    }
    if (choice.bridge != nullptr) {
      break;
    }
  }
  return choice;
}

/// Two random bridges up to twelve times; the less loaded one that fits and is ready.
Choice Selector::draw_two(const Need& need, Instant now, Prng& prng) const {
  Choice choice;
  if (open_.empty()) {
    return choice;
  }
  for (int draw = 0; draw < kDraws && choice.bridge == nullptr; ++draw) {
    Stress best;
    for (int i = 0; i < 2; ++i) {
      Bridge* bridge = open_[prng.below(open_.size())];
      ++choice.looked_at;
      if (!suits(*bridge, need, now)) {
        continue;
      }
      const Candidate candidate = look(*bridge, now);
      const Stress load = candidate.estimate + candidate.growth;
      if (fits(candidate, need.load, need.limit, need.respect_growth) &&
          registry_.is_ready(*bridge, now) && (choice.bridge == nullptr || load < best)) {
        choice.bridge = bridge;
        best = load;
      }
    }
  }
  choice.capacity_seen = choice.anybody_suits = choice.bridge != nullptr;
  return choice;
}

std::vector<const Bridge*> Selector::lowest(std::size_t count) const {
  std::vector<const Bridge*> found;
  for (auto bucket = next_bucket(0); bucket; bucket = next_bucket(*bucket + 1)) {
    for (const Bridge* bridge : buckets_[*bucket]) {
      if (found.size() == count) {
        return found;
      }
      found.push_back(bridge);
    }
  }
  return found;
}

bool Selector::fits(const Candidate& candidate, Milliunits load, Stress limit,
                    bool respect_growth) {
  const Stress before = respect_growth ? candidate.estimate + candidate.growth : candidate.estimate;
  const Stress most(limit.millionths() * candidate.capacity.millionths() / 1'000'000);
  return before + stress_of(load, candidate.cost_per_unit) <= most;
}

std::size_t Selector::bucket_of(const Candidate& candidate) const {
  const std::int64_t load = (candidate.estimate + candidate.growth).millionths();
  return static_cast<std::size_t>(
      std::clamp<std::int64_t>(load / bucket_width_.millionths(), 0, kBuckets - 1));
}

std::optional<std::size_t> Selector::next_bucket(std::size_t from) const {
  for (std::size_t word = from / 64; word < occupied_.size(); ++word) {
    const std::uint64_t rest =
        word == from / 64 ? occupied_[word] & (~std::uint64_t{0} << (from % 64)) : occupied_[word];
    if (rest != 0) {
      return word * 64 + static_cast<std::size_t>(std::countr_zero(rest));
    }
  }
  return std::nullopt;
}

void Selector::check_invariants(Instant now) const {
  std::size_t sorted = 0;
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    const bool occupied = (occupied_[bucket / 64] >> (bucket % 64) & 1U) != 0;
    BASCULE_CHECK(occupied == !buckets_[bucket].empty());
    for (std::size_t i = 0; i < buckets_[bucket].size(); ++i) {
      BASCULE_CHECK(buckets_[bucket][i]->bucket == bucket && buckets_[bucket][i]->position == i);
      ++sorted;
    }
  }
  BASCULE_CHECK(sorted == open_.size());
  for (std::size_t i = 0; i < open_.size(); ++i) {
    BASCULE_CHECK(open_[i]->open_position == i);
  }
  for (const auto& [jid, bridge] : registry_.all()) {
    if (bridge.bucket && !BridgeRegistry::is_blind(bridge, now)) {
      // Reports that age raise the estimate until the next refresh; it never falls by itself.
      BASCULE_CHECK(*bridge.bucket <= bucket_of(look(bridge, now)));
    }
  }
}

}  // namespace bascule::focus
