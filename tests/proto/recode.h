#pragma once

#include <cstddef>

#include "base/result.h"
#include "xmpp/xml/element.h"

namespace bascule::proto {

/// `Request::index()` of what a result with this payload (null: none) answers.
[[nodiscard]] std::size_t request_index_for(const xml::Element* payload);

/// Decodes a stanza with whatever codec it belongs to and encodes the value again.
[[nodiscard]] Result<xml::Element> recode_stanza(const xml::Element& stanza);

}  // namespace bascule::proto
