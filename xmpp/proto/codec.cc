#include "xmpp/proto/codec.h"

namespace bascule::proto {
namespace {

constexpr std::string_view kTrue = "true";
/// How much of a bad value goes into an error text that may be sent back.
constexpr std::size_t kQuotedBytesMax = 64;

}  // namespace

xml::Element make_element(std::string_view name, std::string_view ns) {
  xml::Element element;
  element.name = name;
  element.ns = ns;
  return element;
}

xml::Element make_text_element(std::string_view name, std::string_view ns, std::string_view text) {
  xml::Element element = make_element(name, ns);
  element.text = text;
  return element;
}

void set_optional(xml::Element& element, std::string_view name,
                  const std::optional<std::string>& value) {
  if (value) {
    element.set(name, *value);
  }
}

void set_optional(xml::Element& element, std::string_view name, const std::optional<Jid>& value) {
  if (value) {
    element.set(name, value->to_string());
  }
}

void set_flag(xml::Element& element, std::string_view name, bool value) {
  if (value) {
    element.set(name, kTrue);
  }
}

std::string to_lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

bool is_true(std::string_view text) {
  return to_lower(text) == kTrue;
}

std::optional<std::string> optional_text(const xml::Element& element, std::string_view name) {
  const auto value = element.attribute(name);
  return value ? std::optional<std::string>(*value) : std::nullopt;
}

std::optional<std::string> child_text(const xml::Element& element, std::string_view name,
                                      std::string_view ns) {
  const xml::Element* child = element.child(name, ns);
  return child == nullptr ? std::nullopt : std::optional<std::string>(child->text);
}

void Reader::reject(std::string what) {
  if (!failure_) {
    failure_ = std::move(what);
  }
}

void Reader::expect(std::string_view name, std::string_view ns) {
  if (!element_.is(name, ns)) {
    reject("expected <" + std::string(name) + "/> of " + std::string(ns));
  }
}

std::string Reader::required(std::string_view name) {
  const auto value = element_.attribute(name);
  if (!value) {
    reject_missing(name);
    return {};
  }
  return std::string(*value);
}

Jid Reader::required_jid(std::string_view name) {
  if (!element_.attribute(name)) {
    reject_missing(name);
    return {};
  }
  return optional_jid(name).value_or(Jid());
}

std::optional<Jid> Reader::optional_jid(std::string_view name) {
  const auto text = element_.attribute(name);
  if (!text) {
    return std::nullopt;
  }
  auto jid = Jid::parse(*text);
  if (!jid) {
    reject_value(name, *text);
    return std::nullopt;
  }
  return std::move(*jid);
}

bool Reader::flag(std::string_view name) const {
  return is_true(element_.attribute_or_empty(name));
}

std::optional<bool> Reader::optional_flag(std::string_view name) const {
  const auto text = element_.attribute(name);
  return text ? std::optional<bool>(is_true(*text)) : std::nullopt;
}

void Reader::reject_missing(std::string_view name) {
  reject("<" + element_.name + "/> lacks attribute '" + std::string(name) + "'");
}

void Reader::reject_value(std::string_view name, std::string_view value) {
  reject("attribute '" + std::string(name) + "' of <" + element_.name + "/> is out of range: '" +
         std::string(value.substr(0, kQuotedBytesMax)) + "'");
}

}  // namespace bascule::proto
