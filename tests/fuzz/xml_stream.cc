#include <algorithm>
#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include "base/check.h"
#include "tests/fuzz/targets.h"
#include "xmpp/xml/parser.h"
#include "xmpp/xml/writer.h"

namespace bascule::fuzz {
namespace {

using xml::Element;

/// What came out of one stream, in a form that can be compared.
struct Outcome {
  std::vector<Element> headers, stanzas, rejected;
  std::vector<std::string> reasons;
  std::string order;  ///< One letter per event.
  bool is_malformed = false;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

void record(xml::StreamEvent event, Outcome& outcome) {
  if (auto* opened = std::get_if<xml::StreamOpened>(&event)) {
    outcome.order += 'o';
    outcome.headers.push_back(std::move(opened->header));
  } else if (auto* parsed = std::get_if<xml::StanzaParsed>(&event)) {
    outcome.order += 's';
    outcome.stanzas.push_back(std::move(parsed->stanza));
  } else if (auto* rejected = std::get_if<xml::StanzaRejected>(&event)) {
    outcome.order += 'r';
    outcome.rejected.push_back(std::move(rejected->head));
    outcome.reasons.push_back(std::move(rejected->reason));
  } else {
    outcome.order += 'c';
  }
}

/// `sizes` are used in turn, 0 standing for 256; none: everything arrives at once.
Outcome parse_in_pieces(std::string_view text, std::string_view sizes, xml::ParseLimits limits) {
  xml::StreamParser parser(limits);
  Outcome outcome;
  std::size_t turn = 0;
  while (!text.empty() && !outcome.is_malformed) {
    std::size_t size = text.size();
    if (!sizes.empty()) {
      const auto byte = static_cast<unsigned char>(sizes[turn++ % sizes.size()]);
      size = std::min<std::size_t>(byte == 0 ? 256 : byte, text.size());
    }
    std::vector<xml::StreamEvent> events;
    outcome.is_malformed = !parser.feed(text.substr(0, size), events);
    for (xml::StreamEvent& event : events) {
      record(std::move(event), outcome);
    }
    text.remove_prefix(size);
  }
  if (outcome.is_malformed) {
    std::vector<xml::StreamEvent> events;
    BASCULE_CHECK(!parser.feed("<iq/>", events) && events.empty());
  }
  return outcome;
}

/// What was read can be written, and is read again as what it was.
void check_written(const Element& element) {
  const std::string text = xml::to_string(element);
  const auto again = xml::parse(text);
  BASCULE_CHECK(again.has_value());
  BASCULE_CHECK(*again == element);
}

/// A stream that was read to its end without complaint is a document with the same content.
void check_against_document(std::string_view text, const Outcome& outcome) {
  if (outcome.is_malformed || !outcome.rejected.empty() || !outcome.order.ends_with('c')) {
    return;
  }
  const auto document = xml::parse(
      text, {.bytes = text.size(), .depth = 1'000, .elements = 1'000'000, .attributes = 1'000});
  BASCULE_CHECK(document.has_value());
  BASCULE_CHECK(document->children == outcome.stanzas);
  BASCULE_CHECK(document->name == outcome.headers.front().name);
  BASCULE_CHECK(document->attributes == outcome.headers.front().attributes);
}

/// The limits hold for what is let through.
std::size_t depth_of(const Element& element) {
  std::size_t depth = 0;
  for (const Element& child : element.children) {
    depth = std::max(depth, 1 + depth_of(child));
  }
  return depth;
}

std::size_t count_of(const Element& element) {
  std::size_t count = 1;
  for (const Element& child : element.children) {
    count += count_of(child);
  }
  return count;
}

}  // namespace

void run_xml_stream(std::string_view input) {
  constexpr xml::ParseLimits kTight{.bytes = 400, .depth = 3, .elements = 8, .attributes = 3};
  const auto separator = input.rfind('\0');
  const std::string_view text = input.substr(0, separator);
  const std::string_view sizes =
      separator == std::string_view::npos ? std::string_view("\1", 1) : input.substr(separator + 1);
  for (const xml::ParseLimits& limits : {xml::ParseLimits{}, kTight}) {
    const Outcome whole = parse_in_pieces(text, {}, limits);
    BASCULE_CHECK(parse_in_pieces(text, sizes, limits) == whole);
    check_against_document(text, whole);
    for (const Element& stanza : whole.stanzas) {
      check_written(stanza);
      BASCULE_CHECK(depth_of(stanza) <= limits.depth && count_of(stanza) <= limits.elements);
    }
    for (const Element& head : whole.rejected) {
      BASCULE_CHECK(head.children.empty() && head.text.empty());
    }
  }
}

}  // namespace bascule::fuzz
