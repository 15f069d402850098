#pragma once

// Mute requests and notifications (jitsi-xmpp-extensions: MuteIq.java, MuteVideoIq.java,
// MuteDesktopIq.java).

#include <array>
#include <optional>
#include <string_view>

#include "base/jid.h"
#include "base/result.h"
#include "xmpp/xml/element.h"

namespace bascule::proto {

enum class MuteMedia { kAudio, kVideo, kDesktop };
inline constexpr std::array<MuteMedia, 3> kMuteMedia = {MuteMedia::kAudio, MuteMedia::kVideo,
                                                        MuteMedia::kDesktop};
/// "audio", "video" or "desktop", as moderation names them.
std::string_view to_string(MuteMedia media);
std::optional<MuteMedia> parse_mute_media(std::string_view name);

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
