#pragma once

#include <cstdint>

#include "base/check.h"

namespace bascule {

/// SplitMix64 (Steele, Lea, Flood 2014): small, fast, and the same sequence on every platform,
/// which the standard distributions do not promise. Not for secrets.
class Prng {
 public:
  explicit constexpr Prng(std::uint64_t seed) : state_(seed) {}

  constexpr std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31U);
  }

  /// Uniform in [0, n), without modulo bias. n >= 1.
  constexpr std::uint64_t below(std::uint64_t n) {
    BASCULE_CHECK(n >= 1);
    const std::uint64_t threshold = (0 - n) % n;
    for (;;) {
      const std::uint64_t value = next();
      if (value >= threshold) {
        return value % n;
      }
    }
  }

 private:
  std::uint64_t state_;
};

}  // namespace bascule
