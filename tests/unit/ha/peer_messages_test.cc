#include "ha/peer_messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/focus/random_operations.h"

namespace bascule::ha {
namespace {

using testing::HasSubstr;

std::string payload_of(const std::string& frame) {
  FrameReader reader;
  reader.append(frame);
  return reader.next().value()->payload;
}

/// What a round trip makes of operations: texts become UTF-8 (focus::encode).
std::vector<focus::Operation> as_stored(const std::vector<focus::Operation>& operations) {
  std::vector<focus::Operation> out;
  for (const focus::Operation& operation : operations) {
    const auto bytes = focus::encode(operation);
    out.push_back(focus::decode(focus::code_of(operation),
                                {reinterpret_cast<const char*>(bytes.data()), bytes.size()})
                      .value());
  }
  return out;
}

TEST(PeerMessages, SmallOnesComeBack) {
  const Greeting greeting{.node = "b", .version = "1.2", .position = {3, 77}};
  EXPECT_EQ(decode_greeting(payload_of(encode(FrameType::kHello, greeting))), greeting);
  const SnapshotBegin begin{.at = {4, 5}, .operations = 6};
  EXPECT_EQ(decode_snapshot_begin(payload_of(encode(begin))), begin);
  const Heartbeat heartbeat{.position = {1, 1ULL << 40U}, .in_sync = true};
  EXPECT_EQ(decode_heartbeat(payload_of(encode(heartbeat))), heartbeat);
  const Position position{9, 10};
  EXPECT_EQ(decode_position(payload_of(encode(FrameType::kAck, position))), position);
  EXPECT_EQ(decode_bye(payload_of(encode_bye("so long"))), "so long");
}

TEST(PeerMessages, AnotherProtocolIsRefusedByName) {
  const auto refused =
      decode_greeting(payload_of(encode(FrameType::kHello, {.protocol = 9, .node = "b"})));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::kRefused);
  EXPECT_THAT(refused.error().what, HasSubstr("protocol 9"));
}

TEST(PeerMessages, OperationsOfEveryKindComeBack) {
  focus::RandomOperations random(3);
  const auto operations = as_stored(random.some(500));
  const auto frames = encode_operations(42, operations);
  ASSERT_EQ(frames.size(), 1U);
  const auto part = decode_operations(payload_of(frames.front()));
  ASSERT_TRUE(part.has_value()) << part.error().what;
  EXPECT_EQ(*part, (OperationsPart{.sequence = 42, .is_last = true, .operations = operations}));
}

TEST(PeerMessages, MuchIsCutIntoParts) {
  const focus::op::OutboundPush large{.index = 1, .xml = std::string(400'000, 'x')};
  const std::vector<focus::Operation> operations(20, large);
  const auto frames = encode_operations(7, operations);
  EXPECT_GT(frames.size(), 5U);
  std::vector<focus::Operation> seen;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const auto part = decode_operations(payload_of(frames[i])).value();
    EXPECT_EQ(part.sequence, 7U);
    EXPECT_EQ(part.is_last, i + 1 == frames.size());
    seen.insert(seen.end(), part.operations.begin(), part.operations.end());
  }
  EXPECT_EQ(seen, operations);
}

TEST(PeerMessages, ASnapshotComesBackPieceByPiece) {
  focus::RandomOperations random(5);
  const auto operations = as_stored(random.some(1'000));
  std::vector<focus::Operation> seen;
  std::size_t pieces = 0;
  for (std::size_t next = 0; next < operations.size(); ++pieces) {
    const auto some =
        decode_snapshot_item(payload_of(encode_snapshot_item(operations, next, 4'000)));
    ASSERT_TRUE(some.has_value());
    seen.insert(seen.end(), some->begin(), some->end());
  }
  EXPECT_GT(pieces, 10U);
  EXPECT_EQ(seen, operations);
}

TEST(PeerMessages, ReportsComeBack) {
  std::vector<stats::ReceivedReport> reports(3);
  for (std::size_t i = 0; i < reports.size(); ++i) {
    const auto jid = Jid::parse("brewery@muc.example.net/jvb" + std::to_string(i));
    reports[i].report.bridge = BridgeJid(*jid);
    reports[i].report.region = "eu";
    reports[i].received = Instant(Duration(17));
  }
  const auto frames = encode_reports(reports);
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(decode_reports(payload_of(frames.front())), reports);
  EXPECT_TRUE(encode_reports({}).empty());
}

TEST(PeerMessages, CutPayloadsAreErrors) {
  focus::RandomOperations random(11);
  const std::string operations = payload_of(encode_operations(1, random.some(3)).front());
  const std::string greeting =
      payload_of(encode(FrameType::kHello, {.node = "b", .version = "1", .position = {1, 2}}));
  const std::string position = payload_of(encode(FrameType::kAck, Position{1, 2}));
  for (std::size_t size = 0; size < greeting.size(); ++size) {
    EXPECT_FALSE(decode_greeting(greeting.substr(0, size)).has_value());
  }
  for (std::size_t size = 0; size < position.size(); ++size) {
    EXPECT_FALSE(decode_position(position.substr(0, size)).has_value());
    EXPECT_FALSE(decode_heartbeat(position.substr(0, size)).has_value());
    EXPECT_FALSE(decode_snapshot_begin(position.substr(0, size)).has_value());
  }
  std::size_t whole =
      0;  // A cut between two operations leaves fewer of them: a frame is never cut.
  for (std::size_t size = 0; size < operations.size(); ++size) {
    whole += decode_operations(operations.substr(0, size)).has_value() ? 1U : 0U;
  }
  EXPECT_LE(whole, 3U);
}

}  // namespace
}  // namespace bascule::ha
