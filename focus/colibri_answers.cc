// What the answers of the bridge mean for a ColibriSession.

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "focus/colibri_session.h"
#include "focus/colibri_sources.h"

namespace bascule::focus {

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
    on_failure(ticket, request, step.outcome, now);
  }
  if (request.relay) {
    step.outcome.relay = RelayAnswer{.tag = *request.relay, .kind = step.outcome.kind};
    if (answer && answer->relays.size() == 1) {
      step.outcome.relay->transport = answer->relays.front().transport;
    }
  }
  step.send = release();
  return step;
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

void ColibriSession::on_failure(ColibriTicket ticket, Pending& request, ColibriOutcome& outcome,
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
  } else if (request.kind == RequestKind::kUpdate && kind != ColibriOutcomeKind::kTimeout &&
             kind != ColibriOutcomeKind::kLinkDown) {
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
