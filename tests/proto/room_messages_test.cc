#include "xmpp/proto/room_messages.h"

#include <gtest/gtest.h>

namespace bascule::proto {
namespace {

Jid jid(std::string_view text) {
  return *Jid::parse(text);
}

TEST(RoomMessages, ReadsMetadata) {
  const auto message = decode_room_message(
      R"({"type":"room_metadata","metadata":{"startMuted":{"audio":true,"video":false},)"
      R"("lobbyEnabled":false,"moderators":["u-1"]}})");
  ASSERT_TRUE(message.has_value());
  EXPECT_EQ(std::get<RoomMetadata>(*message),
            (RoomMetadata{.start_audio_muted = true, .start_video_muted = false}));
  EXPECT_EQ(std::get<RoomMetadata>(*decode_room_message(R"({"type":"room_metadata"})")),
            RoomMetadata{});
  EXPECT_EQ(std::get<RoomMetadata>(
                *decode_room_message(R"({"type":"room_metadata","metadata":{"startMuted":null}})")),
            RoomMetadata{});
}

TEST(RoomMessages, ReadsModeration) {
  const auto on = decode_room_message(
      R"({"type":"av_moderation","room":"r@c.test","enabled":true,"mediaType":"desktop",)"
      R"("actor":"r@c.test/a"})");
  ASSERT_TRUE(on.has_value());
  EXPECT_EQ(std::get<AvModeration>(*on), (AvModeration{.room = RoomJid(jid("r@c.test")),
                                                       .media = MuteMedia::kDesktop,
                                                       .enabled = true,
                                                       .actor = jid("r@c.test/a")}));
  const auto list = decode_room_message(
      R"({"type":"av_moderation","room":"r@c.test","mediaType":"audio","removed":true,)"
      R"("whitelists":{"audio":["r@c.test/b"],"video":[],"smell":["x"]}})");
  ASSERT_TRUE(list.has_value());
  EXPECT_EQ(std::get<AvModeration>(*list).whitelists,
            (std::map<MuteMedia, std::set<Jid>>{{MuteMedia::kAudio, {jid("r@c.test/b")}},
                                                {MuteMedia::kVideo, {}}}));
  EXPECT_FALSE(std::get<AvModeration>(*list).enabled.has_value());
}

TEST(RoomMessages, AnActorThatIsNoAddressSparesNobody) {
  const auto on = decode_room_message(
      R"({"type":"av_moderation","room":"r@c.test","enabled":true,"mediaType":"audio","actor":"@"})");
  ASSERT_TRUE(on.has_value());
  EXPECT_FALSE(std::get<AvModeration>(*on).actor.has_value());
}

TEST(RoomMessages, LeavesOtherTypesToOthers) {
  EXPECT_EQ(std::get<OtherRoomMessage>(*decode_room_message(R"({"type":"polls"})")).type, "polls");
  EXPECT_EQ(std::get<OtherRoomMessage>(*decode_room_message("{}")).type, "");
}

TEST(RoomMessages, RefusesWhatMakesNoSense) {
  for (const char* json :
       {"", "[]", "{", R"({"type":1})", R"({"type":"room_metadata","metadata":[]})",
        R"({"type":"room_metadata","metadata":{"startMuted":{"audio":"yes"}}})",
        R"({"type":"av_moderation"})", R"({"type":"av_moderation","room":"r@c.test/nick"})",
        R"({"type":"av_moderation","room":"r@c.test","enabled":true})",
        R"({"type":"av_moderation","room":"r@c.test","enabled":true,"mediaType":"smell"})",
        R"({"type":"av_moderation","room":"r@c.test","enabled":1,"mediaType":"audio"})",
        R"({"type":"av_moderation","room":"r@c.test","whitelists":{"audio":"all"}})",
        R"({"type":"av_moderation","room":"r@c.test","whitelists":{"audio":[7]}})",
        R"({"type":"av_moderation","room":"r@c.test","whitelists":{"audio":["@"]}})"}) {
    EXPECT_FALSE(decode_room_message(json).has_value()) << json;
  }
}

}  // namespace
}  // namespace bascule::proto
