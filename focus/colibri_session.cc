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

ColibriSession::Requests ColibriSession::relay(proto::Relay relay, RelayTag tag) {
  if (!is_present()) {
    return {};
  }
  Pending pending{.kind = RequestKind::kRelay, .message = make_message(), .relay = tag};
  pending.message.relays.push_back(std::move(relay));
  enqueue(std::move(pending));
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

}  // namespace bascule::focus
