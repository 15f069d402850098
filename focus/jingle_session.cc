#include "focus/jingle_session.h"

#include <array>
#include <utility>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/check.h"
#include "focus/offer.h"

namespace bascule::focus {
namespace {

using proto::Condition;
using proto::JingleAction;

/// Sids remembered after their session ended. Clients give up on a late request after 10 s, so a
/// handful is more than any of them can still refer to.
constexpr std::size_t kPastMax = 8;

JingleVerdict refuse(Condition condition, std::string text) {
  return jingle::Refuse{proto::make_error(condition, std::move(text))};
}

/// Clients of the bridge session repeat one transport in every content.
std::optional<proto::IceUdpTransport> first_transport(const proto::Jingle& jingle) {
  for (const proto::Content& content : jingle.contents) {
    if (content.transport) {
      std::optional<proto::IceUdpTransport> transport = content.transport;
      transport->rtcp_mux = true;
      return transport;
    }
  }
  return std::nullopt;
}

std::optional<int> initial_last_n(const proto::Jingle& jingle) {
  for (const proto::Content& content : jingle.contents) {
    if (content.name == "video" && content.initial_last_n) {
      return content.initial_last_n;
    }
  }
  return std::nullopt;
}

bool is_restart(const proto::Jingle& jingle) {
  return jingle.action == JingleAction::kSessionTerminate && jingle.bridge_session &&
         jingle.bridge_session->restart;
}

bool names_bridge_session(const proto::Jingle& jingle, const JingleContext& context) {
  const auto named = jingle.bridge_session ? jingle.bridge_session->id : std::nullopt;
  return named == context.bridge_session_id;
}

bool is_accept(JingleAction action) {
  return action == JingleAction::kSessionAccept || action == JingleAction::kTransportAccept;
}

}  // namespace

bool RestartLimiter::try_accept(Instant now) {
  while (!accepted_.empty() && accepted_.front() + limits_.interval <= now) {
    accepted_.pop_front();
  }
  const bool too_soon = !accepted_.empty() && now < accepted_.back() + limits_.interval_min;
  if (too_soon || accepted_.size() >= limits_.requests_max) {
    return false;
  }
  accepted_.push_back(now);
  return true;
}

std::string make_sid(std::string_view secret, std::string_view meeting_id,
                     const EndpointId& endpoint, std::uint32_t generation) {
  std::string message(meeting_id);
  message += '\0';
  message += endpoint.value();
  message += '\0';
  message += std::to_string(generation);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  BASCULE_CHECK(HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
                     reinterpret_cast<const unsigned char*>(message.data()), message.size(),
                     digest.data(), &size) != nullptr);
  constexpr std::string_view kHexadecimal = "0123456789abcdef";
  std::string sid;
  for (std::size_t i = 0; i < 8; ++i) {
    sid += kHexadecimal[digest[i] >> 4U];
    sid += kHexadecimal[digest[i] & 0xFU];
  }
  return sid;
}

JingleSession::JingleSession(JingleOptions options, Sending sending)
    : options_(options),
      sending_(sending),
      restarts_(options.restart),
      ice_restarts_(options.restart) {
}

void JingleSession::restore(std::string sid, std::uint32_t generation, State state, Instant now) {
  BASCULE_CHECK(state != State::kNone && state_ == State::kNone);
  sid_ = std::move(sid);
  next_generation_ = generation + 1;
  state_ = state;
  if (state_ == State::kPending) {
    accept_deadline_ = now + options_.accept_timeout;
  }
}

void JingleSession::invite(std::string sid, Instant now) {
  if (state_ != State::kNone) {
    BASCULE_CHECK(sid != sid_);
    past_.push_back({std::move(sid_), is_open() ? Ending::kReplaced : ending_});
    if (past_.size() > kPastMax) {
      past_.pop_front();
    }
  }
  sid_ = std::move(sid);
  ++next_generation_;
  state_ = State::kPending;
  accept_deadline_ = now + options_.accept_timeout;
  relayed_ice_generation_ = 0;
}

JingleVerdict JingleSession::judge(const proto::Jingle& jingle, const JingleContext& context,
                                   Instant now) {
  const bool is_current = state_ != State::kNone && jingle.sid == sid_;
  const std::optional<Ending> ending = ending_of(jingle.sid);
  if (!is_current && !ending) {
    return jingle::Refuse{proto::make_unknown_session_error()};
  }
  if (jingle.action == JingleAction::kUnknown) {
    return refuse(Condition::kBadRequest,
                  jingle.unknown_action.empty() ? "Missing 'action'" : "Unknown 'action'");
  }
  return ending ? judge_over(jingle, *ending) : judge_open(jingle, context, now);
}

JingleVerdict JingleSession::judge_over(const proto::Jingle& jingle, Ending ending) {
  // What the client wants has happened already. An error would make it leave the conference.
  if (is_restart(jingle) && ending != Ending::kByClient) {
    return jingle::Acknowledge{};
  }
  switch (ending) {
    case Ending::kByFocus:
      return jingle::Refuse{proto::make_unknown_session_error()};
    case Ending::kByClient:
      return refuse(Condition::kGone, "session ended");
    case Ending::kReplaced:
      break;
  }
  return is_accept(jingle.action)
             ? refuse(Condition::kGone, "session has been replaced")
             : refuse(Condition::kItemNotFound, "jingle session no longer active");
}

JingleVerdict JingleSession::judge_open(const proto::Jingle& jingle, const JingleContext& context,
                                        Instant now) {
  if (jingle.malformed && jingle.action != JingleAction::kSessionAccept) {
    return refuse(Condition::kBadRequest, *jingle.malformed);
  }
  switch (jingle.action) {
    case JingleAction::kSessionAccept:
      if (state_ == State::kActive && context.tells_nothing_new && !jingle.malformed) {
        return jingle::Acknowledge{};  // Delivered twice, or its answer was lost.
      }
      if (state_ == State::kActive) {
        return jingle::Refuse{proto::make_out_of_order_error("session is already accepted")};
      }
      return judge_accept(jingle);
    case JingleAction::kTransportAccept:
      if (state_ == State::kPending) {
        return jingle::Refuse{proto::make_out_of_order_error("session is not accepted yet")};
      }
      return judge_accept(jingle);
    case JingleAction::kTransportInfo:
      if (auto transport = first_transport(jingle)) {
        return jingle::UpdateTransport{std::move(*transport)};
      }
      return refuse(Condition::kBadRequest, "missing transport");
    case JingleAction::kTransportReject:
      return jingle::Acknowledge{};
    case JingleAction::kSessionTerminate:
      return judge_terminate(jingle, context, now);
    case JingleAction::kSessionInfo:
      return judge_info(jingle, context, now);
    case JingleAction::kSourceAdd:
      return judge_source_add(jingle, context);
    case JingleAction::kSourceRemove: {
      auto sources = proto::collect_sources(jingle.contents);
      if (sources.empty()) {
        return jingle::Acknowledge{};
      }
      return jingle::RemoveSources{std::move(sources)};
    }
    default:
      return refuse(Condition::kFeatureNotImplemented, "Unsupported 'action'");
  }
}

JingleVerdict JingleSession::judge_accept(const proto::Jingle& jingle) {
  if (jingle.malformed) {
    finish(Ending::kByClient);
    return jingle::RejectAccept{proto::make_error(Condition::kBadRequest, *jingle.malformed)};
  }
  jingle::Accept accept{.transport = first_transport(jingle),
                        .sources = proto::collect_sources(jingle.contents),
                        .initial_last_n = initial_last_n(jingle),
                        .again = state_ == State::kActive};
  if (sending_ == Sending::kForbidden && !accept.sources.empty()) {
    const char* text = "sources not allowed for visitors";
    if (accept.again) {
      return refuse(Condition::kForbidden, text);
    }
    finish(Ending::kByClient);
    return jingle::RejectAccept{proto::make_error(Condition::kForbidden, text)};
  }
  state_ = State::kActive;
  accept_deadline_.reset();
  return accept;
}

JingleVerdict JingleSession::judge_terminate(const proto::Jingle& jingle,
                                             const JingleContext& context, Instant now) {
  jingle::Terminated terminated;
  terminated.reason = jingle.reason.value_or(proto::JingleReason{});
  if (is_restart(jingle)) {
    terminated.reinvite = restarts_.try_accept(now);
    // A client that still names the bridge session before this one says nothing about this one.
    terminated.counts_against_bridge = terminated.reinvite && names_bridge_session(jingle, context);
    if (!terminated.reinvite) {
      terminated.error = proto::make_error(Condition::kResourceConstraint, "rate-limited");
    }
  }
  finish(Ending::kByClient);
  return terminated;
}

JingleVerdict JingleSession::judge_info(const proto::Jingle& jingle, const JingleContext& context,
                                        Instant now) {
  if (jingle.bridge_session && jingle.bridge_session->ice_restart) {
    if (!options_.in_place_ice_restart) {
      return refuse(Condition::kFeatureNotImplemented, "in-place ICE restart is disabled");
    }
    if (!ice_restarts_.try_accept(now)) {
      return refuse(Condition::kResourceConstraint, "rate-limited");
    }
    if (!names_bridge_session(jingle, context)) {
      return refuse(Condition::kItemNotFound, jingle.bridge_session->id.value_or("none") +
                                                  " is not a currently active session");
    }
    return jingle::RestartIce{};
  }
  const bool failed = jingle.ice_state == "failed";
  if (failed && names_bridge_session(jingle, context) && restarts_.try_accept(now)) {
    return jingle::IceFailed{};
  }
  return jingle::Acknowledge{};
}

JingleVerdict JingleSession::judge_source_add(const proto::Jingle& jingle,
                                              const JingleContext& context) const {
  if (sending_ == Sending::kForbidden) {
    return refuse(Condition::kForbidden, "add-source not allowed for visitors");
  }
  auto sources = proto::collect_sources(jingle.contents);
  if (sources.empty()) {
    return jingle::Acknowledge{};
  }
  std::string exceeded;
  if (context.audio_senders_full && !sources.audio.empty()) {
    exceeded += " audio";
  }
  if (context.video_senders_full && !sources.video.empty()) {
    exceeded += " video";
  }
  if (!exceeded.empty()) {
    return refuse(Condition::kResourceConstraint, "Sender count exceeded for:" + exceeded);
  }
  return jingle::AddSources{std::move(sources)};
}

void JingleSession::reject_accept() {
  finish(Ending::kByClient);
}

std::optional<proto::Jingle> JingleSession::end(proto::ReasonCondition reason, std::string text) {
  if (!is_open()) {
    return std::nullopt;
  }
  finish(Ending::kByFocus);
  return make_session_terminate(sid_, reason, std::move(text));
}

void JingleSession::forget() {
  if (is_open()) {
    finish(Ending::kByFocus);
  }
}

std::optional<proto::Jingle> JingleSession::relay_ice_restart(
    const proto::IceUdpTransport& transport) {
  if (state_ != State::kActive || transport.ice_generation.value_or(0) <= relayed_ice_generation_) {
    return std::nullopt;
  }
  relayed_ice_generation_ = *transport.ice_generation;
  proto::Jingle jingle{.action = JingleAction::kTransportInfo, .sid = sid_};
  jingle.contents.push_back(
      {.creator = proto::Creator::kInitiator, .name = "audio", .transport = transport});
  return jingle;
}

std::uint32_t JingleSession::generation() const {
  return next_generation_ == 0 ? 0 : next_generation_ - 1;
}

std::optional<Instant> JingleSession::accept_deadline() const {
  return accept_deadline_;
}

void JingleSession::finish(Ending ending) {
  state_ = State::kEnded;
  ending_ = ending;
  accept_deadline_.reset();
}

std::optional<JingleSession::Ending> JingleSession::ending_of(const std::string& sid) const {
  if (state_ == State::kEnded && sid == sid_) {
    return ending_;
  }
  for (const Past& past : past_) {
    if (past.sid == sid) {
      return past.ending;
    }
  }
  return std::nullopt;
}

}  // namespace bascule::focus
