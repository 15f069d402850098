#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/jid.h"
#include "base/result.h"
#include "base/time.h"
#include "focus/ticket.h"

namespace bascule::focus {

/// A ticket in the queue.
struct WaitingTicket {
  Ticket ticket;
  Instant since;                          ///< When the participant began to wait.
  std::optional<WaitReason> last_reason;  ///< Absent before the first look at it.
};

struct AdmissionLimits {
  std::size_t tickets;        ///< Waiting at most.
  std::uint32_t quantum;      ///< Tickets served per visit of a room; >= 1.
  std::size_t blocked_rooms;  ///< In a row, per class, before a pass stops.
};

/// The one queue for joins, re-invites and moves: three classes, fair between rooms, bounded.
///
/// Classes are served in order, but a waiting ticket never holds up another room. Inside a class
/// rooms take turns (deficit round robin, Shreedhar and Varghese 1996, with equal quanta), so that
/// a lecture of 500 does not keep 100 small meetings waiting; inside a room and class the order is
/// that of arrival. Nothing expires: clients wait for a session invitation without limit.
///
/// Invariant: every participant has at most one ticket; a room is in the turn of a class exactly
/// when it has tickets there. Cost: O(log n) per ticket.
class Admission {
 public:
  explicit Admission(const AdmissionLimits& limits) : limits_(limits) {}

  /// Appends; `front`: before the others of its room and class (it has waited before). A newer
  /// generation takes over the place of the old ticket. Errors: kUnavailable when full, kConflict
  /// when the waiting ticket of this participant is as new.
  Result<> push(const Ticket& ticket, bool front, Instant now);
  /// Removes the ticket if it is of this generation or older; whether it did.
  bool cancel(const OccupantJid& participant, std::uint32_t generation);
  /// Removes the ticket whatever its generation; whether there was one.
  bool cancel_any(const OccupantJid& participant);
  /// Tells whether the conference has a bridge: decides the class of its joins. Forgotten, like
  /// `hold`, with the last ticket of the room: tell again after `push`.
  void set_live(const RoomJid& room, bool live);
  /// No ticket of the room is looked at before `until`.
  void hold(const RoomJid& room, Instant until);

  /// nullopt: the ticket was served and leaves the queue. Else why it waits.
  using Serve = std::function<std::optional<WaitReason>(const WaitingTicket&, TicketClass)>;
  struct Pass {
    std::size_t served = 0;
    bool complete = true;  ///< False: a limit ended the pass; the next one continues there.
  };
  /// Offers tickets to `serve` until a whole round serves none, `decisions` were served or the
  /// limit of waiting rooms is reached. `serve` may call `set_live` and `hold`, nothing else.
  Pass serve_pass(Instant now, std::size_t decisions, const Serve& serve);

  [[nodiscard]] std::size_t size() const { return positions_.size(); }
  [[nodiscard]] bool empty() const { return positions_.empty(); }
  [[nodiscard]] std::size_t size(TicketClass ticket_class) const;
  [[nodiscard]] std::size_t size(const RoomJid& room) const;
  [[nodiscard]] const WaitingTicket* find(const OccupantJid& participant) const;
  /// At most `limit`, the longest waiting first; valid until the queue changes. O(n log limit).
  [[nodiscard]] std::vector<std::pair<const WaitingTicket*, TicketClass>> longest_waiting(
      std::size_t limit) const;
  /// When the longest waiting ticket was enqueued; of one class, or of all.
  [[nodiscard]] std::optional<Instant> oldest() const;
  [[nodiscard]] std::optional<Instant> oldest(TicketClass ticket_class) const;

  void check_invariants() const;

 private:
  /// The two lines of a room: displaced people, and everybody else.
  enum class Line : std::uint8_t { kDisplaced, kOthers };
  struct Room;
  using RoomEntry = std::pair<const RoomJid, Room>;
  using Turn = std::list<RoomEntry*>;  // Into `rooms_`, whose entries do not move.
  struct RoomLine {
    std::list<WaitingTicket> tickets;
    std::optional<Turn::iterator> place;  // In the turn of its class, while there are tickets.
  };
  struct Room {
    std::array<RoomLine, 2> lines;
    bool live = false;
    std::optional<Instant> held_until;
  };
  struct Position {
    Line line;
    std::list<WaitingTicket>::iterator ticket;
  };

  static TicketClass class_of(const Room& room, Line line);
  static Line line_of(const Ticket& ticket);
  Turn& turn(TicketClass ticket_class) { return turns_[static_cast<std::size_t>(ticket_class)]; }
  void forget_if_empty(const RoomJid& jid, Line emptied);
  void count(const WaitingTicket& waiting, TicketClass ticket_class, bool added);
  void erase(const OccupantJid& participant, const Position& position);
  std::size_t serve_class(TicketClass ticket_class, Instant now, std::size_t decisions,
                          const Serve& serve, Pass& pass);
  std::size_t visit(RoomEntry& entry, Line line, std::size_t budget, Instant now,
                    const Serve& serve);

  AdmissionLimits limits_;
  std::map<RoomJid, Room> rooms_;  // Those with tickets.
  std::map<OccupantJid, Position> positions_;
  std::array<Turn, kTicketClassCount> turns_;
  // By time of arrival, per class: for the oldest wait.
  std::array<std::multiset<Instant>, kTicketClassCount> arrivals_;
};

}  // namespace bascule::focus
