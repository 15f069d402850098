#pragma once

// How the parts of StatsNode read answers, and the times they share.

#include "focus/stats_node_repair.h"
#include "focus/turn.h"

namespace bascule::focus {

inline constexpr Duration kNodeLookPeriod = std::chrono::seconds{30};
/// Several focuses must not look in step.
inline constexpr Duration kNodeLookJitter = std::chrono::seconds{3};

inline bool is_condition(const IqOutcome& outcome, proto::Condition condition) {
  const auto* error = outcome ? nullptr : std::get_if<proto::StanzaError>(&outcome.error());
  return error != nullptr && error->condition == condition;
}

inline bool lacks_rights(const IqOutcome& outcome) {
  return is_condition(outcome, proto::Condition::kForbidden) ||
         is_condition(outcome, proto::Condition::kNotAllowed) ||
         is_condition(outcome, proto::Condition::kNotAuthorized) ||
         is_condition(outcome, proto::Condition::kRegistrationRequired);
}

inline bool is_timeout(const IqOutcome& outcome) {
  return !outcome && is_unanswered(outcome.error());
}

template <class T>
const T* answer_of(const IqOutcome& outcome) {
  const auto* answer = outcome ? std::get_if<proto::PubsubAnswer>(&*outcome) : nullptr;
  return answer == nullptr ? nullptr : std::get_if<T>(answer);
}

inline NodePlace place_of(const Turn& turn) {
  return {*turn.options().pubsub_service, turn.options().pubsub_node, turn.shared.service_jid};
}

}  // namespace bascule::focus
