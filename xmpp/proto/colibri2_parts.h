#pragma once

// The parts of a colibri2 endpoint and relay. Internal to this folder.

#include "base/result.h"
#include "xmpp/proto/colibri2.h"
#include "xmpp/xml/element.h"

namespace bascule::proto {

xml::Element encode_media(const Media& media);
bool is_media(const xml::Element& element);
Result<Media> decode_media(const xml::Element& element);

xml::Element encode_transport(const Transport& transport);
bool is_transport(const xml::Element& element);
Result<Transport> decode_transport(const xml::Element& element);

xml::Element encode_sources(const Sources& sources);
bool is_sources(const xml::Element& element);
Result<Sources> decode_sources(const xml::Element& element);

/// -1 means no limit. Also a child of a Jingle content.
xml::Element encode_initial_last_n(int value);
bool is_initial_last_n(const xml::Element& element);
Result<int> decode_initial_last_n(const xml::Element& element);

}  // namespace bascule::proto
