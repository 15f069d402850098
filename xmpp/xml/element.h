#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bascule::xml {

/// An XML element as a value. `ns` is resolved (never inherited); attributes keep document order;
/// an attribute in the xml namespace keeps its prefix (`xml:lang`). Text between children is
/// joined: XMPP has no mixed content that means anything.
struct Element {
  std::string name;
  std::string ns;
  std::vector<std::pair<std::string, std::string>> attributes;
  std::vector<Element> children;
  std::string text;
  /// More children, as text that the writer made for this place, see `prepare`. Written after
  /// `children`, and by nobody else: a parser never makes it, and it is not looked into. What many
  /// elements have in common is written once and shared; equal means shared here.
  std::shared_ptr<const std::string> prepared = nullptr;
  friend bool operator==(const Element&, const Element&) = default;

  /// The value of an attribute, or nullopt. The view lives as long as the element.
  [[nodiscard]] std::optional<std::string_view> attribute(std::string_view attribute_name) const;
  /// The value of an attribute, or an empty view.
  [[nodiscard]] std::string_view attribute_or_empty(std::string_view attribute_name) const;
  /// Sets or replaces an attribute; returns *this for chaining.
  Element& set(std::string_view attribute_name, std::string_view value);
  /// Removes an attribute if present.
  void unset(std::string_view attribute_name);
  /// The first child with this name (and namespace), or nullptr.
  [[nodiscard]] const Element* child(std::string_view child_name, std::string_view child_ns) const;
  /// The first child in this namespace, whatever its name, or nullptr.
  [[nodiscard]] const Element* child_in(std::string_view child_ns) const;
  /// Appends a child and returns a reference to it (valid until the next append).
  Element& add(Element child_element);
  /// Whether it or anything below it has `prepared` content.
  [[nodiscard]] bool has_prepared() const;
  [[nodiscard]] bool is(std::string_view expected_name, std::string_view expected_ns) const {
    return name == expected_name && ns == expected_ns;
  }
};

/// Moves the element and everything below it from one namespace to another: the core speaks
/// `jabber:client`, a component link `jabber:component:accept`. Cost: one visit per element.
void rename_namespace(Element& element, std::string_view from, std::string_view to);

}  // namespace bascule::xml
