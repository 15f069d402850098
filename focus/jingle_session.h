#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/ids.h"
#include "base/time.h"
#include "xmpp/proto/jingle.h"
#include "xmpp/proto/stanza_error.h"

namespace bascule::focus {

/// How often one participant may ask for a new session or an ICE restart (Jicofo:
/// `conference.restart-request-rate-limits`; jitsi-utils: RateLimit.kt).
struct RestartLimits {
  Duration interval_min = std::chrono::seconds{5};  ///< Between two accepted requests.
  std::size_t requests_max = 5;                     ///< Accepted within `interval`; 1 to 100.
  Duration interval = std::chrono::minutes{1};
};

/// Accepts requests within RestartLimits. A refused request costs nothing. O(requests_max).
class RestartLimiter {
 public:
  explicit RestartLimiter(RestartLimits limits) : limits_(limits) {}
  [[nodiscard]] bool try_accept(Instant now);

 private:
  RestartLimits limits_;
  std::deque<Instant> accepted_;
};

struct JingleOptions {
  Duration accept_timeout = std::chrono::seconds{60};  ///< session-initiate to session-accept.
  RestartLimits restart;
  bool in_place_ice_restart = true;
};

/// `sid` of an invite: recomputable from what is stored, unguessable without the secret, and never
/// the same for two invites, because clients refuse a sid they have seen. Lower-case hexadecimal of
/// the first 8 bytes of HMAC-SHA256(secret, meeting_id 0x00 endpoint 0x00 decimal generation).
[[nodiscard]] std::string make_sid(std::string_view secret, std::string_view meeting_id,
                                   const EndpointId& endpoint, std::uint32_t generation);

/// What to do about one incoming Jingle IQ. Each one is answered exactly once: with the error where
/// there is one, else with an empty result (XEP-0166 6).
namespace jingle {

/// Answer with an empty result. Nothing changes.
struct Acknowledge {
  friend bool operator==(const Acknowledge&, const Acknowledge&) = default;
};
/// Answer with the error. Nothing changes.
struct Refuse {
  proto::StanzaError error;
  friend bool operator==(const Refuse&, const Refuse&) = default;
};
/// The client accepted the offer; the session is active. Add the sources; when the source map
/// refuses them call `JingleSession::reject_accept` and treat it like RejectAccept. Otherwise
/// answer with a result, send transport, sources and last-n to the bridge in one update, announce
/// the sources, and activate the receiver in the signaler.
struct Accept {
  std::optional<proto::IceUdpTransport> transport;  ///< Absent when it came by transport-info.
  proto::EndpointSources sources;
  std::optional<int> initial_last_n;
  bool again = false;  ///< transport-accept: the session stays active whatever comes of it.
  friend bool operator==(const Accept&, const Accept&) = default;
};
/// The accept was unacceptable and the session is over: answer with the error and expire the
/// endpoint. No session-terminate: the client gives up by itself.
struct RejectAccept {
  proto::StanzaError error;
  friend bool operator==(const RejectAccept&, const RejectAccept&) = default;
};
/// Answer with a result and forward the transport to the bridge, without sources.
struct UpdateTransport {
  proto::IceUdpTransport transport;
  friend bool operator==(const UpdateTransport&, const UpdateTransport&) = default;
};
/// Hand to the source map, answer with its error or a result, then tell bridge and receivers.
struct AddSources {
  proto::EndpointSources sources;
  friend bool operator==(const AddSources&, const AddSources&) = default;
};
struct RemoveSources {
  proto::EndpointSources sources;
  friend bool operator==(const RemoveSources&, const RemoveSources&) = default;
};
/// The client ended the session. Answer with `error` or a result, announce the removal of its
/// sources, expire the endpoint; nothing is sent back to the client. With `reinvite` put the
/// participant into the admission queue again, however long it takes: it waits without a deadline.
struct Terminated {
  std::optional<proto::StanzaError> error;  ///< Only for abusive repetition of restarts.
  bool reinvite = false;
  bool counts_against_bridge = false;  ///< Evidence of a bridge whose media do not flow.
  proto::JingleReason reason;
  friend bool operator==(const Terminated&, const Terminated&) = default;
};
/// Answer with a result and ask the bridge for a new transport of this endpoint.
struct RestartIce {
  friend bool operator==(const RestartIce&, const RestartIce&) = default;
};
/// An old client reports that its ICE failed: answer with a result, count it against the bridge,
/// end the session ("moving"), expire the endpoint and invite again.
struct IceFailed {
  friend bool operator==(const IceFailed&, const IceFailed&) = default;
};

}  // namespace jingle

using JingleVerdict =
    std::variant<jingle::Acknowledge, jingle::Refuse, jingle::Accept, jingle::RejectAccept,
                 jingle::UpdateTransport, jingle::AddSources, jingle::RemoveSources,
                 jingle::Terminated, jingle::RestartIce, jingle::IceFailed>;

/// Facts about participant and conference a verdict depends on.
struct JingleContext {
  /// Of the participant's endpoint; absent while none is allocated.
  std::optional<std::string> bridge_session_id;
  bool audio_senders_full = false;  ///< OfferOptions::max_audio_senders is reached.
  bool video_senders_full = false;
  /// Every source it carries is the sender's already: an accept like that repeats an earlier one.
  bool tells_nothing_new = false;
};

/// The Jingle sessions of one participant, of which at most one is current (Jicofo:
/// JingleSession.kt, Participant.kt). IQs must be routed here by their sender's occupant address:
/// a sid known to somebody else is then unknown here, as it has to be. Answer the IQs of those who
/// are no participants with proto::make_unknown_session_error().
///
///     (none) --invite--> pending --session-accept--> active
///                           |                           |
///                           +--- end / terminated ------+--> ended --invite--> pending (next sid)
///
/// Late and duplicate IQs are harmless: they are answered by the state of the session they name.
class JingleSession {
 public:
  enum class State : std::uint8_t { kNone, kPending, kActive, kEnded };

  /// A visitor may not send sources.
  enum class Sending : std::uint8_t { kAllowed, kForbidden };

  JingleSession(JingleOptions options, Sending sending);

  /// Continues a session that is known from storage. `state` is not kNone.
  void restore(std::string sid, std::uint32_t generation, State state, Instant now);

  /// The number the next invite has; 0 for the first.
  [[nodiscard]] std::uint32_t next_generation() const { return next_generation_; }

  /// A session-initiate with this sid is being sent now; to be called before it is sent, because
  /// the client may accept at once. Replaces the current session, if any, without a word to the
  /// client. `sid` must be new: see make_sid.
  void invite(std::string sid, Instant now);

  /// Judges one IQ set. Never changes anything when it returns Refuse or Acknowledge, the restart
  /// budgets apart.
  [[nodiscard]] JingleVerdict judge(const proto::Jingle& jingle, const JingleContext& context,
                                    Instant now);

  /// The sources of an Accept were refused: the session is over.
  void reject_accept();

  /// The focus ends the current session. Returns the session-terminate to send; nullopt when there
  /// is no session or it has ended already, so the client is told once.
  std::optional<proto::Jingle> end(proto::ReasonCondition reason, std::string text);

  /// The participant left the room or the conference stops: nothing is sent.
  void forget();

  /// The transport-info to send after the bridge answered an ICE restart; nullopt when the answer
  /// is not newer than what was relayed before, has no generation, or the session is not active.
  std::optional<proto::Jingle> relay_ice_restart(const proto::IceUdpTransport& transport);

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] const std::string& sid() const { return sid_; }
  /// Of the current session; 0 before the first.
  [[nodiscard]] std::uint32_t generation() const;
  /// Pending or active.
  [[nodiscard]] bool is_open() const {
    return state_ == State::kPending || state_ == State::kActive;
  }
  /// When a pending session has to be ended (reason `expired`) and invited again.
  [[nodiscard]] std::optional<Instant> accept_deadline() const;

 private:
  /// How a session that is not open came to its end; decides the answer to late IQs.
  enum class Ending : std::uint8_t {
    kByFocus,   ///< The client has been told: to it the session is unknown.
    kByClient,  ///< Terminated by the client, or its accept was rejected.
    kReplaced,  ///< By the next invite.
  };
  struct Past {
    std::string sid;
    Ending ending;
  };

  void finish(Ending ending);
  [[nodiscard]] std::optional<Ending> ending_of(const std::string& sid) const;
  [[nodiscard]] JingleVerdict judge_open(const proto::Jingle& jingle, const JingleContext& context,
                                         Instant now);
  [[nodiscard]] static JingleVerdict judge_over(const proto::Jingle& jingle, Ending ending);
  JingleVerdict judge_accept(const proto::Jingle& jingle);
  JingleVerdict judge_terminate(const proto::Jingle& jingle, const JingleContext& context,
                                Instant now);
  JingleVerdict judge_info(const proto::Jingle& jingle, const JingleContext& context, Instant now);
  [[nodiscard]] JingleVerdict judge_source_add(const proto::Jingle& jingle,
                                               const JingleContext& context) const;

  JingleOptions options_;
  Sending sending_;
  State state_ = State::kNone;
  Ending ending_ = Ending::kByFocus;
  std::string sid_;
  std::uint32_t next_generation_ = 0;
  std::optional<Instant> accept_deadline_;
  std::uint32_t relayed_ice_generation_ = 0;
  RestartLimiter restarts_;
  RestartLimiter ice_restarts_;
  std::deque<Past> past_;  ///< Newest last; bounded.
};

}  // namespace bascule::focus
