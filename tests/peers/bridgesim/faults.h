#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/prng.h"
#include "tests/peers/bridgesim/colibri.h"
#include "tests/peers/bridgesim/script.h"

namespace bascule::peers {

/// The lasting faults of one bridge: what an action switches on until it ends or `clear`. One-off
/// events (kill, partition, amnesia, ...) are not here.
class Faults {
 public:
  enum class Lie : std::uint8_t {
    kNone,
    kZero,
    kNegative,
    kNan,
    kTiny,
    kMissing,
    kWhitelist,
    kDuplicate,
    kExtra
  };
  enum class Drain : std::uint8_t { kOff, kOn, kAbsent };

  /// Switches on. False when the action is not a lasting fault.
  bool apply(const FaultAction& action);
  /// Switches the fault of this verb off.
  void end(const std::string& verb);
  void clear() { *this = Faults(); }

  /// The error to answer this request with, if one is injected. "no_answer" comes back as an error
  /// with an empty condition.
  std::optional<ColibriError> inject(const xml::Element& modify, Prng& random) const;

  bool zombie = false;
  bool deaf = false;  ///< Media is neither heard nor sent; XMPP goes on.
  std::optional<Milliseconds> slow;
  std::optional<Milliseconds> flap;
  std::optional<Milliseconds> clock_offset;
  bool stats_frozen = false;
  bool stats_absent = false;
  bool stats_elsewhere = false;  ///< Only to pubsub; the presence has none.
  bool stats_stopped = false;    ///< Nothing is published; a join repeats the last report.
  Lie lie = Lie::kNone;
  bool graceful = false;
  bool shutting_down = false;
  Drain drain = Drain::kOff;
  bool unhealthy_stats = false;
  bool unhealthy_iq = false;

 private:
  struct Injection {
    std::string error;
    double probability = 1;
    std::string kind = "any";
  };
  std::optional<Injection> injection_;
};

}  // namespace bascule::peers
