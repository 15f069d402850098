#pragma once

#include <string>
#include <variant>

#include <strophe.h>

#include "xmpp/xml/element.h"
#include "xmpp/xml/parser.h"

namespace bascule::xmpp::strophe {

/// A stanza over the limits: its name and attributes, no children.
struct OverLimit {
  xml::Element head;
  std::string reason;
};

/// A stanza of libstrophe as our value. The stream's default namespace, `jabber:client` or
/// `jabber:component:accept` (XEP-0114), becomes `jabber:client` everywhere, so that the codecs see
/// one language. Attributes come out sorted by name, because libstrophe keeps them in a hash table;
/// it also forgets prefixes, so `lang` is given back its `xml:` on elements of the stream namespace
/// and in stanza errors, where no other attribute of that name exists (RFC 6120 8.1.5, 8.3.2).
std::variant<xml::Element, OverLimit> from_strophe(xmpp_stanza_t* stanza,
                                                   const xml::ParseLimits& limits);

/// The bytes of a stanza for `xmpp_send_raw`. They go through our canonical writer and not through
/// libstrophe's, which does not check what it is given: one bad byte would end the stream.
std::string to_wire(const xml::Element& stanza);

}  // namespace bascule::xmpp::strophe
