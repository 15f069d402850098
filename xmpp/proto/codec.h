#pragma once

// What the codecs of this folder are made of; nobody else includes it. A `Reader` reads the
// attributes and children of one element and remembers the first thing that was wrong, so that a
// decoder is a list of fields and not a ladder of checks.

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/jid.h"
#include "base/result.h"
#include "xmpp/xml/element.h"

namespace bascule::proto {

/// For std::visit.
template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

/// Wire names of an enumeration.
template <class Enum, std::size_t kCount>
using Names = std::array<std::pair<Enum, std::string_view>, kCount>;

template <class Enum, std::size_t kCount>
std::string_view name_of(const Names<Enum, kCount>& names, Enum value) {
  const auto found = std::find_if(names.begin(), names.end(),
                                  [value](const auto& entry) { return entry.first == value; });
  BASCULE_CHECK(found != names.end());
  return found->second;
}

template <class Enum, std::size_t kCount>
std::optional<Enum> value_of(const Names<Enum, kCount>& names, std::string_view text) {
  const auto found = std::find_if(names.begin(), names.end(),
                                  [text](const auto& entry) { return entry.second == text; });
  return found == names.end() ? std::nullopt : std::optional<Enum>(found->first);
}

xml::Element make_element(std::string_view name, std::string_view ns);
xml::Element make_text_element(std::string_view name, std::string_view ns, std::string_view text);
/// Sets the attribute only when there is a value.
void set_optional(xml::Element& element, std::string_view name,
                  const std::optional<std::string>& value);
void set_optional(xml::Element& element, std::string_view name, const std::optional<Jid>& value);
/// Sets the attribute to "true", or does nothing.
void set_flag(xml::Element& element, std::string_view name, bool value);

template <class Integer>
void set_number(xml::Element& element, std::string_view name, Integer value) {
  element.set(name, std::to_string(value));
}
template <class Integer>
void set_optional_number(xml::Element& element, std::string_view name,
                         const std::optional<Integer>& value) {
  if (value) {
    set_number(element, name, *value);
  }
}

std::string to_lower(std::string_view text);
std::string_view trim(std::string_view text);
/// Java's reading: "true" in any case, and nothing else.
bool is_true(std::string_view text);
std::optional<std::string> optional_text(const xml::Element& element, std::string_view name);
/// The text of a child, when the child exists.
std::optional<std::string> child_text(const xml::Element& element, std::string_view name,
                                      std::string_view ns);

/// A decimal integer that fills the whole text, without plus sign or leading white space.
template <class Integer>
std::optional<Integer> parse_integer(std::string_view text) {
  Integer value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

/// The inclusive range of an integer attribute.
template <class Integer>
struct Range {
  Integer min = std::numeric_limits<Integer>::min();
  Integer max = std::numeric_limits<Integer>::max();
};

class Reader {
 public:
  explicit Reader(const xml::Element& element) : element_(element) {}

  /// Remembers a failure; only the first one counts.
  void reject(std::string what);
  /// Refuses an element of another name or namespace.
  void expect(std::string_view name, std::string_view ns);

  std::string required(std::string_view name);
  Jid required_jid(std::string_view name);
  std::optional<Jid> optional_jid(std::string_view name);
  [[nodiscard]] bool flag(std::string_view name) const;
  [[nodiscard]] std::optional<bool> optional_flag(std::string_view name) const;

  template <class Integer>
  std::optional<Integer> optional_integer(std::string_view name, Range<Integer> range = {}) {
    const auto text = element_.attribute(name);
    if (!text) {
      return std::nullopt;
    }
    const auto value = parse_integer<Integer>(*text);
    if (!value || *value < range.min || *value > range.max) {
      reject_value(name, *text);
      return std::nullopt;
    }
    return value;
  }

  template <class Integer>
  Integer required_integer(std::string_view name, Range<Integer> range = {}) {
    if (!element_.attribute(name)) {
      reject_missing(name);
      return range.min;
    }
    return optional_integer<Integer>(name, range).value_or(range.min);
  }

  template <class Enum, std::size_t kCount>
  std::optional<Enum> optional_enum(const Names<Enum, kCount>& names, std::string_view name) {
    const auto text = element_.attribute(name);
    if (!text) {
      return std::nullopt;
    }
    const auto value = value_of(names, *text);
    if (!value) {
      reject_value(name, *text);
    }
    return value;
  }

  /// Leaves `target` alone when the attribute is absent.
  template <class Enum, std::size_t kCount>
  void assign_enum(const Names<Enum, kCount>& names, std::string_view name, Enum& target) {
    if (const auto value = optional_enum(names, name)) {
      target = *value;
    }
  }

  template <class Enum, std::size_t kCount>
  void require_enum(const Names<Enum, kCount>& names, std::string_view name, Enum& target) {
    if (!element_.attribute(name)) {
      reject_missing(name);
      return;
    }
    assign_enum(names, name, target);
  }

  /// The value, or a default one when decoding a part failed.
  template <class T>
  T take(Result<T> part) {
    if (!part) {
      reject(std::move(part.error().what));
      return T{};
    }
    return std::move(*part);
  }

  template <class T>
  Result<T> finish(T value) {
    if (failure_) {
      return fail(Errc::kMalformed, std::move(*failure_));
    }
    return value;
  }

 private:
  void reject_missing(std::string_view name);
  void reject_value(std::string_view name, std::string_view value);

  const xml::Element& element_;
  std::optional<std::string> failure_;
};

}  // namespace bascule::proto
