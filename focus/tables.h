#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "focus/operation.h"

namespace bascule::focus {

struct JingleRow {
  std::string sid;
  std::uint32_t generation = 0;
  JingleState state = JingleState::kPending;
  std::string transport;  ///< As in JingleSet.
  friend bool operator==(const JingleRow&, const JingleRow&) = default;
};

struct EndpointRow {
  BridgeJid bridge;
  bool audio_force_muted = false;
  bool video_force_muted = false;
  friend bool operator==(const EndpointRow&, const EndpointRow&) = default;
};

struct ParticipantRow {
  op::ParticipantAdd identity;  ///< As added, with later ParticipantSet applied.
  std::optional<JingleRow> jingle;
  std::optional<EndpointRow> endpoint;
  std::map<Ssrc, SourceRecord> sources;
  std::vector<SourceGroupRecord> groups;  ///< In the order added, without duplicates.
  friend bool operator==(const ParticipantRow&, const ParticipantRow&) = default;
};

/// Sources of one owner as some receivers know them, who were not told yet what changed since.
struct PendingSources {
  std::vector<SourceRecord> sources;
  std::vector<SourceGroupRecord> groups;
  std::set<EndpointId> receivers;  ///< One at least.
  friend bool operator==(const PendingSources&, const PendingSources&) = default;
};

struct ConferenceRow {
  op::ConferenceCreate identity;  ///< As created, with later ConferenceSet applied.
  std::map<std::string, op::ModerationSet> moderation;  ///< By medium.
  std::map<BridgeJid, op::BridgeSessionAdd> bridge_sessions;
  std::map<EndpointId, ParticipantRow> participants;
  /// By owner, in the order added. A receiver is in at most one entry of an owner; no two entries
  /// of an owner have the same sources and groups.
  std::map<EndpointId, std::vector<PendingSources>> pending_sources;
  friend bool operator==(const ConferenceRow&, const ConferenceRow&) = default;
};

struct LinkRow {
  op::LinkSet link;
  std::uint64_t handled = 0;                          ///< Inbound, XEP-0198 `h`.
  std::uint64_t acknowledged = 0;                     ///< Outbound.
  std::map<std::uint64_t, op::OutboundPush> unacked;  ///< By index.
  friend bool operator==(const LinkRow&, const LinkRow&) = default;
};

/// What the operations add up to: everything a new Focus is built from. A value; iteration order is
/// the key order, so equal operations give equal walks.
struct Tables {
  std::map<RoomJid, ConferenceRow> conferences;
  std::map<std::pair<StreamId, std::string>, op::PendingSet> pending;
  std::map<StreamId, LinkRow> links;
  /// The newest placements, oldest first; see kPlacementsMax.
  std::set<op::Placement> placements;
  /// The newest decisions, by time and number, oldest first; see kDecisionsMax.
  std::map<std::pair<WallTime, std::uint64_t>, op::Decision> decisions;
  std::map<BridgeJid, op::BridgeLearned> bridges;  ///< See kBridgesMax.
  std::map<RoomJid, op::RoomSeen> rooms;           ///< Of conferences that ended; see kRoomsMax.
  std::set<std::pair<WallTime, RoomJid>> rooms_by_time;  ///< The same.
  /// The operator's drains that last; see kBridgesMax.
  std::map<BridgeJid, op::BridgeDrain> drains;
  std::map<RoomJid, op::PinSet> pins;  ///< Also expired ones, until the next order; see kPinsMax.
  /// The newest changes made by hand, by time and number, oldest first; see kAuditMax.
  std::map<std::pair<WallTime, std::uint64_t>, op::AuditEntry> audit;
  std::string boot_id;

  /// Changes the rows the operation names. Idempotent. Returns false, and changes nothing, when the
  /// row it needs is not there (only possible after a damaged log was cut).
  /// Cost: O(log rows); removals O(what they remove); what makes pending sources of a receiver
  /// obsolete, O(pending entries) for each receiver.
  bool apply(const Operation& operation);

  /// The shortest list of operations that builds an equal Tables from an empty one.
  [[nodiscard]] std::vector<Operation> to_operations() const;

  friend bool operator==(const Tables&, const Tables&) = default;
};

/// Placements kept. Ten minutes of a storm at 16 placements per second fit.
inline constexpr std::size_t kPlacementsMax = 10'000;
/// Decisions kept, about 400 bytes each.
inline constexpr std::size_t kDecisionsMax = 10'000;
/// Bridges kept; of more, those written longest ago are forgotten. The bound of the bridges in use
/// (PlacementOptions::max_bridges).
inline constexpr std::size_t kBridgesMax = 2'000;
/// Pins kept; of more, those that end first are forgotten.
inline constexpr std::size_t kPinsMax = 10'000;
/// Changes made by hand that are kept, about 300 bytes each.
inline constexpr std::size_t kAuditMax = 10'000;
/// Rooms kept, about 500 bytes each; of more, those that ended longest ago are forgotten.
inline constexpr std::size_t kRoomsMax = 50'000;

}  // namespace bascule::focus
