#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "admin/json_writer.h"
#include "base/time.h"
#include "focus/operation.h"
#include "focus/placement.h"

namespace bascule::admin {

/// As the store kept them; oldest first.
using Decisions = std::map<std::pair<WallTime, std::uint64_t>, focus::op::Decision>;

/// One decision with the figures it was made with: an object.
void write(const focus::DecisionRecord& record, Now now, JsonWriter& json);
/// One of an earlier process: with the figures of the chosen bridge alone.
void write(const focus::op::Decision& decision, JsonWriter& json);

/// Decisions of a room that are looked at for those about one of its participants.
inline constexpr std::size_t kDecisionsSearched = 2'000;
/// The latest decisions about a participant, newest first, at most `limit`.
[[nodiscard]] std::vector<focus::DecisionRecord> decisions_about(const focus::Placement& placement,
                                                                 const RoomJid& room,
                                                                 const std::string& endpoint,
                                                                 std::size_t limit);

/// An array of at most `limit`: first `records`, which are newest first, then those of `earlier`
/// (nullptr: there are none) that `matches` wants. O(earlier decisions).
void write_decisions(const std::vector<focus::DecisionRecord>& records, const Decisions* earlier,
                     const std::function<bool(const focus::op::Decision&)>& matches,
                     std::size_t limit, Now now, JsonWriter& json);

}  // namespace bascule::admin
