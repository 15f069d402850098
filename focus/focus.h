#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "focus/action.h"
#include "focus/conference_details.h"
#include "focus/counters.h"
#include "focus/input.h"
#include "focus/options.h"
#include "focus/placement.h"
#include "focus/quarantine.h"
#include "focus/readiness.h"
#include "focus/restored.h"
#include "focus/view.h"
#include "focus/work_mark.h"

namespace bascule::focus {

class Orders;
class StatsMirror;
class StatsNode;

/// The conference focus as a state machine without I/O: inputs in, actions out.
///
/// Contract: every out::SendIq gets exactly one in::IqAnswer and every in::IqRequest exactly one
/// out::AnswerIq (the same for HTTP requests, store writes and opened streams). `now` never runs
/// backwards. `fire_timers` is called when `next_deadline` is due, possibly late, never early. The
/// same seed and the same inputs give the same actions. A call does the work of its own event only:
/// never something for every participant.
class Focus {
 public:
  /// Rebuilds what the tables of an earlier process describe; rooms are entered when the client
  /// link comes up. `mark`, which outlives the focus, says at any moment which conference is being
  /// handled; nullptr: nobody wants to know.
  Focus(Options options, const Restored& restored, std::uint64_t seed, Now now,
        WorkMark* mark = nullptr);
  ~Focus();
  Focus(Focus&&) noexcept;
  Focus& operator=(Focus&&) noexcept;

  /// Opens the links. Call once, before the first input.
  void start(Now now, Actions& out);
  /// Handles one event and appends what has to be done, in order.
  void handle(const Input& input, Now now, Actions& out) noexcept;
  /// Handles everything that is due.
  void fire_timers(Now now, Actions& out) noexcept;
  [[nodiscard]] std::optional<Instant> next_deadline() const;

  [[nodiscard]] const Options& options() const;
  [[nodiscard]] const Counters& counters() const;
  [[nodiscard]] Readiness readiness(Now now) const;
  [[nodiscard]] const Placement& placement() const;
  /// Whom links must not let through, see LinkOptions::quarantine. At this address for life.
  [[nodiscard]] const Quarantine& quarantine() const;
  /// What operators ordered and still holds, and what was changed by hand (focus/orders.h).
  [[nodiscard]] const Orders& orders() const;
  [[nodiscard]] const StatsNode& stats_node() const;
  [[nodiscard]] const StatsMirror& stats_mirror() const;
  /// How far the answers to the last in::RequeryStats are; nullopt: there was none. O(bridges).
  [[nodiscard]] std::optional<StatsRequery> stats_requery() const;

  // Views. Cost of the iteration: O(participants); not for the path of an event.
  [[nodiscard]] std::size_t conference_count() const;
  [[nodiscard]] std::size_t participant_count() const;  ///< Members of all rooms. O(conferences).
  [[nodiscard]] std::size_t session_count() const;      ///< Accepted sessions. O(conferences).
  [[nodiscard]] std::size_t visitor_count() const;      ///< Members without media. O(conferences).
  [[nodiscard]] std::size_t waiting_requests() const;   ///< Requests whose answer is held.
  /// In order of their addresses, from the first one behind `after` (nullopt: from the first one),
  /// until `visit` says false. O(log conferences) and what is visited.
  void conferences_after(const std::optional<RoomJid>& after,
                         const std::function<bool(const ConferenceSummary&)>& visit) const;
  /// O(its participants); nullopt when there is none.
  [[nodiscard]] std::optional<ConferenceView> conference(const RoomJid& room) const;
  [[nodiscard]] std::vector<ConferenceSize> conference_sizes() const;  ///< O(conferences).
  /// Everything known of one conference; nullopt when there is none. O(its members).
  [[nodiscard]] std::optional<ConferenceDetails> details(const RoomJid& room) const;
  /// What members can do, by `node#ver` (XEP-0115); bounded.
  [[nodiscard]] const std::map<std::string, CapsSeen>& capabilities() const;

  /// Aborts when the state contradicts itself. O(everything): tests and simulator.
  void check_invariants() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bascule::focus
