#include "admin/load_history.h"

#include <algorithm>

namespace bascule::admin {
namespace {

constexpr std::uint16_t kAbsent = UINT16_MAX;

std::uint16_t to_permille(Stress stress) {
  return static_cast<std::uint16_t>(
      std::clamp<std::int64_t>(stress.millionths() / 1'000, 0, kAbsent - 1));
}

template <class Samples>
std::optional<std::uint16_t> highest(const Samples& ring, std::uint64_t first,
                                     std::uint64_t behind) {
  std::optional<std::uint16_t> most;
  for (std::uint64_t number = first; number < behind; ++number) {
    const std::uint16_t value = ring.at(number % ring.size());
    if (value != kAbsent && (!most || value > *most)) {
      most = value;
    }
  }
  return most;
}

}  // namespace

void LoadHistory::sample(const std::vector<focus::BridgeView>& views, Now now) {
  advance(now);
  for (const focus::BridgeView& view : views) {
    if (!view.present) {
      continue;
    }
    auto track = tracks_.find(view.bridge);
    if (track == tracks_.end()) {
      if (tracks_.size() >= bridges_max_) {
        continue;
      }
      track = tracks_.emplace(view.bridge, Track{}).first;
      track->second.permille.fill(kAbsent);
    }
    track->second.permille.at(samples_ % kSamples) = to_permille(view.expected);
    track->second.limit = view.limit;
    track->second.seen = samples_;
  }
  newest_at_ = now.wall;
  sampled_at_ = now.mono;
}

void LoadHistory::advance(Now now) {
  std::int64_t slots = 1;
  if (newest_at_) {
    const Duration passed = now.mono - sampled_at_;
    slots = std::clamp<std::int64_t>((passed + kInterval / 2) / kInterval, 1, kSamples);
  }
  for (; slots > 0; --slots) {
    next_slot();
  }
  std::erase_if(tracks_,
                [this](const auto& entry) { return entry.second.seen + kSamples <= samples_; });
}

void LoadHistory::next_slot() {
  ++samples_;
  for (auto& [bridge, track] : tracks_) {
    track.permille.at(samples_ % kSamples) = kAbsent;
  }
}

LoadHistory::Line LoadHistory::to_line(const BridgeJid& bridge, const Track& track,
                                       std::size_t steps, std::size_t samples_per_step) const {
  Line line{.nick = bridge.jid().resource(),
            .limit = static_cast<double>(track.limit.millionths()) / 1e6,
            .loads = {}};
  line.loads.reserve(steps);
  for (std::size_t left = steps; left > 0; --left) {
    const std::uint64_t age = left * samples_per_step;  // Of the first sample of this step, plus 1.
    const std::uint64_t first = samples_ + 1 > age ? samples_ + 1 - age : 1;
    const std::uint64_t behind =
        samples_ + 1 + samples_per_step > age ? samples_ + 1 + samples_per_step - age : 1;
    const auto most = highest(track.permille, first, behind);
    line.loads.push_back(most ? std::optional(static_cast<double>(*most) / 1e3) : std::nullopt);
  }
  return line;
}

std::vector<LoadHistory::Line> LoadHistory::lines(std::size_t steps,
                                                  std::size_t samples_per_step) const {
  std::vector<Line> lines;
  const std::uint64_t samples = steps * samples_per_step;
  for (const auto& [bridge, track] : tracks_) {
    if (track.seen + samples > samples_) {
      lines.push_back(to_line(bridge, track, steps, samples_per_step));
    }
  }
  return lines;
}

std::vector<LoadHistory::Line> LoadHistory::line(const BridgeJid& bridge, std::size_t steps,
                                                 std::size_t samples_per_step) const {
  const auto track = tracks_.find(bridge);
  return track == tracks_.end()
             ? std::vector<Line>()
             : std::vector<Line>{to_line(bridge, track->second, steps, samples_per_step)};
}

}  // namespace bascule::admin
