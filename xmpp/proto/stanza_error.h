#pragma once

// RFC 6120 8.3: stanza errors.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "xmpp/xml/element.h"

namespace bascule::proto {

/// What the sender of the failed stanza should do (RFC 6120 8.3.2).
enum class ErrorType { kAuth, kCancel, kContinue, kModify, kWait };

/// The defined conditions (RFC 6120 8.3.3), in the order of the RFC.
enum class Condition {
  kBadRequest,
  kConflict,
  kFeatureNotImplemented,
  kForbidden,
  kGone,
  kInternalServerError,
  kItemNotFound,
  kJidMalformed,
  kNotAcceptable,
  kNotAllowed,
  kNotAuthorized,
  kPolicyViolation,
  kRecipientUnavailable,
  kRedirect,
  kRegistrationRequired,
  kRemoteServerNotFound,
  kRemoteServerTimeout,
  kResourceConstraint,
  kServiceUnavailable,
  kSubscriptionRequired,
  kUndefinedCondition,
  kUnexpectedRequest,
};
inline constexpr std::size_t kConditions = 22;

/// The wire name, for example "item-not-found".
std::string_view to_string(Condition condition);
/// The wire name, for example "cancel".
std::string_view to_string(ErrorType type);

struct StanzaError {
  ErrorType type = ErrorType::kCancel;
  Condition condition = Condition::kUndefinedCondition;
  std::string text;               ///< Empty: no `<text/>`.
  std::optional<std::string> by;  ///< Who generated it (RFC 6120 8.3.1).
  /// Application-specific children. The RFC allows one; a bridge answers with two
  /// (Jitsi Videobridge: Colibri2ConferenceHandler.kt).
  std::vector<xml::Element> application;
  friend bool operator==(const StanzaError&, const StanzaError&) = default;

  /// The first application element with this name and namespace, or nullptr.
  [[nodiscard]] const xml::Element* find_application(std::string_view name,
                                                     std::string_view ns) const;
};

/// An error with the type RFC 6120 8.3.3 associates with the condition.
StanzaError make_error(Condition condition, std::string text = {},
                       std::vector<xml::Element> application = {});

/// The `<error/>` element.
xml::Element encode(const StanzaError& error);
/// `error` is the `<error/>` element. An unknown condition becomes kUndefinedCondition (RFC 6120
/// 8.3.3 lets an entity treat it so), a missing type the condition's own. Errors: kMalformed for
/// an unknown type.
Result<StanzaError> decode_stanza_error(const xml::Element& error);

}  // namespace bascule::proto
