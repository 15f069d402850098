#include "xmpp/strophe/convert.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "xmpp/xml/writer.h"

namespace bascule::xmpp::strophe {
namespace {

constexpr std::string_view kClientNamespace = "jabber:client";
constexpr std::string_view kComponentNamespace = "jabber:component:accept";
constexpr std::string_view kStanzasNamespace = "urn:ietf:params:xml:ns:xmpp-stanzas";

/// What is left of the limits while one stanza is converted.
struct Budget {
  xml::ParseLimits limits;
  std::size_t elements = 0;
  std::size_t bytes = 0;

  /// Names the limit that is exceeded.
  [[nodiscard]] std::optional<std::string> exceeded() const {
    if (elements > limits.elements) {
      return "more than " + std::to_string(limits.elements) + " elements";
    }
    if (bytes > limits.bytes) {
      return "more than " + std::to_string(limits.bytes) + " bytes of text and attributes";
    }
    return std::nullopt;
  }
};

/// Name, namespace and attributes, without children.
std::optional<std::string> convert_head(xmpp_stanza_t* stanza, Budget& budget,
                                        xml::Element& element) {
  ++budget.elements;
  element.name = xmpp_stanza_get_name(stanza);
  const char* ns = xmpp_stanza_get_ns(stanza);
  element.ns = ns == nullptr ? "" : ns;
  if (element.ns == kComponentNamespace) {
    element.ns = kClientNamespace;
  }
  const int count = xmpp_stanza_get_attribute_count(stanza);
  if (static_cast<std::size_t>(count) > budget.limits.attributes + 1) {  // One is xmlns.
    return "more than " + std::to_string(budget.limits.attributes) + " attributes";
  }
  std::vector<const char*> flat(static_cast<std::size_t>(count) * 2);
  xmpp_stanza_get_attributes(stanza, flat.data(), count * 2);
  for (std::size_t i = 0; i + 1 < flat.size(); i += 2) {
    std::string name = flat[i];
    if (name == "xmlns") {
      continue;
    }
    if (name == "lang" && (element.ns == kClientNamespace || element.ns == kStanzasNamespace)) {
      name = "xml:lang";
    }
    budget.bytes += name.size() + std::string_view(flat[i + 1]).size();
    element.attributes.emplace_back(std::move(name), flat[i + 1]);
  }
  std::sort(element.attributes.begin(), element.attributes.end());
  return budget.exceeded();
}

std::optional<std::string> convert(xmpp_stanza_t* stanza, std::size_t depth, Budget& budget,
                                   xml::Element& element) {
  if (depth > budget.limits.depth) {
    return "more than " + std::to_string(budget.limits.depth) + " levels";
  }
  if (auto reason = convert_head(stanza, budget, element)) {
    return reason;
  }
  for (auto* child = xmpp_stanza_get_children(stanza); child != nullptr;
       child = xmpp_stanza_get_next(child)) {
    if (xmpp_stanza_is_text(child) != 0) {
      const char* text = xmpp_stanza_get_text_ptr(child);
      element.text += text == nullptr ? "" : text;
      budget.bytes += text == nullptr ? 0 : std::string_view(text).size();
      if (auto reason = budget.exceeded()) {
        return reason;
      }
    } else if (auto reason = convert(child, depth + 1, budget, element.children.emplace_back())) {
      return reason;
    }
  }
  return std::nullopt;
}

}  // namespace

std::variant<xml::Element, OverLimit> from_strophe(xmpp_stanza_t* stanza,
                                                   const xml::ParseLimits& limits) {
  Budget budget{.limits = limits};
  xml::Element element;
  if (auto reason = convert(stanza, 0, budget, element)) {
    element.children.clear();
    element.text.clear();
    return OverLimit{.head = std::move(element), .reason = std::move(*reason)};
  }
  return element;
}

std::string to_wire(const xml::Element& stanza) {
  return xml::to_string(stanza, kClientNamespace);
}

}  // namespace bascule::xmpp::strophe
