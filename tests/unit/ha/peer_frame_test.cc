#include "ha/peer_frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/prng.h"

namespace bascule::ha {
namespace {

using testing::ElementsAreArray;

std::string payload_of(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) {
    text += static_cast<char>(i * 7);
  }
  return text;
}

/// All frames until there is none; nullopt: the stream broke.
std::optional<std::vector<Frame>> read_all(FrameReader& reader) {
  std::vector<Frame> frames;
  while (true) {
    auto next = reader.next();
    if (!next) {
      return std::nullopt;
    }
    if (!*next) {
      return frames;
    }
    frames.push_back(**std::move(next));
  }
}

TEST(PeerFrame, IsWhatTheFormatSays) {
  const std::string frame = encode_frame(FrameType::kAck, "ab");
  ASSERT_EQ(frame.size(), 14U);
  EXPECT_EQ(frame.substr(0, 10), std::string("\0\0\0\2\x9\0\0\0ab", 10));
}

TEST(PeerFrame, ComesBackHoweverItIsCut) {
  const std::vector<Frame> frames = {{FrameType::kHello, ""},
                                     {FrameType::kOperations, payload_of(1)},
                                     {FrameType::kSnapshotItem, payload_of(70'000)},
                                     {FrameType::kBye, payload_of(300)}};
  std::string stream;
  for (const Frame& frame : frames) {
    stream += encode_frame(frame.type, frame.payload);
  }
  for (const std::size_t piece :
       {std::size_t{1}, std::size_t{7}, std::size_t{4096}, stream.size()}) {
    FrameReader reader;
    std::vector<Frame> seen;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      reader.append(std::string_view(stream).substr(at, piece));
      const auto some = read_all(reader);
      ASSERT_TRUE(some.has_value());
      seen.insert(seen.end(), some->begin(), some->end());
    }
    EXPECT_THAT(seen, ElementsAreArray(frames));
  }
}

TEST(PeerFrame, ACutOneIsNotTakenForAWholeOne) {
  const std::string frame = encode_frame(FrameType::kOperations, payload_of(100));
  for (std::size_t size = 0; size < frame.size(); ++size) {
    FrameReader reader;
    reader.append(std::string_view(frame).substr(0, size));
    const auto next = reader.next();
    ASSERT_TRUE(next.has_value());
    EXPECT_FALSE(next->has_value()) << size;
  }
}

TEST(PeerFrame, EveryFlippedBitIsFound) {
  const std::string frame = encode_frame(FrameType::kOperations, payload_of(40));
  for (std::size_t bit = 0; bit < frame.size() * 8; ++bit) {
    std::string damaged = frame;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    FrameReader reader;
    reader.append(damaged);
    const auto next = reader.next();
    // A longer length waits for bytes that never come: the silence ends the connection.
    EXPECT_TRUE(!next.has_value() || !next->has_value()) << bit;
  }
}

TEST(PeerFrame, LengthAndKindAreChecked) {
  FrameReader too_long;
  too_long.append(std::string("\xFF\xFF\xFF\xFF\x8\0\0\0", 8));
  EXPECT_EQ(too_long.next().error().code, Errc::kCorrupt);
  EXPECT_EQ(too_long.next().error().code, Errc::kCorrupt) << "it does not recover";
  FrameReader unknown;
  unknown.append(std::string("\0\0\0\0\x63\0\0\0\0\0\0\0", 12));
  EXPECT_EQ(unknown.next().error().code, Errc::kCorrupt);
}

TEST(PeerFrame, NoiseBreaksTheStreamAndNothingElse) {
  Prng random(7);
  for (int round = 0; round < 2'000; ++round) {
    std::string stream;
    for (auto left = random.below(4); left > 0; --left) {
      stream += encode_frame(FrameType::kOperations, payload_of(random.below(200)));
    }
    const std::size_t whole = stream.size();
    for (auto left = random.below(60); left > 0; --left) {
      stream += static_cast<char>(random.below(256));
    }
    if (whole > 0 && random.below(2) == 0) {
      const auto at = random.below(whole);
      stream[at] = static_cast<char>(stream[at] ^ static_cast<char>(1 + random.below(255)));
    }
    FrameReader reader;
    reader.append(stream);
    const auto frames = read_all(reader);
    for (const Frame& frame : frames.value_or(std::vector<Frame>())) {
      EXPECT_EQ(frame.payload, payload_of(frame.payload.size()));
    }
  }
}

}  // namespace
}  // namespace bascule::ha
