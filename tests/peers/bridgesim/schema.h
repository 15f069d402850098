#pragma once

#include <string>
#include <vector>

#include "xmpp/xml/element.h"

namespace bascule::peers {

/// What is wrong with a conference-modify. A real bridge drops such a request without an answer
/// (its XMPP library fails to parse it), so the peers are strict on the focus' behalf. Elements in
/// other namespaces than the known ones are allowed: extensions must be ignored.
std::vector<std::string> schema_problems(const xml::Element& modify);

}  // namespace bascule::peers
