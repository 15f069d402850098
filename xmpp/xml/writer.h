#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "xmpp/xml/element.h"

namespace bascule::xml {

/// The one canonical form: attributes in their order, single quotes, `xmlns` exactly where the
/// namespace differs from the parent's, `<x/>` for empty elements. Never emits what would close a
/// Prosody link (reference: XML 1.0 2.2): invalid UTF-8 and forbidden control characters are
/// dropped; tab, LF and CR in attributes become character references. `parent_ns` is the namespace
/// in force where the text is inserted (the stream's default namespace, for stanzas).
std::string to_string(const Element& element, std::string_view parent_ns = {});

/// These elements as children of one in the namespace `parent_ns`, for Element::prepared.
std::shared_ptr<const std::string> prepare(const std::vector<Element>& children,
                                           std::string_view parent_ns);

}  // namespace bascule::xml
