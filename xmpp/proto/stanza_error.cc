#include "xmpp/proto/stanza_error.h"

#include <algorithm>
#include <array>

#include "xmpp/proto/codec.h"
#include "xmpp/proto/iq.h"

namespace bascule::proto {
namespace {

constexpr std::string_view kErrorNamespace = "urn:ietf:params:xml:ns:xmpp-stanzas";
constexpr std::string_view kErrorName = "error";
constexpr std::string_view kTextName = "text";
constexpr std::string_view kTypeName = "type";
constexpr std::string_view kByName = "by";

constexpr Names<ErrorType, 5> kTypes{{
    {ErrorType::kAuth, "auth"},
    {ErrorType::kCancel, "cancel"},
    {ErrorType::kContinue, "continue"},
    {ErrorType::kModify, "modify"},
    {ErrorType::kWait, "wait"},
}};

struct ConditionRow {
  Condition condition;
  std::string_view name;
  ErrorType type;
};

constexpr std::array<ConditionRow, 22> kConditions{{
    {Condition::kBadRequest, "bad-request", ErrorType::kModify},
    {Condition::kConflict, "conflict", ErrorType::kCancel},
    {Condition::kFeatureNotImplemented, "feature-not-implemented", ErrorType::kCancel},
    {Condition::kForbidden, "forbidden", ErrorType::kAuth},
    {Condition::kGone, "gone", ErrorType::kCancel},
    {Condition::kInternalServerError, "internal-server-error", ErrorType::kCancel},
    {Condition::kItemNotFound, "item-not-found", ErrorType::kCancel},
    {Condition::kJidMalformed, "jid-malformed", ErrorType::kModify},
    {Condition::kNotAcceptable, "not-acceptable", ErrorType::kModify},
    {Condition::kNotAllowed, "not-allowed", ErrorType::kCancel},
    {Condition::kNotAuthorized, "not-authorized", ErrorType::kAuth},
    {Condition::kPolicyViolation, "policy-violation", ErrorType::kModify},
    {Condition::kRecipientUnavailable, "recipient-unavailable", ErrorType::kWait},
    {Condition::kRedirect, "redirect", ErrorType::kModify},
    {Condition::kRegistrationRequired, "registration-required", ErrorType::kAuth},
    {Condition::kRemoteServerNotFound, "remote-server-not-found", ErrorType::kCancel},
    {Condition::kRemoteServerTimeout, "remote-server-timeout", ErrorType::kWait},
    {Condition::kResourceConstraint, "resource-constraint", ErrorType::kWait},
    {Condition::kServiceUnavailable, "service-unavailable", ErrorType::kCancel},
    {Condition::kSubscriptionRequired, "subscription-required", ErrorType::kAuth},
    {Condition::kUndefinedCondition, "undefined-condition", ErrorType::kCancel},
    {Condition::kUnexpectedRequest, "unexpected-request", ErrorType::kWait},
}};

const ConditionRow& row_of(Condition condition) {
  return kConditions.at(static_cast<std::size_t>(condition));
}

/// The row of a wire name; an unknown one is undefined-condition.
const ConditionRow& row_of(std::string_view name) {
  const auto found = std::find_if(kConditions.begin(), kConditions.end(),
                                  [name](const ConditionRow& row) { return row.name == name; });
  return found == kConditions.end() ? row_of(Condition::kUndefinedCondition) : *found;
}

}  // namespace

std::string_view to_string(Condition condition) {
  return row_of(condition).name;
}

std::string_view to_string(ErrorType type) {
  return name_of(kTypes, type);
}

const xml::Element* StanzaError::find_application(std::string_view name,
                                                  std::string_view ns) const {
  const auto found =
      std::find_if(application.begin(), application.end(),
                   [name, ns](const xml::Element& element) { return element.is(name, ns); });
  return found == application.end() ? nullptr : &*found;
}

StanzaError make_error(Condition condition, std::string text,
                       std::vector<xml::Element> application) {
  return StanzaError{.type = row_of(condition).type,
                     .condition = condition,
                     .text = std::move(text),
                     .application = std::move(application)};
}

xml::Element encode(const StanzaError& error) {
  xml::Element element = make_element(kErrorName, kStanzaNamespace);
  element.set(kTypeName, to_string(error.type));
  set_optional(element, kByName, error.by);
  element.add(make_element(to_string(error.condition), kErrorNamespace));
  if (!error.text.empty()) {
    element.add(make_text_element(kTextName, kErrorNamespace, error.text));
  }
  for (const xml::Element& application : error.application) {
    element.add(application);
  }
  return element;
}

Result<StanzaError> decode_stanza_error(const xml::Element& error) {
  StanzaError decoded;
  bool has_condition = false;
  for (const xml::Element& child : error.children) {
    if (child.ns != kErrorNamespace) {
      decoded.application.push_back(child);
    } else if (child.name == kTextName) {
      decoded.text = child.text;
    } else if (!has_condition) {
      decoded.condition = row_of(child.name).condition;
      has_condition = true;
    }
  }
  decoded.type = row_of(decoded.condition).type;
  decoded.by = optional_text(error, kByName);
  Reader reader(error);
  reader.assign_enum(kTypes, kTypeName, decoded.type);
  return reader.finish(std::move(decoded));
}

}  // namespace bascule::proto
