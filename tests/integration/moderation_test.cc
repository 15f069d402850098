// Moderation between real Prosody, the real daemon, bridges and clients.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/stage.h"
#include "tests/peers/common/stanza.h"

namespace bascule::test {
namespace {

constexpr std::string_view kJitsiMeet = "http://jitsi.org/jitmeet";
constexpr std::string_view kAudio = "http://jitsi.org/jitmeet/audio";

Stage::Options with_components() {
  Stage::Options options;
  options.prosody.extra_global = R"(
plugin_paths = { ")" BASCULE_SOURCE_DIR R"(/tests/integration/modules" }
modules_enabled = { "roster", "saslauth", "tls", "disco", "ping", "smacks", "version", "room_services" }
room_services = { av_moderation = "avmoderation.bascule.test", room_metadata = "metadata.bascule.test" }
)";
  options.prosody.extra_hosts = R"(
Component "avmoderation.bascule.test" "room_services"
Component "metadata.bascule.test" "room_services"
)";
  return options;
}

class ModerationOnProsody : public testing::Test {
 protected:
  void SetUp() override {
    stage.enter(first);
    stage.enter(second);
    stage.until_all_see_each_other({&first, &second});
    stage.until("the first is moderator", [this] { return first.is_moderator(); });
  }
  /// The component says this to the focus.
  void say(const std::string& component, const std::string& room, const std::string& json) {
    xml::Element message = peers::element("message", "jabber:client");
    message.set("to", component + ".bascule.test");
    xml::Element body = peers::text_element("json-message", kJitsiMeet, json);
    body.set("to_focus", first.focus_address_seen);
    body.set("room", room);
    message.add(std::move(body));
    first.send(message);
  }
  Reply mute(ScriptedClient& by, const ScriptedClient& whom, const char* text) {
    xml::Element request = peers::iq("set", by.focus_occupant());
    xml::Element body = peers::text_element("mute", kAudio, text);
    body.set("jid", whom.occupant());
    request.add(std::move(body));
    return stage.wait_for(by.ask(std::move(request)));
  }

  Stage stage{with_components()};
  ScriptedClient& first = stage.client("room");
  ScriptedClient& second = stage.client("room");
};

TEST_F(ModerationOnProsody, AModeratorMutesAndTheOthersCannot) {
  EXPECT_EQ(mute(second, first, "true").condition(), "not-allowed");
  EXPECT_EQ(mute(first, second, "false").condition(), "not-allowed");
  EXPECT_EQ(mute(first, second, "true").type(), "result");
  stage.until("the second is told", [this] { return !second.mutes.empty(); });
  EXPECT_EQ(second.mutes[0].ns, kAudio);
  EXPECT_EQ(second.mutes[0].text, "true");
  EXPECT_EQ(second.mutes[0].attribute_or_empty("actor"), first.occupant());
  EXPECT_THAT(first.mutes, testing::IsEmpty());
  EXPECT_EQ(stage.daemon.metric("bascule_mutes_total"), 1);
  EXPECT_EQ(stage.daemon.metric("bascule_mutes_refused_total"), 2);
}

TEST_F(ModerationOnProsody, WhatTheComponentSwitchesOnIsEnforced) {
  say("avmoderation", "",
      R"({"type":"av_moderation","enabled":true,"mediaType":"audio","room":")" +
          stage.room("room") + R"(","actor":")" + first.occupant() + "\"}");
  stage.until("the second is muted", [this] { return !second.mutes.empty(); });
  EXPECT_THAT(first.mutes, testing::IsEmpty());
  EXPECT_EQ(mute(second, second, "false").condition(), "not-allowed");
  say("avmoderation", "",
      R"({"type":"av_moderation","mediaType":"audio","room":")" + stage.room("room") +
          R"(","whitelists":{"audio":[")" + second.occupant() + "\"]}}");
  stage.until("the second may unmute",
              [this] { return mute(second, second, "false").type() == "result"; });
}

TEST_F(ModerationOnProsody, NewcomersStartMutedWhenTheRoomSaysSo) {
  say("metadata", stage.room("room"),
      R"({"type":"room_metadata","metadata":{"startMuted":{"audio":true,"video":true}}})");
  stage.until("newcomers start muted", [this] {
    ScriptedClient& late = stage.client("room");
    stage.enter(late);
    stage.until("the newcomer has an offer", [&late] { return late.has_session(); });
    const bool muted = late.starts_audio_muted;
    late.leave();
    return muted;
  });
}

TEST_F(ModerationOnProsody, NobodyElseIsBelieved) {
  xml::Element message = peers::element("message", "jabber:client");
  message.set("to", first.focus_address_seen);
  message.add(
      peers::text_element("json-message", kJitsiMeet,
                          R"({"type":"av_moderation","enabled":true,"mediaType":"audio","room":")" +
                              stage.room("room") + "\"}"));
  second.send(message);
  stage.until("the message was looked at",
              [this] { return stage.daemon.metric("bascule_messages_ignored_total") >= 1; });
  EXPECT_THAT(first.mutes, testing::IsEmpty());
  EXPECT_THAT(second.mutes, testing::IsEmpty());
}

}  // namespace
}  // namespace bascule::test
