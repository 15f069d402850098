#pragma once

// `<content/>` of Jingle with description and sources. Internal to this folder.

#include "base/result.h"
#include "xmpp/proto/jingle.h"
#include "xmpp/xml/element.h"

namespace bascule::proto {

inline constexpr std::string_view kContentName = "content";

xml::Element encode_content(const Content& content);
Result<Content> decode_content(const xml::Element& element);

}  // namespace bascule::proto
