#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/jid.h"
#include "base/result.h"
#include "base/time.h"
#include "focus/colibri_outcome.h"
#include "focus/colibri_request.h"
#include "xmpp/proto/colibri2.h"
#include "xmpp/proto/source.h"

namespace bascule::focus {

/// Names one request of a ColibriSession; unique within the session. A request that the session
/// repeats keeps its ticket.
using ColibriTicket = Strong<struct ColibriTicketTag, std::uint64_t>;

/// To be sent to the bridge as IQ get. The answer goes to `ColibriSession::answered`.
struct ColibriRequest {
  ColibriTicket ticket;
  proto::ConferenceModify message;
};

/// The state of a conference on a bridge and where it is in its life.
enum class ColibriState : std::uint8_t {
  kAbsent,    ///< The bridge has nothing of ours: the next allocation creates the conference.
  kCreating,  ///< The first request is on its way; others wait.
  kPresent,
  kExpiring,  ///< We asked for the end of the conference; others wait for the answer.
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
/// the conference are dropped without an answer (Jitsi Videobridge: Conference.java
/// closes its queue); and an answered expire may still be under way inside the bridge. So
/// requests wait while the creation or the end of the conference is outstanding, at most one
/// request of those two kinds is, and a create that collides with our own expire is retried once.
///
/// Every call returns the requests to send now, in this order. Exactly one `answered` is expected
/// for each. Answers for what is over are recognised and ignored.
class ColibriSession {
 public:
  using Requests = std::vector<ColibriRequest>;
  struct Step {
    ColibriOutcome outcome;
    Requests send;
  };

  explicit ColibriSession(ColibriSessionOptions options);

  /// Continues with what storage knows: the conference exists and has these endpoints. `leftovers`
  /// may be there as well and are not wanted; without endpoints the whole conference is not.
  void restore(std::span<const EndpointId> endpoints, std::span<const EndpointId> leftovers,
               std::uint32_t incarnation);

  /// Allocates an endpoint; sooner or later an outcome is kAllocated for it or lists it in `lost`,
  /// unless it is removed before. Errors: kConflict when the session has an endpoint of this id
  /// (remove it first), kUnavailable when `requests_max` is reached.
  Result<Requests> allocate(EndpointRequest request);

  /// Sends a change of an endpoint that is allocated; for any other endpoint nothing is sent, as
  /// the change will be part of its next session. An update that is not answered is repeated once;
  /// one that our own link could not carry (kLinkDown) is the caller's to repeat.
  Requests update(EndpointUpdate update);

  /// Asks the bridge for a new ICE transport of the endpoint; answered by kTransport.
  Requests restart_ice(const EndpointId& endpoint);

  /// Sets both flags of each endpoint that is allocated, in one request.
  Requests force_mute(std::span<const std::pair<EndpointId, proto::ForceMute>> mutes);

  /// Sends a request about a relay of the conference to another bridge; its answer comes with an
  /// outcome that names `tag`. Nothing is sent, or answered, while the conference is not there: the
  /// bridge has no relays then.
  Requests relay(proto::Relay relay, RelayTag tag);

  /// Expires endpoints, in one request; the conference when none is left. An endpoint whose
  /// allocation was not sent yet is dropped. Unknown ones are skipped.
  Requests remove(std::span<const EndpointId> endpoints);

  /// Gives the whole conference up on this bridge: everything is forgotten here, and the bridge is
  /// told, as far as it can be. Answers to earlier requests are stale.
  Requests expire();

  /// As `expire`, for a caller who will not get the answers to what is outstanding; nothing is sent
  /// before `clean_up`.
  void abandon();

  /// Whether something of ours may be left on the bridge that nothing under way removes.
  [[nodiscard]] bool owes_cleanup() const;
  /// Asks the bridge to remove it; nothing when nothing is owed. May be repeated at leisure.
  Requests clean_up();

  /// Asks whether the bridge still has the conference, by a change that changes nothing (an empty
  /// transport of an endpoint; Jitsi Videobridge: Colibri2ConferenceHandler.kt). A bridge that has
  /// forgotten it answers so, and everybody on it is lost.
  Requests probe();

  /// The one answer to the request `ticket`. What lists endpoints in `lost` is complete: the caller
  /// does not call `remove` for them.
  Step answered(ColibriTicket ticket, const ColibriAnswer& answer, Instant now);

  /// The retry that is due at `now`.
  Requests fire_timers(Instant now);
  [[nodiscard]] std::optional<Instant> next_deadline() const { return retry_at_; }

  [[nodiscard]] ColibriState state() const { return state_; }
  /// The conference is there and somebody is in it: it may have relays.
  [[nodiscard]] bool is_present() const {
    return state_ == ColibriState::kPresent && !endpoints_.empty();
  }
  /// No endpoints, nothing outstanding or waiting, nothing to clean up: may be destroyed.
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
    kProbe,
    kRelay,
    kExpireConference,
  };
  /// A request from its making to its answer.
  struct Pending {
    RequestKind kind;
    std::optional<EndpointId> endpoint;
    proto::ConferenceModify message;
    std::optional<RelayTag> relay{};
    std::uint64_t epoch = 0;  ///< Of the session when it was sent.
    bool retried = false;
  };
  struct EndpointState {
    ColibriTicket allocation;  ///< Of the create; tells a late answer from the current one.
    bool allocated = false;
    bool sctp = false;
    std::optional<ColibriTicket> newest_sources;  ///< The last update that carried sources.
  };

  /// What the bridge may still have of an endpoint that has no place any more: tell it now, tell it
  /// before the next creation, or nothing.
  enum class Cleanup : std::uint8_t { kNow, kLater, kNone };

  [[nodiscard]] proto::ConferenceModify make_message() const;
  [[nodiscard]] proto::ConferenceModify make_message(proto::Endpoint endpoint) const;
  ColibriTicket enqueue(Pending pending);
  void enqueue_expire();
  [[nodiscard]] bool must_wait() const;
  Requests release();
  void mark_sent(Pending& pending);
  bool drop_waiting(ColibriTicket ticket);
  void drop_endpoint(const EndpointId& endpoint, Cleanup cleanup);
  std::vector<EndpointId> drop_everything(Cleanup cleanup);
  [[nodiscard]] bool is_current(ColibriTicket ticket, const Pending& request) const;

  void on_result(ColibriTicket ticket, const Pending& request,
                 const proto::ConferenceModified& result, ColibriOutcome& outcome);
  void on_allocated(const EndpointId& id, const std::optional<proto::Transport>& transport,
                    ColibriOutcome& outcome);
  void on_expired(bool is_result, ColibriOutcome& outcome, Instant now);
  void on_failure(ColibriTicket ticket, Pending& request, ColibriOutcome& outcome, Instant now);
  /// A removal failed: what it was to remove may still be there.
  void keep_leftovers(const Pending& removal, ColibriOutcomeKind kind);
  void lose(const EndpointId& endpoint, Cleanup cleanup, ColibriOutcome& outcome);
  bool try_again(ColibriTicket ticket, Pending& request, ColibriOutcomeKind kind, Instant now);

  ColibriSessionOptions options_;
  ColibriState state_ = ColibriState::kAbsent;
  bool maybe_there_ = false;  ///< The bridge may have a conference of ours that we have given up.
  bool was_created_ = false;
  std::uint32_t incarnation_ = 0;
  std::uint64_t epoch_ = 0;  ///< Grows whenever everything is dropped.
  std::uint64_t last_ticket_ = 0;
  std::map<EndpointId, EndpointState> endpoints_;
  std::set<EndpointId> leftovers_;  ///< Dropped here, perhaps still on the bridge.
  proto::EndpointSources feedback_;
  std::deque<std::pair<ColibriTicket, Pending>> waiting_;
  std::map<ColibriTicket, Pending> outstanding_;
  std::optional<Instant> expired_at_;
  std::optional<Instant> retry_at_;
};

}  // namespace bascule::focus
