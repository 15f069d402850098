#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "stats/sqlite/state_reader.h"

namespace bascule::stats::sqlite {

/// High-water marks kept outside the databases. A database that lost its write-ahead log, or an old
/// copy put back by somebody, opens as a perfectly valid file; only these marks tell that something
/// newer was there.
struct Head {
  std::uint64_t generation = 0;
  bool clean = false;  ///< Written at an orderly stop.
  LogPosition state;
  LogPosition stats;
};

struct Marks {
  std::optional<Head> newest;
  bool damaged = false;  ///< There are some, and none is valid.
};
/// Reads without any lock.
[[nodiscard]] Marks read_marks(const std::string& directory);

/// What damaged marks mean.
[[nodiscard]] Finding marks_finding();

/// Owns a file descriptor.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

/// The state directory: mode 0700, one process at a time, marks, and a place for damaged files.
class StateDirectory {
 public:
  /// Creates the directory when it is missing and takes away permissions of others.
  /// Errors: kConflict when another process uses it; kInvalidArgument when it is no directory;
  /// kUnavailable when it cannot be created or entered. A directory that cannot be written is not
  /// an error, see `is_writable`.
  static Result<StateDirectory> open(const std::string& path);

  [[nodiscard]] bool is_writable() const { return static_cast<bool>(lock_); }
  [[nodiscard]] std::string file(std::string_view name) const;

  /// The newest valid mark; nullopt when there is none: a first start, or both copies are damaged
  /// (then `marks_damaged`).
  [[nodiscard]] std::optional<Head> read_head();
  [[nodiscard]] bool marks_damaged() const { return marks_damaged_; }
  /// Writes the older of the two copies; the generation is set by this call. With `sync` it
  /// survives a power cut, without it the end of this process. Errors: kUnavailable.
  Result<> write_head(Head head, bool sync);
  /// Both copies: when a file went back in time on purpose, the older one would report a loss.
  Result<> write_heads(const Head& head);

  /// A new folder `quarantine/<UTC>-<reason>`; the newest 10 are kept. Errors: kUnavailable.
  Result<std::string> make_quarantine(std::string_view reason);
  /// Moves a database with its side files to a new quarantine folder and returns that. Errors:
  /// kUnavailable; then nothing was moved or only a part.
  Result<std::string> move_aside(std::string_view name, std::string_view reason);
  /// Makes renames durable.
  Result<> sync();

 private:
  StateDirectory(std::string path, Descriptor lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  Descriptor lock_;  // Empty when the directory is read-only.
  std::uint64_t generation_ = 0;
  bool marks_damaged_ = false;
};

}  // namespace bascule::stats::sqlite
