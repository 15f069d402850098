#pragma once

// What an entity says of itself: XEP-0092 (software version) and XEP-0202 (its time). Asked by
// tools only, so they are no part of proto::Request: send them as UnknownRequest.

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "xmpp/proto/request.h"
#include "xmpp/xml/element.h"

namespace bascule::proto {

inline constexpr std::string_view kVersionNamespace = "jabber:iq:version";
inline constexpr std::string_view kTimeNamespace = "urn:xmpp:time";

UnknownRequest version_request();
struct SoftwareVersion {
  std::string name;
  std::string version;
  std::optional<std::string> os;
  friend bool operator==(const SoftwareVersion&, const SoftwareVersion&) = default;
};
/// Errors: kMalformed without name or version.
Result<SoftwareVersion> decode_version(const xml::Element& query);

UnknownRequest time_request();
/// Of `<time/>`. Errors: kMalformed when its `<utc/>` is not in UTC or no time (XEP-0082).
Result<WallTime> decode_time(const xml::Element& time);

}  // namespace bascule::proto
