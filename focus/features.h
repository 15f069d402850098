#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace bascule::focus {

/// What a client can do, as far as the offer depends on it.
enum class Feature : std::uint8_t {
  kAudio,
  kVideo,
  kSctp,           ///< Data channels; the `data` content.
  kRtx,            ///< RFC 4588 retransmission.
  kRemb,           ///< Receiver-side bandwidth estimation.
  kTransportCc,    ///< Sender-side bandwidth estimation.
  kOpusRed,        ///< RFC 2198 around Opus.
  kJsonSources,    ///< Understands the compact JSON form of sources.
  kSsrcRewriting,  ///< Lets the bridge choose the SSRCs it receives.
  kRtpMidDemux,
  kAudioMute,  ///< A gateway that obeys forced mute.
  kCount,
};

/// The set of features of one participant, fixed for the lifetime of its occupant (Jicofo:
/// Features.kt). A value of one machine word.
class Features {
 public:
  Features() = default;

  /// From the feature variables of a disco#info answer (XEP-0030); unknown ones are ignored.
  static Features from_disco(std::span<const std::string> variables);
  /// What is assumed when disco#info fails or is not answered: audio, video and data channels.
  static Features assumed();
  /// Reads what `words` wrote; words of a newer version are ignored.
  static Features from_words(std::span<const std::string> words);

  [[nodiscard]] bool has(Feature feature) const { return (bits_ & bit(feature)) != 0; }
  Features& add(Feature feature) {
    bits_ |= bit(feature);
    return *this;
  }
  Features& remove(Feature feature) {
    bits_ &= ~bit(feature);
    return *this;
  }

  /// For storage: one short word per feature, independent of the numbering of the enumerators.
  [[nodiscard]] std::vector<std::string> words() const;

  friend bool operator==(const Features&, const Features&) = default;

 private:
  static constexpr std::uint32_t bit(Feature feature) {
    return std::uint32_t{1} << static_cast<std::uint32_t>(feature);
  }

  std::uint32_t bits_ = 0;
};

}  // namespace bascule::focus
