#pragma once

#include <cmath>
#include <cstdint>

#include "base/prng.h"

namespace bascule::sim::storm {

/// What a stream of random numbers is for. Streams of one seed are independent of each other, so
/// that a policy which draws more cannot change who arrives or how a bridge behaves.
enum class StreamUse : std::uint64_t {
  kPeople = 1,     ///< Sizes of conferences, arrivals, stays.
  kEvents = 2,     ///< Which bridges die, when they come back.
  kWarmStart = 3,  ///< Who starts where.
  kLoadNoise = 4,  ///< One stream per bridge.
  kReports = 5,    ///< One stream per bridge: phases, measuring noise, loss.
  kPolicy = 6,     ///< Whatever the policy draws.
};

/// Random numbers of the truth model: SplitMix64 with the usual transformations.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, StreamUse use, std::uint64_t index = 0)
      : prng_(
            Prng(Prng(seed * 1'000'003 + static_cast<std::uint64_t>(use)).next() + index).next()) {}

  /// In [0, 1).
  [[nodiscard]] double uniform() { return static_cast<double>(prng_.next() >> 11U) * 0x1.0p-53; }
  [[nodiscard]] double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// In [low, high].
  [[nodiscard]] int between(int low, int high) {
    return low + static_cast<int>(prng_.below(static_cast<std::uint64_t>(high - low) + 1));
  }
  [[nodiscard]] std::uint64_t below(std::uint64_t n) { return prng_.below(n); }
  [[nodiscard]] double exponential(double mean) { return -mean * std::log(1.0 - uniform()); }
  /// Mean 0, standard deviation 1 (Box and Muller, 1958).
  [[nodiscard]] double normal() {
    if (spare_valid_) {
      spare_valid_ = false;
      return spare_;
    }
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    const double angle = 6.283185307179586 * uniform();
    spare_ = radius * std::sin(angle);
    spare_valid_ = true;
    return radius * std::cos(angle);
  }

 private:
  Prng prng_;
  double spare_ = 0;
  bool spare_valid_ = false;
};

}  // namespace bascule::sim::storm
