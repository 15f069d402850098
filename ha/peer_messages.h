#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "focus/operation.h"
#include "ha/peer_frame.h"
#include "stats/batch.h"

namespace bascule::ha {

/// Of the protocol between two processes. Another number is refused.
inline constexpr std::uint16_t kPeerProtocol = 1;

/// So many commits of this term are in.
struct Position {
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;
  friend auto operator<=>(const Position&, const Position&) = default;
};

/// HELLO and WELCOME.
struct Greeting {
  std::uint16_t protocol = kPeerProtocol;
  std::string node;
  std::string version;
  Position position;
  friend bool operator==(const Greeting&, const Greeting&) = default;
};
struct SnapshotBegin {
  Position at;
  std::uint64_t operations = 0;
  friend bool operator==(const SnapshotBegin&, const SnapshotBegin&) = default;
};
/// A part of the operations of one commit; only with the last part they may be applied.
struct OperationsPart {
  std::uint64_t sequence = 0;
  bool is_last = true;
  std::vector<focus::Operation> operations;
  friend bool operator==(const OperationsPart&, const OperationsPart&) = default;
};
struct Heartbeat {
  Position position;
  bool in_sync = false;  ///< Active: the one it is sent to is waited for.
  friend bool operator==(const Heartbeat&, const Heartbeat&) = default;
};

// Whole frames, ready to be sent.
[[nodiscard]] std::string encode(FrameType hello_or_welcome, const Greeting& greeting);
[[nodiscard]] std::string encode(const SnapshotBegin& begin);
[[nodiscard]] std::string encode(const Heartbeat& heartbeat);
/// ACK, SNAPSHOT_END, SWITCH_READY and SWITCH_GO.
[[nodiscard]] std::string encode(FrameType type, const Position& position);
[[nodiscard]] std::string encode_bye(std::string_view reason);
/// One SNAPSHOT_ITEM of the operations from `next` on, about `bytes` long; moves `next`.
[[nodiscard]] std::string encode_snapshot_item(const std::vector<focus::Operation>& operations,
                                               std::size_t& next, std::size_t bytes);
/// One frame, or several when it is much.
[[nodiscard]] std::vector<std::string> encode_operations(
    std::uint64_t sequence, const std::vector<focus::Operation>& operations);
[[nodiscard]] std::vector<std::string> encode_reports(
    const std::vector<stats::ReceivedReport>& reports);

// Payloads. Errors: kCorrupt, or what focus::decode and stats::decode_report say.
Result<Greeting> decode_greeting(std::string_view payload);
Result<SnapshotBegin> decode_snapshot_begin(std::string_view payload);
Result<Heartbeat> decode_heartbeat(std::string_view payload);
Result<Position> decode_position(std::string_view payload);
Result<std::string> decode_bye(std::string_view payload);
Result<std::vector<focus::Operation>> decode_snapshot_item(std::string_view payload);
Result<OperationsPart> decode_operations(std::string_view payload);
Result<std::vector<stats::ReceivedReport>> decode_reports(std::string_view payload);

}  // namespace bascule::ha
