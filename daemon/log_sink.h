#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/time.h"
#include "focus/note.h"

namespace bascule::daemon {

enum class LogFormat : std::uint8_t {
  kText,    ///< `TIME LEVEL EVENT key=value ...`
  kLogfmt,  ///< The same with `ts=`, `level=` and `event=`.
  kJson,
};

struct LogOptions {
  focus::NoteLevel level = focus::NoteLevel::kInfo;
  LogFormat format = LogFormat::kText;
  bool hash_jids = false;  ///< Room names, nicks and addresses appear as `hash_for_log`.
  /// More lines of one event within one second are counted and announced, not written.
  std::uint32_t lines_per_second_max = 500;
};

/// What stands for `text` in a log that names nobody: 12 hex digits of HMAC-SHA-256. Who has the
/// log but not the key cannot try room names.
std::string hash_for_log(std::string_view key, std::string_view text);

/// Whether `fd` is the stream to the journal that systemd named in JOURNAL_STREAM
/// (systemd.exec(5)); nullptr: it named none.
bool is_journal(const char* journal_stream, int fd);

/// The one way a line reaches the log (stderr, one line per event): `event key=value ...`. Values
/// with spaces or quotes are quoted and escaped, so that a line can always be taken apart again and
/// a hostile nick cannot forge one. When stderr is the journal, lines begin with their priority
/// (sd-daemon(3)).
class LogSink {
 public:
  /// Hashes with a key of this process until `use_hash_key`.
  explicit LogSink(LogOptions options);
  void write(const focus::Note& note, Now now);
  /// Level, format and hashing from now on.
  void configure(const LogOptions& options);
  [[nodiscard]] const LogOptions& options() const { return options_; }
  /// One that outlives the process, so that its lines can be compared with those of the next one.
  void use_hash_key(std::string key) { hash_key_ = std::move(key); }
  /// Announces what was suppressed in seconds that are over, also of events that never come again.
  void tell_suppressed(Now now);

  /// Is told of everything that is written, from inside of `write`; empty: nobody is.
  using Observer = std::function<void(const focus::Note&, WallTime)>;
  void set_observer(Observer observer) { observer_ = std::move(observer); }
  /// The fields of a note as one JSON object, hashed as in the log.
  [[nodiscard]] std::string fields_json(const focus::Note& note) const;

  /// The text without time and level; with a key, people and rooms are hashed. Exposed for tests.
  [[nodiscard]] static std::string format(const focus::Note& note, std::string_view hash_key);
  /// The same as one JSON object with "event" and a member per field.
  [[nodiscard]] static std::string format_json(const focus::Note& note, std::string_view hash_key);
  [[nodiscard]] std::uint64_t suppressed_total() const { return suppressed_total_; }

 private:
  struct Window {
    Instant start;
    std::uint32_t lines = 0;
    std::uint64_t suppressed = 0;
    focus::NoteLevel level = focus::NoteLevel::kInfo;  // Of what was suppressed.
  };
  bool admit(const focus::Note& note, Now now);
  void tell_suppressed(std::string_view event, Window& window);
  void emit(const focus::Note& note) const;
  /// Empty: nothing is hashed.
  [[nodiscard]] std::string_view hash_key() const {
    return options_.hash_jids ? std::string_view(hash_key_) : "";
  }

  LogOptions options_;
  std::string hash_key_;
  std::map<std::string_view, Window> windows_;  // One per event name: a closed list.
  std::uint64_t suppressed_total_ = 0;
  Observer observer_;
};

}  // namespace bascule::daemon
