#include "tests/fuzz/stanzas.h"

#include <utility>

#include "xmpp/xml/parser.h"

namespace bascule::fuzz {

std::vector<xml::Element> read_stanzas(std::string_view text) {
  auto document = xml::parse(text);
  if (!document) {
    return {};
  }
  if (document->name == "iq" || document->name == "presence" || document->name == "message") {
    return {std::move(*document)};
  }
  return std::move(document->children);
}

}  // namespace bascule::fuzz
