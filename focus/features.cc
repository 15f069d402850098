#include "focus/features.h"

#include <array>

namespace bascule::focus {
namespace {

struct Name {
  Feature feature;
  std::string_view variable;  // XEP-0030 feature variable (Jicofo: Features.kt).
  std::string_view word;      // Stored form; never changes.
};

constexpr std::array<Name, static_cast<std::size_t>(Feature::kCount)> kNames{{
    {Feature::kAudio, "urn:xmpp:jingle:apps:rtp:audio", "audio"},
    {Feature::kVideo, "urn:xmpp:jingle:apps:rtp:video", "video"},
    {Feature::kSctp, "urn:xmpp:jingle:transports:dtls-sctp:1", "sctp"},
    {Feature::kRtx, "urn:ietf:rfc:4588", "rtx"},
    {Feature::kRemb, "http://jitsi.org/remb", "remb"},
    {Feature::kTransportCc, "http://jitsi.org/tcc", "tcc"},
    {Feature::kOpusRed, "http://jitsi.org/opus-red", "opus-red"},
    {Feature::kJsonSources, "http://jitsi.org/json-encoded-sources", "json-sources"},
    {Feature::kSsrcRewriting, "http://jitsi.org/ssrc-rewriting-1", "ssrc-rewriting"},
    {Feature::kRtpMidDemux, "http://jitsi.org/rtp-mid-demux", "rtp-mid-demux"},
    {Feature::kAudioMute, "http://jitsi.org/protocol/audio-mute", "audio-mute"},
}};

}  // namespace

Features Features::from_disco(std::span<const std::string> variables) {
  Features features;
  for (const std::string& variable : variables) {
    for (const Name& name : kNames) {
      if (name.variable == variable) {
        features.add(name.feature);
      }
    }
  }
  return features;
}

Features Features::assumed() {
  return Features().add(Feature::kAudio).add(Feature::kVideo).add(Feature::kSctp);
}

Features Features::decode(std::string_view text) {
  Features features;
  while (!text.empty()) {
    const std::size_t end = text.find(' ');
    const std::string_view word = text.substr(0, end);
    for (const Name& name : kNames) {
      if (name.word == word) {
        features.add(name.feature);
      }
    }
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return features;
}

std::string Features::encode() const {
  std::string text;
  for (const Name& name : kNames) {
    if (has(name.feature)) {
      text += text.empty() ? "" : " ";
      text += name.word;
    }
  }
  return text;
}

}  // namespace bascule::focus
