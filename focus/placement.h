#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/jid.h"
#include "base/result.h"
#include "base/stress.h"
#include "base/time.h"
#include "focus/confidence.h"
#include "focus/latency_histogram.h"
#include "focus/order.h"
#include "focus/placement_options.h"
#include "focus/room_history.h"
#include "focus/ticket.h"
#include "stats/report.h"

namespace bascule::focus {

/// What is known of a bridge, by the age and content of its reports.
enum class BridgeState : std::uint8_t {
  kUnknown,  ///< No usable report yet.
  kFresh,    ///< Reported within `stale_after`.
  kStale,    ///< Silent for longer, or the service link is down: our own counts carry it.
  kFailed,   ///< Unhealthy, suspect or in quarantine: no placements.
};
[[nodiscard]] std::string_view to_string(BridgeState state);

/// How a bridge was lost; decides about quarantine.
enum class FailureCause : std::uint8_t {
  kLeft,        ///< Left the brewery without announcing a shutdown.
  kTimeout,     ///< Stopped answering requests.
  kUnhealthy,   ///< Said so itself, or failed a health check.
  kRestarted,   ///< Its counters started again: everything on it is gone.
  kIceFailing,  ///< Many of its participants cannot connect.
  kShutDown,    ///< Exited as announced: not a failure, no quarantine.
};
inline constexpr std::size_t kFailureCauseCount = 6;
[[nodiscard]] std::string_view to_string(FailureCause cause);

/// Why new rooms are put off; kNone means they are welcome.
enum class Overload : std::uint8_t {
  kNone,
  kQueueLong,  ///< More tickets wait than the fleet takes in `overload_queue_seconds`.
  kFleetFull,  ///< Hardly a bridge has room, and a first placement waits.
  kSettling,   ///< Few bridges are back yet.
  kNoBridge,   ///< No bridge takes new conferences.
};
inline constexpr std::size_t kOverloadCount = 5;
[[nodiscard]] std::string_view to_string(Overload overload);

/// One bridge at one instant, for logs, metrics, the admin interface and the simulator.
struct BridgeView {
  BridgeJid bridge;
  BridgeState state = BridgeState::kUnknown;
  bool present = false;  ///< In the brewery as far as we know.
  bool drain = false, cordoned = false, graceful_shutdown = false, shutting_down = false;
  bool evacuating = false;
  std::size_t leaving = 0;  ///< While it is emptied: asked to move and still here.
  std::size_t stuck = 0;    ///< Likewise: no other bridge has room for them.
  bool healthy = true, suspect = false;
  bool ice_failing = false;  ///< Many asked for restarts: no new conferences for a while.
  std::optional<Instant> quarantined_until;             ///< Only while it lasts.
  Stress reported;                                      ///< Last sample.
  std::optional<Duration> report_age;                   ///< Absent before the first report.
  ReportOrigin report_origin = ReportOrigin::kBrewery;  ///< Of that report.
  std::int64_t confidence_permille = 0;                 ///< What the estimate below rests on.
  std::int64_t caution_permille = 0;                    ///< Added to our own counts because of it.
  Stress expected;                                      ///< Estimate of its true load now.
  Stress reserved;                                      ///< Held for the growth of its conferences.
  Stress limit;                  ///< Joins end here: `limit_single_join` x capacity.
  Stress capacity;               ///< Full, unless it died while busy.
  Stress cost_per_unit;          ///< Learned, margin included.
  std::int64_t load = 0;         ///< Ours and others', thousandths of a unit.
  std::int64_t unaccounted = 0;  ///< Of that, what no report can contain yet.
  std::int64_t foreign = 0;      ///< Of that, of others.
  int confirmations = 0;         ///< Of the cost: 0 to 3.
  bool standby = false, activated = false;
  std::size_t participants = 0;  ///< Ours, allocations in flight included.
  std::size_t conferences = 0;
  std::size_t in_flight = 0;         ///< Allocations not answered yet.
  std::uint64_t restarts_asked = 0;  ///< New sessions asked for by participants, since it is known.
  std::uint64_t relieved = 0;        ///< Participants asked to leave it because it is too busy.
  std::uint64_t placed = 0;          ///< Placements on it since the process started.
  std::optional<std::string> version, region, relay_id;
};

/// What outlives a process about a bridge.
struct BridgeMemory {
  BridgeJid bridge;
  Stress cost;                       ///< Learned, per unit.
  Stress deviation;                  ///< Mean deviation of it.
  int confirmations = 0;             ///< Samples it rests on, counted up to 3.
  Stress capacity = Stress::full();  ///< Lower after dying while busy.
  std::uint32_t failures = 0;        ///< Within the memory of quarantines.
  Duration last_failure_age{};       ///< Since the latest of them.
  Duration quarantine_left{};        ///< Zero: none.
  Duration age{};                    ///< Since it was heard, when it is absent.
  std::optional<std::string> version, region;

  friend bool operator==(const BridgeMemory&, const BridgeMemory&) = default;
};

/// Where a participant is.
struct PlaceView {
  BridgeJid bridge;
  Duration age{};          ///< Since it was placed there; after a restart, since then.
  bool in_flight = false;  ///< The bridge has not answered yet.
};

/// One ticket that waits.
struct WaitingView {
  Ticket ticket;
  TicketClass ticket_class = TicketClass::kFirst;
  Duration waited{};
  std::optional<WaitReason> reason;  ///< Absent before the first look at it.
};

/// How placements are being made right now, as a whole.
enum class Mode : std::uint8_t {
  kNormal,
  kServiceDown,  ///< Nothing is placed.
  kSettling,     ///< Lower limits; conferences wait for the bridge they had.
  kBlind,        ///< Most bridges are silent: our own counts decide.
  kFull,         ///< Hardly a bridge has room: existing meetings come first.
};
inline constexpr std::size_t kModeCount = 5;
[[nodiscard]] std::string_view to_string(Mode mode);

/// Upper edges of classes of |sample - expected|, millionths; the last class has none.
inline constexpr std::array<std::int64_t, 6> kEstimateErrorEdges = {20'000,  50'000,  100'000,
                                                                    150'000, 250'000, 500'000};
[[nodiscard]] constexpr std::size_t estimate_error_class(std::int64_t error) {
  std::size_t index = 0;
  while (index < kEstimateErrorEdges.size() && error > kEstimateErrorEdges.at(index)) {
    ++index;
  }
  return index;
}

/// Counted since construction; plain integers, read at scrape time.
struct PlacementCounters {
  std::array<std::uint64_t, kPlacementReasonCount> placed{};
  std::array<std::uint64_t, kWaitReasonCount> waits{};  ///< Looks at a ticket that had to wait.
  std::array<std::uint64_t, kFailureCauseCount> bridge_failures{};
  std::uint64_t tickets = 0, tickets_refused = 0, tickets_cancelled = 0;
  std::uint64_t confirmed = 0, allocation_failures = 0;
  std::uint64_t reports = 0;           ///< All.
  std::uint64_t reports_repeated = 0;  ///< Carried no new sample.
  std::uint64_t reports_bad = 0;       ///< Without a usable stress value.
  std::uint64_t reports_refused = 0;   ///< Of one bridge too many.
  std::uint64_t plans = 0, plans_without_room = 0;
  std::array<std::uint64_t, kMoveCauseCount> moves{};  ///< Wishes to move a participant.
  std::uint64_t splits = 0;                            ///< Conferences that got a second bridge.
  std::uint64_t spares_activated = 0;                  ///< Standby bridges taken into use.
  std::uint64_t ice_quarantines = 0;                   ///< Bridges put aside by restart requests.
  std::uint64_t isolations = 0;  ///< Conferences suspected of killing bridges.
  std::uint64_t mass_drops = 0;  ///< Times most participants vanished at once.
  std::uint64_t pauses = 0;      ///< Times the process had been stopped.
  /// New samples by how far they were from what was expected of them; see kEstimateErrorEdges.
  std::array<std::uint64_t, kEstimateErrorEdges.size() + 1> estimate_errors{};
  std::uint64_t estimate_error_sum = 0;  ///< Of them all, millionths.
  /// From the ticket to its place, by TicketClass.
  std::array<LatencyHistogram, kTicketClassCount> queue_wait;
};

/// Decides which bridge every participant uses, and when.
///
/// Why: after a crash of the XMPP server everybody comes back within seconds, while the reports of
/// the bridges describe the load of 5 to 15 s ago. Choosing the least loaded bridge by report kills
/// one bridge after the other (Jicofo: BridgeSelector.kt). Here every placement is a ticket in one
/// fair, bounded queue; what a report cannot contain yet is added to it; each bridge is paced; and
/// no bridge is pushed over its limit: who does not fit waits, which clients never notice.
///
/// Guarantees: right after a decision the expected stress of the bridge is at most its limit; any
/// window of length W holds at most burst + W / interval decisions per bridge; inside a room
/// tickets of one class are served in order of arrival; same seed and same calls give the same
/// decisions. Cost: O(log n) per call and per decision, never O(participants); a bridge failure
/// costs O(its participants), and once per second the figures of all bridges and conferences fade
/// in one pass. Memory: about 4 kB per bridge, 400 bytes per participant, 300 per ticket.
///
/// `Now` must not run backwards between calls. Not thread-safe.
class Placement {
 public:
  Placement(const PlacementOptions& options, std::uint64_t seed);
  ~Placement();
  Placement(Placement&&) noexcept;
  Placement& operator=(Placement&&) noexcept;

  // Bridges.

  /// The service link is up and in the brewery: hold placements until the bridges have settled.
  void service_up(Now now);
  /// The link is gone: what is known is kept, nothing is placed, no bridge counts as failed.
  void service_down(Now now);
  /// A report arrived; creates the bridge if needed and makes it present. When it proves that the
  /// bridge restarted, this does what `bridge_failed(kRestarted)` does and returns what that does.
  /// Which origin may say what is the caller's rule; here kPubsubList is stale from the beginning.
  std::vector<RoomJid> report(const stats::BridgeReport& report, Now now,
                              ReportOrigin origin = ReportOrigin::kBrewery);
  /// Left the brewery: not chosen any more, reservations stay. Whoever decides that its conferences
  /// are lost calls `bridge_failed` (at once when the link itself is healthy). Unknown: ignored.
  void bridge_left(const BridgeJid& bridge, Now now);
  /// Everything on the bridge is lost: drops the load, plans its conferences onto others as wholes
  /// and starts the quarantine. Returns the rooms that lost participants, largest first; the caller
  /// enqueues a kReinvite ticket for each participant that was there. Unknown bridge: empty.
  std::vector<RoomJid> bridge_failed(const BridgeJid& bridge, FailureCause cause, Now now);
  /// No new placements while under suspicion (silence, slow answers). Unknown bridge: ignored.
  void set_suspect(const BridgeJid& bridge, bool suspect, Now now);
  /// The operator's own drain, besides the bridge's flag. Kept while the bridge is absent, and set
  /// before it was ever heard of.
  void set_cordoned(const BridgeJid& bridge, bool cordoned, Now now);
  /// Asks whoever is on the bridge to move, a window of people at a time, whole conferences where
  /// they use one bridge; useful for a cordoned bridge only. Kept as set_cordoned.
  void set_evacuating(const BridgeJid& bridge, bool evacuating, Now now);
  /// Asks participants to move; see order::Move. Where conferences use one bridge whole ones move.
  /// `to` holds while that bridge has room and for half a minute, then any other bridge will do.
  /// Errors: kNotFound, kInvalidArgument (neither a room nor a bridge to leave), kConflict (nobody
  /// can be moved as things are; says why).
  Result<OrderDone> order_move(const order::Move& move, Now now);
  /// A standby bridge is used only when the others are full.
  void set_standby(const BridgeJid& bridge, bool standby, Now now);
  /// Only bridges of this full version for the conference, until `for_time` from now.
  void pin(const RoomJid& room, const std::string& version, Duration for_time, Now now);
  void unpin(const RoomJid& room);
  /// What a store kept of an earlier life; call before `service_up`.
  void restore_bridge(const BridgeMemory& memory, Now now);
  void restore_room(const RoomMemory& memory, Now now);
  [[nodiscard]] std::vector<BridgeMemory> bridge_memory(Now now) const;
  [[nodiscard]] std::optional<BridgeMemory> bridge_memory(const BridgeJid& bridge, Now now) const;
  [[nodiscard]] std::vector<RoomMemory> room_memory(Now now) const;
  /// Where the room was when its last participant left a bridge; O(log n).
  [[nodiscard]] std::optional<RoomMemory> room_memory(const RoomJid& room, Now now) const;

  // Participants.

  /// Errors: kUnavailable when the queue is full (ask again later); kConflict when the participant
  /// has a ticket or a place of this or a newer generation; kInvalidArgument when room and
  /// participant do not belong together or a list is too long. A newer generation replaces a
  /// waiting ticket in its place in the queue. A kReinvite drops the participant's old place.
  Result<> enqueue(const Ticket& ticket, Now now);
  /// Forgets the waiting ticket of this generation or an older one; a place stays.
  void cancel(const OccupantJid& participant, std::uint32_t generation);
  /// The bridge accepted the allocation. Stale calls are ignored, also for the next two.
  void confirmed(const OccupantJid& participant, Now now);
  /// The bridge refused or did not answer: the load is dropped, the bridge avoided for this
  /// participant for a while; the caller enqueues a new ticket, which goes to the front of its
  /// room.
  void allocation_failed(const OccupantJid& participant, Now now);
  /// It asked for a new session because media did not flow. Requests of many participants put the
  /// bridge aside: no new conferences, and joins only where there is no other. Whether this one
  /// did.
  bool restart_requested(const OccupantJid& participant, Now now);
  /// Somebody answered an invitation after `took`: how busy the XMPP server is.
  void note_answer_time(Duration took, Now now);
  /// The XMPP server crashed: everybody is gone at once and comes back. Does what `left` does for
  /// all, and plans for each conference the bridge it had. `left` notices by itself when more than
  /// half of all participants go within five seconds.
  void mass_drop(Now now);
  /// Gone: drops the place, the ticket and all memory of it.
  void left(const OccupantJid& participant, Now now);
  /// `left` for everybody in the room, and its reservation.
  void conference_ended(const RoomJid& room, Now now);
  /// A participant that was placed in an earlier life of the process; no ticket, no pace. Ignored
  /// for participants already known.
  void restore_participant(const RoomJid& room, const OccupantJid& participant,
                           const BridgeJid& bridge, Now now);
  /// An earlier process placed the participant there so long ago: counts for the pace of the
  /// bridge, and no report is expected to contain it earlier than usual. To be called in the order
  /// of the placements, before `restore_participant`.
  void restore_placement(const OccupantJid& participant, const BridgeJid& bridge, Duration age,
                         Now now);

  // Decisions.

  /// Appends the placements possible now and the moves wanted; bounded work, see
  /// `max_decisions_per_drain`. Call after every batch of inputs and when `next_deadline` is due.
  void drain(Now now, std::vector<Decision>& placed, std::vector<Move>& moves);
  /// When `drain` has to be called next; nullopt when nothing waits for time to pass.
  [[nodiscard]] std::optional<Instant> next_deadline() const;
  /// Whether conference requests for *new* rooms should be answered `ready=false`.
  [[nodiscard]] Overload overload(Now now) const;

  // Views.

  [[nodiscard]] bool settling() const;  ///< See Mode::kSettling.
  [[nodiscard]] Mode mode() const;
  /// As of the last second in which the bridges had settled and one of them worked.
  [[nodiscard]] Blindness blindness() const;
  /// Decisions about a room, newest first, at most `limit`. O(decisions remembered).
  [[nodiscard]] std::vector<DecisionRecord> explain(const RoomJid& room, std::size_t limit) const;
  /// The same for placements on a bridge.
  [[nodiscard]] std::vector<DecisionRecord> explain(const BridgeJid& bridge,
                                                    std::size_t limit) const;
  /// Those with a larger number, oldest first: for the store.
  [[nodiscard]] std::vector<DecisionRecord> decisions_since(std::uint64_t number,
                                                            std::size_t limit) const;
  [[nodiscard]] std::vector<RoomJid> conferences_on(const BridgeJid& bridge) const;
  /// Its latest bridge; nullopt before its first placement.
  [[nodiscard]] std::optional<BridgeJid> bridge_of(const RoomJid& room) const;
  /// All its bridges.
  [[nodiscard]] std::vector<BridgeJid> bridges_of(const RoomJid& room) const;
  [[nodiscard]] std::optional<BridgeJid> bridge_of(const OccupantJid& participant) const;
  [[nodiscard]] std::vector<BridgeView> bridges(Now now) const;  ///< In order of address.
  [[nodiscard]] std::optional<BridgeView> bridge(const BridgeJid& bridge, Now now) const;
  [[nodiscard]] std::size_t queued(TicketClass ticket_class) const;
  [[nodiscard]] std::size_t queued() const;
  [[nodiscard]] Duration oldest_wait(Now now) const;  ///< Zero when nobody waits.
  /// The tickets that wait longest, the oldest first. O(queue).
  [[nodiscard]] std::vector<WaitingView> longest_waiting(std::size_t limit, Now now) const;
  [[nodiscard]] std::optional<PlaceView> place_of(const OccupantJid& participant, Now now) const;
  /// Participants of the conference per bridge, visitors included; in order of arrival there.
  [[nodiscard]] std::vector<std::pair<BridgeJid, std::size_t>> spread_of(const RoomJid& room) const;
  /// Why the participant's ticket waited when it was last looked at.
  [[nodiscard]] std::optional<WaitReason> waiting_for(const OccupantJid& participant) const;
  [[nodiscard]] const PlacementCounters& counters() const;

  /// Recomputes every derived figure and aborts on a difference. O(everything): tests, simulator.
  void check_invariants() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bascule::focus
