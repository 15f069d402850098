#pragma once

#include <compare>
#include <cstdint>

namespace bascule {

/// Load of a bridge in millionths: 1'000'000 is full. Fixed point, because decisions must not
/// depend on floating point rounding (ADR 0001).
class Stress {
 public:
  constexpr Stress() = default;
  explicit constexpr Stress(std::int64_t millionths) : millionths_(millionths) {}
  [[nodiscard]] static constexpr Stress full() { return Stress(1'000'000); }
  [[nodiscard]] constexpr std::int64_t millionths() const { return millionths_; }

  friend constexpr auto operator<=>(const Stress&, const Stress&) = default;
  friend constexpr Stress operator+(Stress a, Stress b) {
    return Stress(a.millionths_ + b.millionths_);
  }
  friend constexpr Stress operator-(Stress a, Stress b) {
    return Stress(a.millionths_ - b.millionths_);
  }
  constexpr Stress& operator+=(Stress other) {
    millionths_ += other.millionths_;
    return *this;
  }
  constexpr Stress& operator-=(Stress other) {
    millionths_ -= other.millionths_;
    return *this;
  }

 private:
  std::int64_t millionths_ = 0;
};

}  // namespace bascule
