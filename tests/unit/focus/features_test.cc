#include "focus/features.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace bascule::focus {
namespace {

TEST(FeaturesTest, ReadsTheVariablesOfAWebClientAndIgnoresTheRest) {
  const std::vector<std::string> variables = {
      "urn:xmpp:jingle:1",          "urn:xmpp:jingle:apps:rtp:audio",
      "urn:ietf:rfc:4588",          "urn:xmpp:jingle:apps:rtp:video",
      "http://jitsi.org/tcc",       "urn:xmpp:jingle:transports:dtls-sctp:1",
      "http://jitsi.org/something", "http://jitsi.org/json-encoded-sources"};
  const Features features = Features::from_disco(variables);
  EXPECT_EQ(
      features,
      Features::assumed().add(Feature::kRtx).add(Feature::kTransportCc).add(Feature::kJsonSources));
  EXPECT_FALSE(features.has(Feature::kRemb));
}

TEST(FeaturesTest, AssumesAudioVideoAndDataWhenNothingIsKnown) {
  EXPECT_EQ(Features::assumed().words(), (std::vector<std::string>{"audio", "video", "sctp"}));
}

TEST(FeaturesTest, EverySetSurvivesStorage) {
  for (std::uint32_t bits = 0; bits < (1U << static_cast<unsigned>(Feature::kCount)); ++bits) {
    Features features;
    for (unsigned i = 0; i < static_cast<unsigned>(Feature::kCount); ++i) {
      if (((bits >> i) & 1U) != 0) {
        features.add(static_cast<Feature>(i));
      }
    }
    ASSERT_EQ(Features::from_words(features.words()), features) << bits;
  }
}

TEST(FeaturesTest, IgnoresWordsOfANewerVersion) {
  EXPECT_EQ(Features::from_words(std::vector<std::string>{"audio", "telepathy", "", "video"}),
            Features().add(Feature::kAudio).add(Feature::kVideo));
}

}  // namespace
}  // namespace bascule::focus
