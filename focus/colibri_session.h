#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <tl/expected.hpp>

#include "base/ids.h"
#include "base/jid.h"
#include "base/result.h"
#include "base/time.h"
#include "focus/offer.h"
#include "xmpp/proto/colibri2.h"
#include "xmpp/proto/stanza_error.h"

namespace bascule::focus {

/// Names one request of a ColibriSession; unique within the session.
using ColibriTicket = Strong<struct ColibriTicketTag, std::uint64_t>;

/// To be sent to the bridge as IQ get. The answer goes to `ColibriSession::answered`.
struct ColibriRequest {
  ColibriTicket ticket;
  proto::ConferenceModify message;
};

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
  kTimeout,             ///< No answer: one piece of evidence against the bridge, not a proof.
  kLinkDown,            ///< Our link went down; says nothing about the bridge.
};

/// Short name for logs and counters, e.g. "conference-gone"; views static storage.
[[nodiscard]] std::string_view to_string(ColibriOutcomeKind kind);

/// `lost` lists the endpoints that have no place any more because of this answer and must be put
/// into the admission queue again; the session has forgotten them. It may be empty, and it holds
/// all endpoints of the session when the conference is gone on the bridge.
struct ColibriOutcome {
  ColibriOutcomeKind kind = ColibriOutcomeKind::kStale;
  std::optional<EndpointId> endpoint;  ///< Whose request this was, when it was about one.
  std::optional<Allocation> allocation;
  std::optional<proto::IceUdpTransport> transport;
  std::vector<EndpointId> lost;
  std::string detail;  ///< For the log: the error as received.
};

/// The state of a conference on a bridge and where it is in its life.
enum class ColibriState : std::uint8_t {
  kAbsent,    ///< The bridge has nothing of ours: the next allocation creates the conference.
  kCreating,  ///< The first request is on its way; others wait.
  kPresent,
  kExpiring,  ///< We asked for the end of the conference; others wait for the answer.
};

/// What to allocate for one participant.
struct EndpointRequest {
  EndpointId id{""};
  std::string stats_id;  ///< Empty: none.
  std::vector<proto::Media> media;
  bool sctp = false;
  bool ssrc_rewriting = false;
  bool rtp_mid_demux = false;
  bool private_addresses = false;  ///< Gateways inside the bridge's network only.
  bool visitor = false;
  proto::ForceMute force_mute;  ///< Sent only when something is muted.
};

/// A change of an endpoint that exists; absent parts stay as they are.
struct EndpointUpdate {
  EndpointId id{""};
  std::optional<proto::IceUdpTransport> transport;
  std::optional<proto::EndpointSources> sources;  ///< The complete set of the endpoint.
  std::optional<int> initial_last_n;
};

struct ColibriSessionOptions {
  std::string meeting_id;         ///< The same on every bridge of the conference.
  RoomJid room;                   ///< Told to the bridge when the conference is created.
  std::string bridge_session_id;  ///< A UUID; later incarnations append "-1", "-2", ...
  bool rtcstats = true;
  /// A create that follows our own expire closer than this may find the conference still there.
  Duration recreate_window = std::chrono::seconds{2};
  Duration recreate_delay = std::chrono::milliseconds{300};  ///< Before the one retry.
  std::size_t requests_max = 10'000;  ///< Waiting and outstanding; beyond it allocations fail.
};

/// One conference on one bridge: writes the colibri2 requests and reads the answers (Jicofo:
/// Colibri2Session.kt, ColibriV2SessionManager.kt).
///
/// The bridge answers requests of one conference in order, but three things would break if requests
/// were simply sent: a request that overtakes the creation fails; requests behind one that empties
/// the conference are dropped without an answer (the bridge closes its queue: ConferenceShim /
/// Conference.java `expire`); and an answered expire may still be under way inside the bridge. So
/// requests wait while the creation or the end of the conference is outstanding, at most one
/// request of those two kinds is, and a create that collides with our own expire is retried once.
///
/// Every call returns the requests to send now, in this order. Exactly one `answered` is expected
/// for each. Answers for what is over are recognised and ignored.
class ColibriSession {
 public:
  using Requests = std::vector<ColibriRequest>;
  struct Step {
    Requests send;
    std::vector<ColibriOutcome> outcomes;
  };

  explicit ColibriSession(ColibriSessionOptions options);

  /// Continues with what storage knows: the conference exists and has these endpoints.
  void restore(std::span<const EndpointId> endpoints, std::uint32_t incarnation);

  /// Allocates an endpoint; the outcome is kAllocated or one that lists it in `lost`. An endpoint
  /// of this id must not exist: remove it first. Errors: kUnavailable when `requests_max` is
  /// reached.
  Result<Requests> allocate(EndpointRequest request, Instant now);

  /// Sends a change of an endpoint that is allocated; for any other endpoint nothing is sent, as
  /// the change will be part of its next session. An update that is not answered is repeated once.
  Requests update(EndpointUpdate update);

  /// Asks the bridge for a new ICE transport of the endpoint; answered by kTransport.
  Requests restart_ice(const EndpointId& endpoint);

  /// Sets both flags of each endpoint that is allocated, in one request.
  Requests force_mute(std::span<const std::pair<EndpointId, proto::ForceMute>> mutes);

  /// Expires endpoints, in one request; the conference when none is left. An endpoint whose
  /// allocation was not sent yet is dropped. Unknown ones are skipped.
  Requests remove(std::span<const EndpointId> endpoints, Instant now);

  /// Gives the whole conference up on this bridge: everything is forgotten here, and the bridge is
  /// told, as far as it can be. Answers to earlier requests are stale.
  Requests expire(Instant now);

  /// The one answer to the request `ticket`.
  Step answered(ColibriTicket ticket, const ColibriAnswer& answer, Instant now);

  /// The retry that is due at `now`.
  Requests fire_timers(Instant now);
  [[nodiscard]] std::optional<Instant> next_deadline() const { return retry_at_; }

  [[nodiscard]] ColibriState state() const { return state_; }
  /// No endpoints, and nothing outstanding or waiting: may be destroyed.
  [[nodiscard]] bool is_idle() const;
  [[nodiscard]] bool has_endpoint(const EndpointId& endpoint) const;
  [[nodiscard]] bool is_allocated(const EndpointId& endpoint) const;
  [[nodiscard]] std::size_t endpoint_count() const { return endpoints_.size(); }
  [[nodiscard]] std::vector<EndpointId> endpoints() const;
  /// What clients are told as `bridge-session`; changes with every incarnation of the conference.
  [[nodiscard]] std::string bridge_session_id() const;
  [[nodiscard]] std::uint32_t incarnation() const { return incarnation_; }
  [[nodiscard]] const std::string& meeting_id() const { return options_.meeting_id; }

 private:
  enum class RequestKind : std::uint8_t {
    kAllocate,
    kUpdate,
    kRestartIce,
    kForceMute,
    kRemove,
    kExpireConference,
  };
  /// A request from its making to its answer.
  struct Pending {
    RequestKind kind;
    std::uint32_t incarnation = 0;
    std::optional<EndpointId> endpoint;
    proto::ConferenceModify message;
    bool retried = false;
  };
  struct EndpointState {
    std::uint64_t allocation =
        0;  ///< Ticket of the create; tells a late answer from a current one.
    bool allocated = false;
    bool sctp = false;
    std::uint64_t newest_sources = 0;  ///< Ticket of the last update that carried sources.
  };

  [[nodiscard]] proto::ConferenceModify make_message() const;
  ColibriTicket enqueue(Pending pending);
  Requests release(Instant now);
  [[nodiscard]] bool must_wait() const;
  void drop_waiting(const EndpointId& endpoint);
  std::vector<EndpointId> forget_everything();
  void expire_on_bridge();

  void answered_result(Pending& request, ColibriTicket ticket,
                       const proto::ConferenceModified& result, Step& step);
  void answered_error(Pending& request, ColibriTicket ticket, const proto::StanzaError& error,
                      Step& step, Instant now);
  void answered_failure(Pending& request, ColibriTicket ticket, const Error& error, Step& step);
  void lose_endpoint(const EndpointId& endpoint, ColibriOutcome& outcome);

  ColibriSessionOptions options_;
  ColibriState state_ = ColibriState::kAbsent;
  std::uint32_t incarnation_ = 0;
  std::uint64_t last_ticket_ = 0;
  std::map<EndpointId, EndpointState> endpoints_;
  std::deque<std::pair<ColibriTicket, Pending>> waiting_;
  std::map<ColibriTicket, Pending> outstanding_;
  std::optional<Instant> expired_at_;
  std::optional<Instant> retry_at_;
};

/// The colibri2 form of an endpoint's sources: grouped by source name; a source without a name goes
/// to `<endpoint>-a0` or `-v0`, a group to where its first source is. The bridge is told neither
/// msid nor owner (Jicofo: EndpointSourceSet.kt `toColibriMediaSources`).
[[nodiscard]] proto::Sources to_colibri_sources(const EndpointId& endpoint,
                                                const proto::EndpointSources& sources);

/// The bridge's feedback sources as clients are to be told of them, with the msids clients look for
/// (Jicofo: Colibri2Session.kt `readFeedbackSources`).
[[nodiscard]] proto::EndpointSources from_colibri_feedback(const proto::Sources& sources);

}  // namespace bascule::focus
