#include "focus/operation.h"

#include <limits>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "tests/unit/focus/random_operations.h"

namespace bascule::focus {
namespace {

std::string bytes_of(const Operation& operation) {
  const auto bytes = encode(operation);
  return {bytes.begin(), bytes.end()};
}

// A CBOR map of one text key; `value` is raw CBOR.
std::string map_of(const std::string& key, const std::string& value) {
  return std::string("\xA1") + static_cast<char>(0x60U + key.size()) + key + value;
}

TEST(OperationTest, EveryAlternativeSurvivesEncodingAndDecoding) {
  RandomOperations random(1);
  std::set<std::uint16_t> seen;
  for (int i = 0; i < 5'000; ++i) {
    const Operation operation = random.next();
    seen.insert(code_of(operation));
    const auto decoded = decode(code_of(operation), bytes_of(operation));
    ASSERT_TRUE(decoded.has_value()) << name_of(operation) << ": " << decoded.error().what;
    ASSERT_EQ(*decoded, operation) << name_of(operation);
    ASSERT_EQ(bytes_of(*decoded), bytes_of(operation));
  }
  EXPECT_EQ(seen.size(), std::variant_size_v<Operation>);
}

// Goal: numbers at the ends of their ranges are not bent by the encoding.
TEST(OperationTest, KeepsExtremeNumbers) {
  for (const auto h : {std::uint64_t{0}, std::uint64_t{23}, std::uint64_t{24},
                       std::uint64_t{1} << 32U, std::numeric_limits<std::uint64_t>::max()}) {
    const Operation operation = op::InboundHandled{StreamId::kService, h};
    EXPECT_EQ(decode(code_of(operation), bytes_of(operation)), operation);
  }
  op::Placement placement{.at = Instant::min(),
                          .bridge = BridgeJid(Jid::parse("b@x/1").value()),
                          .room = RoomJid(Jid::parse("r@x").value()),
                          .endpoint = EndpointId("e")};
  const Operation operation = placement;
  EXPECT_EQ(decode(code_of(operation), bytes_of(operation)), operation);
}

// The stored form may not change by accident: files of an older version must stay readable.
TEST(OperationTest, StoredFormIsStable) {
  const Operation operation = op::PendingRemove{StreamId::kService, "s1-7"};
  EXPECT_EQ(code_of(operation), 16);
  EXPECT_EQ(name_of(operation), "pending_remove");
  EXPECT_EQ(bytes_of(operation), "\xA2\x62id\x64s1-7\x66stream\x02");
}

TEST(OperationTest, RejectsWhatEncodeNeverWrites) {
  const std::uint16_t note = code_of(op::Note{});
  for (const std::string& bytes : {
           std::string(),
           std::string("\xA0\xA0"),                              // Two items.
           std::string("\x9F\xFF"),                              // Indefinite length.
           std::string("\xFB\0\0\0\0\0\0\0\0", 9),               // A double.
           std::string("\xC0\xA0"),                              // A tag.
           std::string("\x7B\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"),  // A text longer than everything.
           std::string("\xBB\x80\0\0\0\0\0\0\0", 9),             // A map with 2^63 entries.
           std::string(100'000, '\x81'),                         // Arrays in arrays in arrays.
           std::string("\x80"),                                  // Not a map.
           map_of("text", "\x01"),                               // A number where a text belongs.
           std::string("\xA1\x01\x01"),                          // A key that is no text.
       }) {
    const auto decoded = decode(note, bytes);
    ASSERT_FALSE(decoded.has_value()) << testing::PrintToString(bytes.substr(0, 20));
    EXPECT_EQ(decoded.error().code, Errc::kCorrupt);
  }
  EXPECT_TRUE(decode(note, map_of("text", "\x61x")).has_value());
}

TEST(OperationTest, RejectsUnknownCodesAndFieldsOutOfRange) {
  EXPECT_EQ(decode(0, "\xA0").error().code, Errc::kCorrupt);
  EXPECT_EQ(decode(std::variant_size_v<Operation> + 1, "\xA0").error().code, Errc::kCorrupt);
  // No room.
  EXPECT_FALSE(decode(code_of(op::ConferenceEnd{}), "\xA0").has_value());
  // A room with a resource, an endpoint without an id, an enumerator that does not exist.
  EXPECT_FALSE(decode(code_of(op::ConferenceEnd{}), map_of("room",
                                                           "\x65"
                                                           "r@x/y"))
                   .has_value());
  EXPECT_FALSE(decode(code_of(op::ParticipantRemove{}), map_of("room", "\x63r@x")).has_value());
  EXPECT_FALSE(decode(code_of(op::InboundHandled{}), map_of("stream", "\x03")).has_value());
  EXPECT_TRUE(decode(code_of(op::InboundHandled{}), map_of("stream", "\x02")).has_value());
}

TEST(OperationTest, RejectsAReceiverWithoutAnId) {
  const RoomJid room(Jid::parse("r@x").value());
  for (const char* id : {"bob", ""}) {
    const Operation told =
        op::SourcesTold{.room = room, .receivers = {EndpointId("alice"), EndpointId(id)}};
    EXPECT_EQ(decode(code_of(told), bytes_of(told)).has_value(), *id != '\0');
  }
}

TEST(OperationTest, IgnoresFieldsOfANewerVersion) {
  const auto decoded = decode(code_of(op::Note{}), map_of("from_the_future", "\x83\x01\x02\x03"));
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(*decoded, Operation(op::Note{}));
}

// Goal: no damaged byte crashes or hangs the decoder. What still decodes must be a normal value.
TEST(OperationTest, DamagedBytesNeverCrash) {
  RandomOperations random(2);
  Prng prng(3);
  for (int i = 0; i < 20'000; ++i) {
    const Operation operation = random.next();
    std::string bytes = bytes_of(operation);
    for (auto flips = 1 + prng.below(3); flips > 0 && !bytes.empty(); --flips) {
      char& byte = bytes[prng.below(bytes.size())];
      byte = static_cast<char>(byte ^ (1 << prng.below(8)));
    }
    if (prng.below(4) == 0) {
      bytes.resize(prng.below(bytes.size() + 1));
    }
    const auto decoded = decode(code_of(operation), bytes);
    if (decoded) {
      ASSERT_EQ(decode(code_of(*decoded), bytes_of(*decoded)), *decoded);
    } else {
      ASSERT_EQ(decoded.error().code, Errc::kCorrupt);
    }
  }
}

}  // namespace
}  // namespace bascule::focus
