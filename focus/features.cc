#include "focus/features.h"

#include <array>
#include <string_view>

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

Features Features::from_words(std::span<const std::string> words) {
  Features features;
  for (const std::string& word : words) {
    for (const Name& name : kNames) {
      if (name.word == word) {
        features.add(name.feature);
      }
    }
  }
  return features;
}

std::vector<std::string> Features::words() const {
  std::vector<std::string> words;
  for (const Name& name : kNames) {
    if (has(name.feature)) {
      words.emplace_back(name.word);
    }
  }
  return words;
}

}  // namespace bascule::focus
