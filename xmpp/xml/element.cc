#include "xmpp/xml/element.h"

#include <algorithm>

namespace bascule::xml {
namespace {

template <class Attributes>
auto find_attribute(Attributes& attributes, std::string_view name) {
  return std::find_if(attributes.begin(), attributes.end(),
                      [name](const auto& attribute) { return attribute.first == name; });
}

}  // namespace

std::optional<std::string_view> Element::attribute(std::string_view attribute_name) const {
  const auto found = find_attribute(attributes, attribute_name);
  if (found == attributes.end()) {
    return std::nullopt;
  }
  return found->second;
}

std::string_view Element::attribute_or_empty(std::string_view attribute_name) const {
  return attribute(attribute_name).value_or(std::string_view());
}

Element& Element::set(std::string_view attribute_name, std::string_view value) {
  const auto found = find_attribute(attributes, attribute_name);
  if (found == attributes.end()) {
    attributes.emplace_back(attribute_name, value);
  } else {
    found->second = value;
  }
  return *this;
}

void Element::unset(std::string_view attribute_name) {
  const auto found = find_attribute(attributes, attribute_name);
  if (found != attributes.end()) {
    attributes.erase(found);
  }
}

const Element* Element::child(std::string_view child_name, std::string_view child_ns) const {
  const auto found = std::find_if(
      children.begin(), children.end(),
      [child_name, child_ns](const Element& child) { return child.is(child_name, child_ns); });
  return found == children.end() ? nullptr : &*found;
}

const Element* Element::child_in(std::string_view child_ns) const {
  const auto found =
      std::find_if(children.begin(), children.end(),
                   [child_ns](const Element& child) { return child.ns == child_ns; });
  return found == children.end() ? nullptr : &*found;
}

Element& Element::add(Element child_element) {
  children.push_back(std::move(child_element));
  return children.back();
}

bool Element::has_prepared() const {
  return prepared || std::any_of(children.begin(), children.end(),
                                 [](const Element& below) { return below.has_prepared(); });
}

void rename_namespace(Element& element, std::string_view from, std::string_view to) {
  if (element.ns == from) {
    element.ns = to;
  }
  for (Element& child : element.children) {
    rename_namespace(child, from, to);
  }
}

}  // namespace bascule::xml
