#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

/// What clients write, as text: in the form of lib-jitsi-meet, whose `parameter` and group members
/// have no namespace of their own.
namespace bascule::conformance {

enum class Media { kAudio, kVideo };

/// A source or a group, and which description it belongs to.
struct Word {
  Media media;
  std::string xml;
};

/// `v(1, "m")`: a video source with SSRC 1 and msid "m". `name` and further attributes optional.
Word v(std::uint32_t ssrc, const std::string& msid = {}, const std::string& attributes = {});
Word a(std::uint32_t ssrc, const std::string& msid = {}, const std::string& attributes = {});
/// A source whose attributes are given as text.
Word raw_source(Media media, const std::string& attributes, const std::string& msid = {});
Word group(const std::string& semantics, std::initializer_list<std::uint32_t> ssrcs);
Word sim(std::initializer_list<std::uint32_t> ssrcs);
Word fid(std::initializer_list<std::uint32_t> ssrcs);
/// A camera with three layers and their retransmissions, and a microphone without msid.
std::vector<Word> base_set();
std::vector<Word> joined(std::vector<Word> left, const std::vector<Word>& right);

/// A `video` content and a description around something.
std::string video_content(const std::string& inner);
std::string description(const std::string& media, const std::string& inner);

/// One content with a description per media type that occurs; empty for no words.
std::string contents(const std::vector<Word>& words);
/// ... with this transport in each of them, and an empty audio content when there are no words.
std::string contents_with_transport(const std::vector<Word>& words, const std::string& transport);
/// A transport with these credentials and a fingerprint.
std::string transport(const std::string& ufrag, const std::string& attributes = {});
/// `<jingle/>` with this action, session and content.
std::string jingle(const std::string& action, const std::string& sid, const std::string& content);
/// A request to mute or unmute somebody in the room "tea".
std::string mute(const std::string& media, const std::optional<std::string>& target,
                 const std::string& text);
/// `<bridge-session/>` as clients send it.
std::string bridge_session(const std::optional<std::string>& id, const std::string& attributes);

}  // namespace bascule::conformance
