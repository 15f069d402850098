#include "focus/colibri_session.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "focus/colibri_sources.h"

namespace bascule::focus {
ColibriSession::ColibriSession(ColibriSessionOptions options) : options_(std::move(options)) {
}

void ColibriSession::restore(std::span<const EndpointId> endpoints,
                             std::span<const EndpointId> leftovers, std::uint32_t incarnation) {
  BASCULE_CHECK(state_ == ColibriState::kAbsent && endpoints_.empty());
  incarnation_ = incarnation;
  was_created_ = true;
  if (endpoints.empty()) {
    maybe_there_ = true;
    return;
  }
  state_ = ColibriState::kPresent;
  leftovers_.insert(leftovers.begin(), leftovers.end());
  for (const EndpointId& endpoint : endpoints) {
    endpoints_.emplace(endpoint, EndpointState{.allocation = ColibriTicket(0), .allocated = true});
  }
}

Result<ColibriSession::Requests> ColibriSession::allocate(EndpointRequest request) {
  if (endpoints_.contains(request.id)) {
    return fail(Errc::kConflict, "endpoint " + request.id.value() + " is allocated already");
  }
  if (waiting_.size() + outstanding_.size() >= options_.requests_max) {
    return fail(Errc::kUnavailable, "too many requests to one bridge");
  }
  if (leftovers_.erase(request.id) > 0) {
    enqueue({.kind = RequestKind::kRemove,
             .message = make_message({.id = request.id.value(), .expire = true})});
  }
  const ColibriTicket ticket = enqueue({.kind = RequestKind::kAllocate,
                                        .endpoint = request.id,
                                        .message = make_message(make_create(request))});
  endpoints_.emplace(request.id, EndpointState{.allocation = ticket, .sctp = request.sctp});
  return release();
}

ColibriSession::Requests ColibriSession::update(EndpointUpdate update) {
  if (!is_allocated(update.id)) {
    return {};
  }
  const ColibriTicket ticket = enqueue({.kind = RequestKind::kUpdate,
                                        .endpoint = update.id,
                                        .message = make_message(make_update(update))});
  if (update.sources) {
    endpoints_.at(update.id).newest_sources = ticket;
  }
  return release();
}

ColibriSession::Requests ColibriSession::restart_ice(const EndpointId& endpoint) {
  if (!is_allocated(endpoint)) {
    return {};
  }
  enqueue({.kind = RequestKind::kRestartIce,
           .endpoint = endpoint,
           .message = make_message(
               {.id = endpoint.value(), .transport = proto::Transport{.ice_restart = true}})});
  return release();
}

ColibriSession::Requests ColibriSession::force_mute(
    std::span<const std::pair<EndpointId, proto::ForceMute>> mutes) {
  Pending pending{.kind = RequestKind::kForceMute, .message = make_message()};
  for (const auto& [endpoint, mute] : mutes) {
    if (is_allocated(endpoint)) {
      pending.message.endpoints.push_back({.id = endpoint.value(), .force_mute = mute});
    }
  }
  if (!pending.message.endpoints.empty()) {
    enqueue(std::move(pending));
  }
  return release();
}

ColibriSession::Requests ColibriSession::remove(std::span<const EndpointId> endpoints) {
  Pending pending{.kind = RequestKind::kRemove, .message = make_message()};
  for (const EndpointId& endpoint : endpoints) {
    const auto known = endpoints_.find(endpoint);
    if (known == endpoints_.end()) {
      continue;
    }
    if (!drop_waiting(known->second.allocation)) {
      pending.message.endpoints.push_back({.id = endpoint.value(), .expire = true});
    }
    endpoints_.erase(known);
  }
  if (endpoints_.empty()) {
    enqueue_expire();
  } else if (!pending.message.endpoints.empty()) {
    enqueue(std::move(pending));
  }
  return release();
}

ColibriSession::Requests ColibriSession::expire() {
  drop_everything(Cleanup::kNow);
  return release();
}

void ColibriSession::abandon() {
  maybe_there_ = maybe_there_ || state_ != ColibriState::kAbsent;
  state_ = ColibriState::kAbsent;
  outstanding_.clear();
  drop_everything(Cleanup::kLater);
}

bool ColibriSession::owes_cleanup() const {
  const bool conference = state_ == ColibriState::kAbsent && maybe_there_;
  return (conference || !leftovers_.empty()) && waiting_.empty();
}

ColibriSession::Requests ColibriSession::clean_up() {
  if (!owes_cleanup()) {
    return {};
  }
  if (state_ == ColibriState::kAbsent) {
    leftovers_.clear();  // They end with their conference.
    enqueue_expire();
    return release();
  }
  Pending pending{.kind = RequestKind::kRemove, .message = make_message()};
  for (const EndpointId& endpoint : std::exchange(leftovers_, {})) {
    pending.message.endpoints.push_back({.id = endpoint.value(), .expire = true});
  }
  enqueue(std::move(pending));
  return release();
}

ColibriSession::Requests ColibriSession::probe() {
  const auto known = std::find_if(endpoints_.begin(), endpoints_.end(),
                                  [](const auto& entry) { return entry.second.allocated; });
  if (state_ != ColibriState::kPresent || known == endpoints_.end()) {
    return {};
  }
  enqueue({.kind = RequestKind::kProbe,
           .endpoint = known->first,
           .message = make_message({.id = known->first.value(), .transport = proto::Transport{}})});
  return release();
}

ColibriSession::Step ColibriSession::answered(ColibriTicket ticket, const ColibriAnswer& answer,
                                              Instant now) {
  Step step;
  const auto known = outstanding_.find(ticket);
  if (known == outstanding_.end()) {
    return step;
  }
  Pending request = std::move(known->second);
  outstanding_.erase(known);
  step.outcome.endpoint = request.endpoint;
  if (!answer) {
    step.outcome.kind =
        std::visit([](const auto& failure) { return classify(failure); }, answer.error());
    step.outcome.detail = describe(answer.error());
  }
  if (request.kind == RequestKind::kExpireConference) {
    on_expired(answer.has_value(), step.outcome, now);
  } else if (answer) {
    on_result(ticket, request, *answer, step.outcome);
  } else {
    const auto* error = std::get_if<proto::StanzaError>(&answer.error());
    const auto colibri = error != nullptr ? proto::decode_colibri2_error(*error) : std::nullopt;
    if (step.outcome.kind == ColibriOutcomeKind::kEndpointUnknown && colibri->endpoint_id) {
      step.outcome.endpoint = EndpointId(*colibri->endpoint_id);
    }
    on_failure(ticket, std::move(request), step.outcome, now);
  }
  step.send = release();
  return step;
}

ColibriSession::Requests ColibriSession::fire_timers(Instant now) {
  if (!retry_at_ || now < *retry_at_) {
    return {};
  }
  retry_at_.reset();
  return release();
}

bool ColibriSession::is_idle() const {
  return endpoints_.empty() && waiting_.empty() && outstanding_.empty() && !owes_cleanup();
}

bool ColibriSession::has_endpoint(const EndpointId& endpoint) const {
  return endpoints_.contains(endpoint);
}

bool ColibriSession::is_allocated(const EndpointId& endpoint) const {
  const auto known = endpoints_.find(endpoint);
  return known != endpoints_.end() && known->second.allocated;
}

std::vector<EndpointId> ColibriSession::endpoints() const {
  std::vector<EndpointId> ids;
  for (const auto& [id, state] : endpoints_) {
    ids.push_back(id);
  }
  return ids;
}

std::string ColibriSession::bridge_session_id() const {
  return incarnation_ == 0 ? options_.bridge_session_id
                           : options_.bridge_session_id + "-" + std::to_string(incarnation_);
}

proto::ConferenceModify ColibriSession::make_message() const {
  return {.meeting_id = options_.meeting_id};
}

proto::ConferenceModify ColibriSession::make_message(proto::Endpoint endpoint) const {
  proto::ConferenceModify message = make_message();
  message.endpoints.push_back(std::move(endpoint));
  return message;
}

ColibriTicket ColibriSession::enqueue(Pending pending) {
  const ColibriTicket ticket(++last_ticket_);
  waiting_.emplace_back(ticket, std::move(pending));
  return ticket;
}

void ColibriSession::enqueue_expire() {
  const bool expiring = state_ == ColibriState::kExpiring ||
                        std::any_of(waiting_.begin(), waiting_.end(), [](const auto& entry) {
                          return entry.second.kind == RequestKind::kExpireConference;
                        });
  if (!expiring && (state_ != ColibriState::kAbsent || maybe_there_)) {
    Pending pending{.kind = RequestKind::kExpireConference, .message = make_message()};
    pending.message.expire = true;
    enqueue(std::move(pending));
  }
}

bool ColibriSession::must_wait() const {
  return state_ == ColibriState::kCreating || state_ == ColibriState::kExpiring || retry_at_;
}

ColibriSession::Requests ColibriSession::release() {
  Requests requests;
  while (!waiting_.empty() && !must_wait()) {
    const RequestKind kind = waiting_.front().second.kind;
    const bool is_expire = kind == RequestKind::kExpireConference;
    if (state_ == ColibriState::kAbsent) {
      if (kind != RequestKind::kAllocate && !(is_expire && maybe_there_)) {
        waiting_.pop_front();  // Nothing is there that it could apply to.
        continue;
      }
      if (maybe_there_ && !is_expire) {
        // No expire is waiting: one is made only when no endpoint is left, so behind allocations.
        enqueue_expire();
        std::rotate(waiting_.begin(), std::prev(waiting_.end()), waiting_.end());
        continue;
      }
    }
    auto [ticket, pending] = std::move(waiting_.front());
    waiting_.pop_front();
    mark_sent(pending);
    requests.push_back({ticket, pending.message});
    outstanding_.emplace(ticket, std::move(pending));
  }
  return requests;
}

void ColibriSession::mark_sent(Pending& pending) {
  pending.epoch = epoch_;
  if (pending.kind == RequestKind::kExpireConference) {
    state_ = ColibriState::kExpiring;
    maybe_there_ = false;
  } else if (state_ == ColibriState::kAbsent) {
    state_ = ColibriState::kCreating;
    pending.message.create = true;
    pending.message.name = options_.room.to_string();
    pending.message.rtcstats_enabled = options_.rtcstats;
    if (was_created_ && !pending.retried) {
      ++incarnation_;
    }
    was_created_ = true;
  }
}

bool ColibriSession::drop_waiting(ColibriTicket ticket) {
  const auto erased =
      std::erase_if(waiting_, [&](const auto& entry) { return entry.first == ticket; });
  if (waiting_.empty()) {
    retry_at_.reset();
  }
  return erased > 0;
}

void ColibriSession::drop_endpoint(const EndpointId& endpoint, Cleanup cleanup) {
  endpoints_.erase(endpoint);
  if (endpoints_.empty()) {
    drop_everything(cleanup == Cleanup::kNone ? Cleanup::kNow : cleanup);
  } else if (cleanup == Cleanup::kNow) {
    enqueue({.kind = RequestKind::kRemove,
             .message = make_message({.id = endpoint.value(), .expire = true})});
  } else if (cleanup == Cleanup::kLater) {
    leftovers_.insert(endpoint);
  }
}

std::vector<EndpointId> ColibriSession::drop_everything(Cleanup cleanup) {
  std::vector<EndpointId> lost = endpoints();
  endpoints_.clear();
  leftovers_.clear();
  waiting_.clear();
  feedback_ = {};
  retry_at_.reset();
  ++epoch_;
  if (cleanup == Cleanup::kNow) {
    enqueue_expire();
  } else if (state_ == ColibriState::kPresent) {
    state_ = ColibriState::kAbsent;
    maybe_there_ = cleanup == Cleanup::kLater;
  }
  return lost;
}

bool ColibriSession::is_current(ColibriTicket ticket, const Pending& request) const {
  if (request.epoch != epoch_ || !request.endpoint) {
    return request.epoch == epoch_;
  }
  const auto known = endpoints_.find(*request.endpoint);
  if (known == endpoints_.end()) {
    return false;
  }
  const ColibriTicket allocation = known->second.allocation;
  return request.kind == RequestKind::kAllocate ? ticket == allocation : ticket > allocation;
}

void ColibriSession::on_result(ColibriTicket ticket, const Pending& request,
                               const proto::ConferenceModified& result, ColibriOutcome& outcome) {
  if (request.message.create) {
    state_ = ColibriState::kPresent;
  }
  if (!is_current(ticket, request)) {
    return;  // kStale. What it made is being expired by a later request.
  }
  const auto endpoint = std::find_if(
      result.endpoints.begin(), result.endpoints.end(), [&](const proto::Endpoint& candidate) {
        return request.endpoint && candidate.id == request.endpoint->value();
      });
  const bool answers_endpoint = endpoint != result.endpoints.end();
  switch (request.kind) {
    case RequestKind::kAllocate:
      if (result.sources) {
        feedback_ = from_colibri_feedback(*result.sources);
      }
      on_allocated(*request.endpoint, answers_endpoint ? endpoint->transport : std::nullopt,
                   outcome);
      return;
    case RequestKind::kRestartIce:
      outcome.kind = ColibriOutcomeKind::kTransport;
      if (answers_endpoint && endpoint->transport) {
        outcome.transport = endpoint->transport->ice_udp;
      }
      return;
    default:
      outcome.kind = ColibriOutcomeKind::kDone;
      return;
  }
}

void ColibriSession::on_allocated(const EndpointId& id,
                                  const std::optional<proto::Transport>& transport,
                                  ColibriOutcome& outcome) {
  EndpointState& endpoint = endpoints_.at(id);
  const bool has_ice = transport && transport->ice_udp;
  const auto sctp_port =
      transport && transport->sctp ? transport->sctp->port : std::optional<std::uint16_t>();
  if (!has_ice || (endpoint.sctp && !sctp_port)) {
    outcome.kind = ColibriOutcomeKind::kIncompleteAnswer;
    outcome.detail = has_ice ? "no SCTP port" : "no ICE transport";
    outcome.lost = {id};
    drop_endpoint(id, Cleanup::kNow);
    return;
  }
  endpoint.allocated = true;
  outcome.kind = ColibriOutcomeKind::kAllocated;
  outcome.allocation = Allocation{.transport = *transport->ice_udp,
                                  .sctp_port = endpoint.sctp ? sctp_port : std::nullopt,
                                  .feedback = feedback_};
}

void ColibriSession::on_expired(bool is_result, ColibriOutcome& outcome, Instant now) {
  state_ = ColibriState::kAbsent;
  expired_at_ = now;
  if (is_result || outcome.kind == ColibriOutcomeKind::kConferenceGone) {
    outcome.kind = ColibriOutcomeKind::kDone;
    return;
  }
  if (!reaches_bridge(outcome.kind)) {
    // Whatever waits would meet the same fate; trying it at once would be a loop.
    maybe_there_ = true;
    outcome.lost = drop_everything(Cleanup::kLater);
  } else if (waiting_.empty() && outcome.kind != ColibriOutcomeKind::kBadRequest) {
    maybe_there_ = true;  // Not answered, or not done: asked again by clean_up.
  }
}

void ColibriSession::on_failure(ColibriTicket ticket, Pending request, ColibriOutcome& outcome,
                                Instant now) {
  const ColibriOutcomeKind kind = outcome.kind;
  const bool is_create = request.message.create;
  if (is_create) {
    state_ = ColibriState::kAbsent;
  }
  if (!is_current(ticket, request)) {
    maybe_there_ = maybe_there_ || is_create;
    if (reaches_bridge(kind) && kind != ColibriOutcomeKind::kTimeout) {
      outcome.kind = ColibriOutcomeKind::kStale;
    }
    return;
  }
  if (try_again(ticket, request, kind, now)) {
    outcome.kind = ColibriOutcomeKind::kRetried;
    return;
  }
  const Cleanup cleanup = reaches_bridge(kind) ? Cleanup::kNow : Cleanup::kLater;
  if (kind == ColibriOutcomeKind::kConferenceGone) {
    outcome.lost = drop_everything(Cleanup::kNone);
  } else if (request.kind == RequestKind::kRemove) {
    keep_leftovers(request, kind);
  } else if (is_create) {
    // An endpoint that could not be made leaves an empty conference behind, which would refuse the
    // next creation.
    maybe_there_ = kind != ColibriOutcomeKind::kBridgeShuttingDown;
    outcome.lost = drop_everything(cleanup);
  } else if (request.kind == RequestKind::kAllocate) {
    lose(*request.endpoint, cleanup, outcome);
  } else if (kind == ColibriOutcomeKind::kEndpointUnknown && outcome.endpoint) {
    lose(*outcome.endpoint, Cleanup::kNone, outcome);
  } else if (request.kind == RequestKind::kUpdate && kind != ColibriOutcomeKind::kTimeout) {
    lose(*request.endpoint, cleanup, outcome);
  } else if (request.kind == RequestKind::kRestartIce && reaches_bridge(kind) &&
             kind != ColibriOutcomeKind::kTimeout) {
    lose(*request.endpoint, cleanup, outcome);
  }
}

void ColibriSession::keep_leftovers(const Pending& removal, ColibriOutcomeKind kind) {
  for (const proto::Endpoint& endpoint : removal.message.endpoints) {
    EndpointId id(endpoint.id);
    if (kind != ColibriOutcomeKind::kBadRequest && !endpoints_.contains(id)) {
      leftovers_.insert(std::move(id));
    }
  }
}

void ColibriSession::lose(const EndpointId& endpoint, Cleanup cleanup, ColibriOutcome& outcome) {
  if (!endpoints_.contains(endpoint)) {
    outcome.kind = ColibriOutcomeKind::kStale;
    return;
  }
  outcome.lost = {endpoint};
  drop_endpoint(endpoint, cleanup);
}

bool ColibriSession::try_again(ColibriTicket ticket, Pending& request, ColibriOutcomeKind kind,
                               Instant now) {
  if (request.retried) {
    return false;
  }
  request.retried = true;
  if (request.message.create && kind == ColibriOutcomeKind::kConferenceExists && expired_at_ &&
      now < *expired_at_ + options_.recreate_window) {
    // Our own expire is answered before it is carried out.
    request.message.create = false;
    waiting_.emplace_front(ticket, std::move(request));
    retry_at_ = now + options_.recreate_delay;
    return true;
  }
  if (request.kind == RequestKind::kUpdate && kind == ColibriOutcomeKind::kTimeout) {
    proto::Endpoint& endpoint = request.message.endpoints.front();
    if (endpoints_.at(*request.endpoint).newest_sources != ticket) {
      endpoint.sources.reset();  // An old set must not overtake a newer one.
    }
    if (endpoint.sources || endpoint.transport) {
      waiting_.emplace_back(ticket, std::move(request));
      return true;
    }
  }
  return false;
}

}  // namespace bascule::focus
