#pragma once

#include <array>
#include <cstdint>

#include "focus/occupancy.h"
#include "focus/source_map.h"
#include "focus/timings.h"
#include "xmpp/proto/jingle.h"
#include "xmpp/proto/stanza_error.h"

namespace bascule::focus {

inline constexpr std::size_t kJingleActions =
    static_cast<std::size_t>(proto::JingleAction::kTransportReplace) + 1;

/// What happened since the process started; rendered as `bascule_*_total` at scrape time.
struct Counters {
  // Conference requests.
  std::uint64_t requests = 0;
  std::uint64_t requests_new = 0;      ///< For rooms without a conference.
  std::uint64_t requests_held = 0;     ///< Answered later than at once.
  std::uint64_t requests_invalid = 0;  ///< Answered by an error: bad room.
  std::uint64_t answers_ready = 0;
  std::uint64_t answers_later_overload = 0;  ///< ready=false, by reason.
  std::uint64_t answers_later_limit = 0;
  std::uint64_t answers_later_link = 0;
  std::uint64_t answers_later_join = 0;
  std::uint64_t answers_later_shutdown = 0;
  std::uint64_t answers_later_poisoned = 0;

  // Rooms and conferences.
  std::uint64_t conferences_created = 0;
  std::uint64_t conferences_ended = 0;
  std::uint64_t conferences_restored = 0;
  std::uint64_t conferences_poisoned = 0;  ///< Left out because processes died of them.
  std::uint64_t room_joins = 0;
  std::uint64_t room_join_failures = 0;
  std::uint64_t rooms_vanished = 0;  ///< The server forgot them while our link was down.
  std::uint64_t presences_published = 0;
  Occupancy meetings;  ///< Conferences, and how long they lasted.
  Occupancy members;   ///< Of all rooms, and how long they stayed.

  // Participants.
  std::uint64_t participants_seen = 0;
  std::uint64_t participants_refused = 0;  ///< Over the limit of their conference.
  std::uint64_t disco_asked = 0;
  std::uint64_t disco_shared = 0;  ///< Answered from the cache of capabilities.
  std::uint64_t disco_failed = 0;
  std::uint64_t owners_granted = 0;

  // Placement and sessions.
  std::uint64_t placements = 0;
  std::uint64_t moves = 0;
  std::uint64_t allocations_failed = 0;
  std::uint64_t invites = 0;
  std::uint64_t invites_refused = 0;
  std::uint64_t accept_timeouts = 0;
  std::uint64_t accepted = 0;
  std::uint64_t restarts = 0;
  std::uint64_t restarts_limited = 0;
  std::uint64_t ice_failed = 0;             ///< Clients that said so; part of `restarts`.
  std::uint64_t participants_moved = 0;     ///< Invited to another bridge instead of theirs.
  std::uint64_t bridges_removed = 0;        ///< From a conference, because they were lost.
  std::uint64_t ice_restarts_asked = 0;     ///< In place: without a new session.
  std::uint64_t ice_restarts_relayed = 0;   ///< The client got the bridge's new transport.
  std::uint64_t ice_restarts_needless = 0;  ///< The bridge answered with what the client has.
  std::uint64_t ice_restarts_failed = 0;    ///< Refused by us, or by the bridge.
  std::array<std::uint64_t, kJingleActions> jingle_received{};  ///< By proto::JingleAction.
  std::array<std::uint64_t, kJingleActions> jingle_sent{};
  std::array<std::uint64_t, kSourceRules> sources_refused{};  ///< By the SourceRule they broke.
  std::uint64_t mutes = 0;  ///< Requests to mute or unmute that were granted.
  std::uint64_t mutes_refused = 0;
  std::uint64_t mutes_sent = 0;       ///< To clients.
  std::uint64_t source_messages = 0;  ///< source-add and source-remove to receivers.

  std::uint64_t relays_linked = 0;  ///< Links between two bridges that were established.
  std::uint64_t relays_failed = 0;  ///< Attempts to link two bridges that failed.

  std::uint64_t audited = 0;                 ///< Conferences the audit looked at.
  std::uint64_t audit_repaired_rooms = 0;    ///< The server had lost us from them.
  std::uint64_t audit_repaired_bridges = 0;  ///< Had forgotten a meeting, or somebody in it.
  std::uint64_t audit_repaired_sources = 0;  ///< Sessions made anew for a source nobody knew.

  // What peers got wrong; each was answered or ignored, and nothing was lost.
  std::uint64_t iq_unknown = 0;         ///< Answered service-unavailable.
  std::uint64_t iq_from_strangers = 0;  ///< Jingle from somebody who is not in the conference.
  std::uint64_t jingle_unknown_session = 0;
  std::array<std::uint64_t, proto::kConditions> jingle_refused{};  ///< By proto::Condition.
  std::uint64_t answers_unexpected = 0;  ///< To requests we do not remember.
  std::uint64_t answers_late = 0;        ///< Whose conference or participant is gone or changed.
  std::uint64_t presences_ignored = 0;
  std::uint64_t messages_ignored = 0;
  std::uint64_t room_messages_malformed = 0;  ///< Of the components for metadata and moderation.

  std::uint64_t orders = 0;  ///< Of operators, carried out.
  std::uint64_t orders_refused = 0;

  // Bridges and links.
  std::uint64_t bridges_lost = 0;
  std::uint64_t bridge_errors = 0;
  std::uint64_t room_errors = 0;  ///< Errors of the brewery room, never blamed on a bridge.
  std::uint64_t reports = 0;
  std::uint64_t reports_invalid = 0;
  std::uint64_t items_used = 0;          ///< Pubsub items that told something of a bridge.
  std::uint64_t items_second_hand = 0;   ///< Not needed: the bridge itself reports.
  std::uint64_t items_of_strangers = 0;  ///< Of no bridge in the brewery.
  std::uint64_t health_failures = 0;
  std::uint64_t links_lost = 0;
  std::uint64_t links_resumed = 0;
  std::uint64_t cleanups = 0;        ///< Bridge conferences expired that nobody owned any more.
  std::uint64_t store_failures = 0;  ///< Stats batches the store could not take.
  std::uint64_t bugs = 0;            ///< Impossible transitions; each ended one conference.

  Timings timings;
};

}  // namespace bascule::focus
