#include "words.h"

namespace bascule::conformance {
namespace {

// Not a std::string: used while constants of other files are made.
constexpr const char* kSources = "urn:xmpp:jingle:apps:rtp:ssma:0";

std::string description(Media media, const std::vector<Word>& words) {
  std::string xml = "<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='";
  xml += media == Media::kAudio ? "audio'>" : "video'>";
  for (const Word& word : words) {
    xml += word.media == media ? word.xml : "";
  }
  return xml + "</description>";
}

bool has(Media media, const std::vector<Word>& words) {
  for (const Word& word : words) {
    if (word.media == media) {
      return true;
    }
  }
  return false;
}

}  // namespace

Word raw_source(Media media, const std::string& attributes, const std::string& msid) {
  std::string xml = std::string("<source xmlns='") + kSources + "' " + attributes + ">";
  if (!msid.empty()) {
    xml += "<parameter name='msid' value='" + msid + "'/>";
  }
  return {media, xml + "</source>"};
}

Word v(std::uint32_t ssrc, const std::string& msid, const std::string& attributes) {
  return raw_source(Media::kVideo, "ssrc='" + std::to_string(ssrc) + "' " + attributes, msid);
}

Word a(std::uint32_t ssrc, const std::string& msid, const std::string& attributes) {
  return raw_source(Media::kAudio, "ssrc='" + std::to_string(ssrc) + "' " + attributes, msid);
}

Word group(const std::string& semantics, std::initializer_list<std::uint32_t> ssrcs) {
  std::string xml =
      std::string("<ssrc-group xmlns='") + kSources + "' semantics='" + semantics + "'>";
  for (const std::uint32_t ssrc : ssrcs) {
    xml += "<source ssrc='" + std::to_string(ssrc) + "'/>";
  }
  return {Media::kVideo, xml + "</ssrc-group>"};
}

Word sim(std::initializer_list<std::uint32_t> ssrcs) {
  return group("SIM", ssrcs);
}

Word fid(std::initializer_list<std::uint32_t> ssrcs) {
  return group("FID", ssrcs);
}

std::vector<Word> base_set() {
  return {v(1, "m"), v(2, "m"),      v(3, "m"),   v(4, "m"),   v(5, "m"),  v(6, "m"),
          a(7),      sim({1, 2, 3}), fid({1, 4}), fid({2, 5}), fid({3, 6})};
}

std::vector<Word> joined(std::vector<Word> left, const std::vector<Word>& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

std::string contents(const std::vector<Word>& words) {
  std::string xml;
  if (has(Media::kAudio, words)) {
    xml += "<content name='audio' creator='responder'>" + description(Media::kAudio, words) +
           "</content>";
  }
  if (has(Media::kVideo, words)) {
    xml += "<content name='video' creator='responder'>" + description(Media::kVideo, words) +
           "</content>";
  }
  return xml;
}

std::string contents_with_transport(const std::vector<Word>& words, const std::string& transport) {
  std::string xml = "<content name='audio' creator='responder' senders='both'>" +
                    description(Media::kAudio, words) + transport + "</content>";
  if (has(Media::kVideo, words)) {
    xml += "<content name='video' creator='responder' senders='both'>" +
           description(Media::kVideo, words) + transport + "</content>";
  }
  return xml;
}

std::string transport(const std::string& ufrag, const std::string& attributes) {
  return "<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='" + ufrag +
         "' pwd='secret' " + attributes +
         "><fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' hash='sha-256' setup='active'>0B:D9"
         "</fingerprint></transport>";
}

std::string jingle(const std::string& action, const std::string& sid, const std::string& content) {
  std::string xml = "<jingle xmlns='urn:xmpp:jingle:1' sid='" + sid + "'";
  xml += action.empty() ? "" : " action='" + action + "'";
  return xml + ">" + content + "</jingle>";
}

std::string mute(const std::string& media, const std::optional<std::string>& target,
                 const std::string& text) {
  return "<mute xmlns='http://jitsi.org/jitmeet/" + media + "'" +
         (target ? " jid='tea@conference.example.net/" + *target + "'" : std::string()) + ">" +
         text + "</mute>";
}

std::string bridge_session(const std::optional<std::string>& id, const std::string& attributes) {
  return "<bridge-session xmlns='http://jitsi.org/protocol/focus' " +
         (id ? "id='" + *id + "' " : std::string()) + attributes + "/>";
}

std::string video_content(const std::string& inner) {
  return "<content name='video' creator='responder'>" + inner + "</content>";
}

std::string description(const std::string& media, const std::string& inner) {
  return "<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='" + media + "'>" + inner +
         "</description>";
}

}  // namespace bascule::conformance
