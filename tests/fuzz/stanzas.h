#pragma once

#include <string_view>
#include <vector>

#include "xmpp/xml/element.h"

namespace bascule::fuzz {

/// The stanza that the text is, or the children of any other element; nothing when it is no XML.
[[nodiscard]] std::vector<xml::Element> read_stanzas(std::string_view text);

}  // namespace bascule::fuzz
