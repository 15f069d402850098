#include "xmpp/xml/writer.h"

#include <cstddef>
#include <cstdint>

namespace bascule::xml {
namespace {

/// Length of the well-formed UTF-8 sequence (Unicode 3.9, table 3-7) of a character XML 1.0 2.2
/// allows at the front of `text`, or 0.
std::size_t valid_character_length(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](std::size_t i) {
    return i < text.size() && (byte(i) & 0xC0U) == 0x80;
  };
  const unsigned char lead = byte(0);
  if (lead < 0x80) {
    return lead >= 0x20 || lead == '\t' || lead == '\n' || lead == '\r' ? 1 : 0;
  }
  if (lead >= 0xC2 && lead <= 0xDF) {
    return continues(1) ? 2 : 0;
  }
  if (lead >= 0xE0 && lead <= 0xEF) {
    if (!continues(1) || !continues(2)) {
      return 0;
    }
    const bool overlong = lead == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = lead == 0xED && byte(1) >= 0xA0;
    const bool noncharacter = lead == 0xEF && byte(1) == 0xBF && byte(2) >= 0xBE;
    return overlong || surrogate || noncharacter ? 0 : 3;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (!continues(1) || !continues(2) || !continues(3)) {
      return 0;
    }
    const bool overlong = lead == 0xF0 && byte(1) < 0x90;
    const bool beyond_unicode = lead == 0xF4 && byte(1) >= 0x90;
    return overlong || beyond_unicode ? 0 : 4;
  }
  return 0;
}

enum class Place { kText, kAttribute };

/// The reference that must stand for a character, or an empty view when it stands for itself.
std::string_view reference_for(char c, Place place) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '\'':
      return place == Place::kAttribute ? "&apos;" : "";
    case '\t':
      return place == Place::kAttribute ? "&#9;" : "";
    case '\n':
      return place == Place::kAttribute ? "&#10;" : "";
    case '\r':
      // A parser would read a bare one as a line feed (XML 1.0 2.11).
      return "&#13;";
    default:
      return "";
  }
}

void append_escaped(std::string_view text, Place place, std::string& output) {
  while (!text.empty()) {
    const std::size_t length = valid_character_length(text);
    if (length == 0) {
      text.remove_prefix(1);
      continue;
    }
    const std::string_view reference = length == 1 ? reference_for(text[0], place) : "";
    output += reference.empty() ? text.substr(0, length) : reference;
    text.remove_prefix(length);
  }
}

void append_attribute(std::string_view name, std::string_view value, std::string& output) {
  output += ' ';
  output += name;
  output += "='";
  append_escaped(value, Place::kAttribute, output);
  output += '\'';
}

void append_element(const Element& element, std::string_view parent_ns, std::string& output) {
  output += '<';
  output += element.name;
  if (element.ns != parent_ns) {
    append_attribute("xmlns", element.ns, output);
  }
  for (const auto& [name, value] : element.attributes) {
    append_attribute(name, value, output);
  }
  output += '>';
  const std::size_t content_begin = output.size();
  append_escaped(element.text, Place::kText, output);
  if (output.size() == content_begin && element.children.empty()) {
    output.pop_back();
    output += "/>";
    return;
  }
  for (const Element& child : element.children) {
    append_element(child, element.ns, output);
  }
  output += "</";
  output += element.name;
  output += '>';
}

}  // namespace

std::string to_string(const Element& element, std::string_view parent_ns) {
  std::string output;
  append_element(element, parent_ns, output);
  return output;
}

}  // namespace bascule::xml
