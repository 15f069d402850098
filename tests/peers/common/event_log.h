#pragma once

#include <chrono>
#include <cstdint>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace bascule::peers {

using Json = nlohmann::json;

/// Seconds of CLOCK_MONOTONIC: comparable between all processes of one machine.
double monotonic_seconds();

/// JSON lines `{"t":..., "event":..., ...}` in a file, and the count of what the peer found wrong
/// with the program under test.
class EventLog {
 public:
  /// An empty path keeps events to ourselves; violations always go to stderr as well.
  /// Throws std::runtime_error when the file cannot be opened.
  explicit EventLog(const std::string& path);

  void write(std::string_view event, Json fields = Json::object());
  /// The program under test broke a rule: loud on stderr, counted, and the process will not exit
  /// with 0. `subject` says who saw it.
  void violation(std::string_view subject, const std::string& text);

  /// Called after each violation (`--strict`).
  void on_violation(std::function<void()> callback) { on_violation_ = std::move(callback); }
  [[nodiscard]] std::uint64_t violations() const { return violations_; }

 private:
  std::ofstream file_;
  std::function<void()> on_violation_;
  std::uint64_t violations_ = 0;
};

}  // namespace bascule::peers
