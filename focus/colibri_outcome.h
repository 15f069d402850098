#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <tl/expected.hpp>

#include "base/ids.h"
#include "base/result.h"
#include "focus/offer.h"
#include "xmpp/proto/colibri2.h"
#include "xmpp/proto/stanza_error.h"

namespace bascule::focus {

/// What came back: the result, the bridge's or the server's stanza error, or our own failure
/// (kTimeout: no answer; kUnavailable: the link went down; kMalformed: not to be understood).
using ColibriAnswer =
    tl::expected<proto::ConferenceModified, std::variant<proto::StanzaError, Error>>;

/// What an answer means for the conference.
enum class ColibriOutcomeKind : std::uint8_t {
  kAllocated,           ///< `endpoint` exists; `allocation` is set.
  kDone,                ///< Update, mute or expire confirmed.
  kStale,               ///< Concerns something that is over; nothing to do.
  kRetried,             ///< The session sends the request once more by itself.
  kTransport,           ///< Answer to an ICE restart; `transport` is set if there was one.
  kEndpointUnknown,     ///< The bridge has forgotten `endpoint`.
  kEndpointExists,      ///< The bridge still has an endpoint of this id.
  kBadRequest,          ///< The bridge calls our request wrong: our bug, trying again is no use.
  kIncompleteAnswer,    ///< A result without transport, or without the SCTP port asked for.
  kConferenceGone,      ///< The bridge does not know the conference (it restarted, or expired it).
  kConferenceExists,    ///< The bridge has a conference of this id that we did not expect.
  kBridgeShuttingDown,  ///< Graceful shutdown: it takes no new conferences.
  kBridgeFailed,        ///< The bridge answered that it cannot, or nonsense.
  kBridgeLeft,          ///< The room or server says that the bridge is not there.
  kNotInBrewery,        ///< We are not in the brewery: rejoin; says nothing about the bridge.
  kTimeout,             ///< No answer: evidence against the bridge, not a proof.
  kServerRefused,       ///< The server would not route it; not the bridge's doing.
  kLinkDown,            ///< Our own link is down: when it is up again the bridge can be asked.
};

/// Short name for logs and counters, e.g. "conference-gone"; views static storage.
[[nodiscard]] std::string_view to_string(ColibriOutcomeKind kind);

/// Reads a stanza error. Errors that the room or the server made say nothing about the bridge: they
/// carry `by`, or a condition only they use and no colibri2 element (RFC 6120 8.3.1; Prosody:
/// muc.lib.lua; Jitsi Videobridge: Colibri2ConferenceHandler.kt).
[[nodiscard]] ColibriOutcomeKind classify(const proto::StanzaError& error);
/// Reads our own failure.
[[nodiscard]] ColibriOutcomeKind classify(const Error& error);
/// For the log.
[[nodiscard]] std::string describe(const std::variant<proto::StanzaError, Error>& failure);
/// Whether another request would get through to the bridge after this outcome.
[[nodiscard]] bool reaches_bridge(ColibriOutcomeKind kind);

/// Names one request about a relay; see RelayLinks.
using RelayTag = Strong<struct RelayTagTag, std::uint64_t>;

/// The answer to a request about a relay.
struct RelayAnswer {
  RelayTag tag;
  ColibriOutcomeKind kind = ColibriOutcomeKind::kStale;  ///< kDone when it was carried out.
  std::optional<proto::Transport> transport;             ///< Of a relay that was created.
};

/// `lost` lists the endpoints that have no place any more because of this answer and must be put
/// into the admission queue again; the session has forgotten them. It may be empty, and it holds
/// all endpoints of the session when the conference is gone on the bridge.
struct ColibriOutcome {
  ColibriOutcomeKind kind = ColibriOutcomeKind::kStale;
  std::optional<EndpointId> endpoint;  ///< Whose request this was, when it was about one.
  std::optional<Allocation> allocation;
  std::optional<proto::IceUdpTransport> transport;
  std::optional<RelayAnswer> relay;  ///< When the request was about a relay.
  std::vector<EndpointId> lost;
  std::string detail;  ///< For the log: the error as received.
};

}  // namespace bascule::focus
