#pragma once

// Mute requests and notifications (jitsi-xmpp-extensions: MuteIq.java, MuteVideoIq.java,
// MuteDesktopIq.java).

#include <optional>

#include "base/jid.h"
#include "base/result.h"
#include "xmpp/xml/element.h"

namespace bascule::proto {

enum class MuteMedia { kAudio, kVideo, kDesktop };

struct Mute {
  MuteMedia media = MuteMedia::kAudio;
  std::optional<Jid> jid;    ///< Whom; in a request.
  std::optional<Jid> actor;  ///< By whom; in a notification.
  std::optional<bool> mute;  ///< Absent when the element has no text.
  friend bool operator==(const Mute&, const Mute&) = default;
};

/// Whether it is a `<mute/>` of any medium.
bool is_mute(const xml::Element& payload);

xml::Element encode(const Mute& mute);
/// A text other than true means false. Errors: kMalformed for a malformed address.
Result<Mute> decode_mute(const xml::Element& payload);

}  // namespace bascule::proto
