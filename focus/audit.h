#pragma once

#include "focus/conference_table.h"
#include "focus/turn.h"

namespace bascule::focus {

/// Compares what we believe of conferences with what the server, the bridges and the clients say,
/// one conference after the other, and repairs what differs: a server that lost us from a room, a
/// bridge that forgot a meeting, a source nobody told us of. None of them sends anything about it.
///
/// After the start of a process that continues others the first round is fast; later ones take
/// `audit_round` at least. One step costs a request to the room, one per bridge, and a look at some
/// participants, however large the conference is.
class Audit {
 public:
  /// Call once, after conferences were restored.
  void start(const ConferenceTable& conferences, Turn& turn);
  /// TimerKind::kAudit.
  void on_timer(ConferenceTable& conferences, Turn& turn, Surroundings& around);

 private:
  ConferenceId last_{0};
  bool is_fast_ = false;  // The first round of a process that continues others.
  Instant round_began_{};
};

}  // namespace bascule::focus
