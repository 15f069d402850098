#include "xmpp/xml/writer.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace bascule::xml {
namespace {

/// Length of a UTF-8 sequence by its first byte, or 0 for a byte that is never first.
std::size_t sequence_length(unsigned char lead) {
  if (lead < 0x80) {
    return 1;
  }
  if (lead < 0xC2 || lead > 0xF4) {
    return 0;
  }
  return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

/// XML 1.0 2.2, "Char".
bool is_xml_character(char32_t code) {
  if (code < 0x20) {
    return code == '\t' || code == '\n' || code == '\r';
  }
  return code <= 0xD7FF || (code >= 0xE000 && code <= 0xFFFD) ||
         (code >= 0x10000 && code <= 0x10FFFF);
}

/// Length of the well-formed UTF-8 sequence (Unicode 3.9, table 3-7) of a character XML allows at
/// the front of `text`, or 0.
std::size_t valid_character_length(std::string_view text) {
  // Anything below could be written in fewer bytes, which is not well-formed.
  constexpr std::array<char32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t length = sequence_length(lead);
  if (length == 0 || length > text.size()) {
    return 0;
  }
  char32_t code = length == 1 ? lead : lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xC0U) != 0x80) {
      return 0;
    }
    code = code << 6U | (byte & 0x3FU);
  }
  return code >= kSmallest[length] && is_xml_character(code) ? length : 0;
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
  if (output.size() == content_begin && element.children.empty() && !element.prepared) {
    output.pop_back();
    output += "/>";
    return;
  }
  for (const Element& child : element.children) {
    append_element(child, element.ns, output);
  }
  if (element.prepared) {
    output += *element.prepared;
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

std::shared_ptr<const std::string> prepare(const std::vector<Element>& children,
                                           std::string_view parent_ns) {
  std::string text;
  for (const Element& child : children) {
    append_element(child, parent_ns, text);
  }
  return std::make_shared<const std::string>(std::move(text));
}

}  // namespace bascule::xml
