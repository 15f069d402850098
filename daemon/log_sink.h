#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/time.h"
#include "focus/note.h"

namespace bascule::daemon {

enum class LogFormat : std::uint8_t { kText, kJson };

struct LogOptions {
  focus::NoteLevel level = focus::NoteLevel::kInfo;
  LogFormat format = LogFormat::kText;
  bool hash_jids = false;  ///< Room names, nicks and addresses appear as 8 hex digits of SHA-256.
  /// More lines of one event within one second are counted and announced, not written.
  std::uint32_t lines_per_second_max = 500;
};

/// The one way a line reaches the log (stderr, one line per event): `event key=value ...`. Values
/// with spaces or quotes are quoted and escaped, so that a line can always be taken apart again and
/// a hostile nick cannot forge one.
class LogSink {
 public:
  explicit LogSink(LogOptions options);
  void write(const focus::Note& note, Now now);

  /// The text without time and level; exposed for tests.
  [[nodiscard]] static std::string format(const focus::Note& note, bool hash_jids);
  /// The same as one JSON object with "event" and a member per field.
  [[nodiscard]] static std::string format_json(const focus::Note& note, bool hash_jids);
  [[nodiscard]] std::uint64_t suppressed_total() const { return suppressed_total_; }

 private:
  struct Window {
    Instant start;
    std::uint32_t lines = 0;
    std::uint64_t suppressed = 0;
  };
  bool admit(const focus::Note& note, Now now);
  void emit(const focus::Note& note) const;

  LogOptions options_;
  std::map<std::string_view, Window> windows_;  // One per event name: a closed list.
  std::uint64_t suppressed_total_ = 0;
};

}  // namespace bascule::daemon
