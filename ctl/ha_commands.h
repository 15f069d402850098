#pragma once

#include <string>

namespace bascule::ctl {

/// What an operator does with two processes. Each command prints to stdout, errors to stderr, and
/// returns the exit status.
struct HaCommands {
  std::string url = "http://127.0.0.1:8888";
  bool json = false;

  /// Which one is active, and whether the other one could go on at once.
  [[nodiscard]] int status() const;
  /// Asks the active process to hand over; waits until the other one will go on.
  [[nodiscard]] int switchover() const;
};

}  // namespace bascule::ctl
