#include "xmpp/proto/mute.h"

#include "xmpp/proto/codec.h"

namespace bascule::proto {
namespace {

constexpr std::string_view kMuteName = "mute";
constexpr std::string_view kJidName = "jid";
constexpr std::string_view kActorName = "actor";
constexpr std::string_view kTrue = "true";
constexpr std::string_view kFalse = "false";

constexpr Names<MuteMedia, 3> kNamespaces{{
    {MuteMedia::kAudio, "http://jitsi.org/jitmeet/audio"},
    {MuteMedia::kVideo, "http://jitsi.org/jitmeet/video"},
    {MuteMedia::kDesktop, "http://jitsi.org/jitmeet/desktop"},
}};

constexpr Names<MuteMedia, 3> kMediaNames{{
    {MuteMedia::kAudio, "audio"},
    {MuteMedia::kVideo, "video"},
    {MuteMedia::kDesktop, "desktop"},
}};

}  // namespace

std::string_view to_string(MuteMedia media) {
  return name_of(kMediaNames, media);
}

std::optional<MuteMedia> parse_mute_media(std::string_view name) {
  return value_of(kMediaNames, name);
}

bool is_mute(const xml::Element& payload) {
  return payload.name == kMuteName && value_of(kNamespaces, payload.ns).has_value();
}

xml::Element encode(const Mute& mute) {
  xml::Element element = make_element(kMuteName, name_of(kNamespaces, mute.media));
  set_optional(element, kJidName, mute.jid);
  set_optional(element, kActorName, mute.actor);
  if (mute.mute) {
    element.text = *mute.mute ? kTrue : kFalse;
  }
  return element;
}

Result<Mute> decode_mute(const xml::Element& payload) {
  Reader reader(payload);
  const auto media = value_of(kNamespaces, payload.ns);
  if (payload.name != kMuteName || !media) {
    reader.reject("expected <mute/>");
  }
  Mute mute{.media = media.value_or(MuteMedia::kAudio),
            .jid = reader.optional_jid(kJidName),
            .actor = reader.optional_jid(kActorName)};
  const std::string text = to_lower(trim(payload.text));
  if (!text.empty()) {
    mute.mute = text == kTrue;  // As Jicofo reads it.
  }
  return reader.finish(std::move(mute));
}

}  // namespace bascule::proto
