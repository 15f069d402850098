#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace bascule::ha {

/// Kinds of frames between two processes; the numbers are on the wire.
enum class FrameType : std::uint8_t {
  kHello = 1,          ///< Standby: who it is and what it has.
  kWelcome = 2,        ///< Active: the same.
  kSnapshotBegin = 5,  ///< Active: everything follows, as of a position.
  kSnapshotItem = 6,
  kSnapshotEnd = 7,
  kOperations = 8,    ///< Active: operations of one turn, or a part of them.
  kAck = 9,           ///< Standby: has everything up to a position.
  kHeartbeat = 10,    ///< Both.
  kSwitchReady = 14,  ///< Active: that was all, will you go on?
  kSwitchGo = 15,     ///< Standby: I will.
  kReports = 16,      ///< Active: reports of bridges.
  kBye = 18,          ///< Both: why the connection ends.
};

struct Frame {
  FrameType type;
  std::string payload;
  friend bool operator==(const Frame&, const Frame&) = default;
};

/// Longest payload; an operation has 1 MiB at most.
inline constexpr std::size_t kPayloadBytesMax = std::size_t{4} << 20U;

/// `len u32 | type u8 | flags u8 | reserved u16 | payload | crc32c u32`, big endian; `len` counts
/// the payload, the checksum covers everything before it. Payloads over the limit are our own bug.
[[nodiscard]] std::string encode_frame(FrameType type, std::string_view payload);

/// Cuts a byte stream into frames. Memory: one frame and what was appended last.
class FrameReader {
 public:
  void append(std::string_view bytes);
  /// The next frame; nullopt: it is not complete yet. Errors: kCorrupt (length, type, flags or
  /// checksum): the stream is useless from then on, and every later call fails as well.
  Result<std::optional<Frame>> next();

 private:
  std::string buffer_;
  std::size_t used_ = 0;
  bool broken_ = false;
};

}  // namespace bascule::ha
