#include "focus/colibri_outcome.h"

namespace bascule::focus {
namespace {

using proto::Condition;

ColibriOutcomeKind classify_reason(proto::Colibri2Reason reason, Condition condition) {
  switch (reason) {
    case proto::Colibri2Reason::kConferenceNotFound:
      return ColibriOutcomeKind::kConferenceGone;
    case proto::Colibri2Reason::kConferenceAlreadyExists:
      return ColibriOutcomeKind::kConferenceExists;
    case proto::Colibri2Reason::kGracefulShutdown:
      return ColibriOutcomeKind::kBridgeShuttingDown;
    case proto::Colibri2Reason::kUnknownEndpoint:
      return ColibriOutcomeKind::kEndpointUnknown;
    case proto::Colibri2Reason::kFeatureNotImplemented:
      return ColibriOutcomeKind::kBadRequest;  // The shape of our request, not its content.
    case proto::Colibri2Reason::kUnspecified:
      break;
  }
  switch (condition) {
    case Condition::kBadRequest:
      return ColibriOutcomeKind::kBadRequest;
    case Condition::kConflict:
      return ColibriOutcomeKind::kEndpointExists;
    default:
      return ColibriOutcomeKind::kBridgeFailed;
  }
}

bool is_absence(Condition condition) {
  return condition == Condition::kItemNotFound || condition == Condition::kRecipientUnavailable ||
         condition == Condition::kRemoteServerTimeout ||
         condition == Condition::kRemoteServerNotFound || condition == Condition::kGone;
}

}  // namespace

std::string_view to_string(ColibriOutcomeKind kind) {
  switch (kind) {
    case ColibriOutcomeKind::kAllocated:
      return "allocated";
    case ColibriOutcomeKind::kDone:
      return "done";
    case ColibriOutcomeKind::kStale:
      return "stale";
    case ColibriOutcomeKind::kRetried:
      return "retried";
    case ColibriOutcomeKind::kTransport:
      return "transport";
    case ColibriOutcomeKind::kEndpointUnknown:
      return "endpoint-unknown";
    case ColibriOutcomeKind::kEndpointExists:
      return "endpoint-exists";
    case ColibriOutcomeKind::kBadRequest:
      return "bad-request";
    case ColibriOutcomeKind::kIncompleteAnswer:
      return "incomplete-answer";
    case ColibriOutcomeKind::kConferenceGone:
      return "conference-gone";
    case ColibriOutcomeKind::kConferenceExists:
      return "conference-exists";
    case ColibriOutcomeKind::kBridgeShuttingDown:
      return "bridge-shutting-down";
    case ColibriOutcomeKind::kBridgeFailed:
      return "bridge-failed";
    case ColibriOutcomeKind::kBridgeLeft:
      return "bridge-left";
    case ColibriOutcomeKind::kNotInBrewery:
      return "not-in-brewery";
    case ColibriOutcomeKind::kTimeout:
      return "timeout";
    case ColibriOutcomeKind::kServerRefused:
      return "server-refused";
    case ColibriOutcomeKind::kLinkDown:
      return "link-down";
  }
  return "unknown";
}

ColibriOutcomeKind classify(const proto::StanzaError& error) {
  if (const auto colibri = proto::decode_colibri2_error(error)) {
    return classify_reason(colibri->reason, error.condition);
  }
  if (error.condition == Condition::kNotAcceptable) {
    return ColibriOutcomeKind::kNotInBrewery;
  }
  if (is_absence(error.condition)) {
    return ColibriOutcomeKind::kBridgeLeft;
  }
  return error.by ? ColibriOutcomeKind::kServerRefused
                  : classify_reason(proto::Colibri2Reason::kUnspecified, error.condition);
}

ColibriOutcomeKind classify(const Error& error) {
  switch (error.code) {
    case Errc::kTimeout:
      return ColibriOutcomeKind::kTimeout;
    case Errc::kUnavailable:
      return ColibriOutcomeKind::kLinkDown;
    default:
      return ColibriOutcomeKind::kBridgeFailed;
  }
}

std::string describe(const std::variant<proto::StanzaError, Error>& failure) {
  if (const auto* error = std::get_if<Error>(&failure)) {
    return error->what;
  }
  const auto& error = std::get<proto::StanzaError>(failure);
  std::string text(proto::to_string(error.condition));
  return error.text.empty() ? text : text + ": " + error.text;
}

bool reaches_bridge(ColibriOutcomeKind kind) {
  return kind != ColibriOutcomeKind::kBridgeLeft && kind != ColibriOutcomeKind::kNotInBrewery &&
         kind != ColibriOutcomeKind::kServerRefused && kind != ColibriOutcomeKind::kLinkDown;
}

}  // namespace bascule::focus
