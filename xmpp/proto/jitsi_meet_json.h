#pragma once

// `<json-message xmlns='http://jitsi.org/jitmeet'>`: JSON carried in a Jingle IQ or a message
// (jitsi-xmpp-extensions: JsonMessageExtension.java), and the compact form of sources
// (Jicofo: EndpointSourceSet.kt `compactJson`; lib-jitsi-meet: JingleHelperFunctions.ts).

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "xmpp/proto/source.h"
#include "xmpp/xml/element.h"

namespace bascule::proto {

/// Text that its sender says is JSON; not parsed.
struct JsonMessage {
  std::string json;
  std::optional<std::string> room;  ///< In a message: whose room it is about.
  friend bool operator==(const JsonMessage&, const JsonMessage&) = default;
};

bool is_json_message(const xml::Element& element);

xml::Element encode(const JsonMessage& message);
Result<JsonMessage> decode_json_message(const xml::Element& element);

/// The compact text `{"sources":{owner:[video, video groups, audio, audio groups]}}`, without
/// white space; audio groups are left out when there are none. Names and msids come from
/// untrusted clients and are escaped. FEC-FR groups have no compact form and are left out, as are
/// rid, owner and injected.
std::string encode_sources_json(const SourceMap& sources);
/// Tolerates shorter arrays; a video source without type is a camera, as clients read it. Errors:
/// kMalformed when it is not JSON, `sources` is missing, or a known field has the wrong type or
/// range.
Result<SourceMap> decode_sources_json(std::string_view json);

}  // namespace bascule::proto
