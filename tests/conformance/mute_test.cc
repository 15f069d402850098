// Mutes and moderation.

#include <optional>
#include <string>
#include <vector>

#include "meeting.h"

namespace bascule::conformance {
namespace {

const std::string kRecorder = "recorder";  // Of a trusted domain: nobody mutes it.

TEST_F(Mute, C88_RequestsAreAnsweredByTheRules) {
  statement(88, Kind::kJicofo,
            "answers mute requests by the rules of who may mute whom, and notifies the target, "
            "naming the actor, without waiting for it");
  start(moderated_options());
  meet({"mod", "alice", "bob"});
  promote("mod");
  enter_recorder(kRecorder);
  const auto refused = [&](const std::string& from, const std::string& request) {
    const auto before = stage().mutes.size();
    const Reply reply = ask(from, request);
    EXPECT_FALSE(reply.is_result) << request;
    EXPECT_EQ(stage().mutes.size(), before) << "a refused request was passed on";
    return reply.error.condition;
  };
  EXPECT_EQ(refused("mod", mute("audio", std::nullopt, "true")), Condition::kBadRequest);
  EXPECT_EQ(refused("mod", mute("audio", "bob", "")), Condition::kBadRequest);
  EXPECT_EQ(refused("eve", mute("audio", "bob", "true")), Condition::kInternalServerError);
  EXPECT_EQ(refused("alice", mute("audio", "bob", "true")), Condition::kNotAllowed);
  EXPECT_EQ(refused("alice", mute("audio", "nobody", "true")), Condition::kNotAllowed);
  EXPECT_EQ(refused("mod", mute("audio", "nobody", "true")), Condition::kInternalServerError);
  EXPECT_EQ(refused("mod", mute("audio", "bob", "false")), Condition::kNotAllowed);
  EXPECT_EQ(refused("mod", mute("audio", kRecorder, "true")), Condition::kNotAllowed);
  switch_on("video", "mod");
  EXPECT_EQ(refused("alice", mute("video", "alice", "false")), Condition::kNotAllowed);
  EXPECT_TRUE(ask("alice", mute("audio", "alice", "false")).is_result) << "audio is free";
  EXPECT_TRUE(ask("alice", mute("audio", "alice", "dunno")).is_result) << "no more than an unmute";
  allow("video", "alice");
  EXPECT_TRUE(ask("alice", mute("video", "alice", "false")).is_result);
  EXPECT_TRUE(ask("mod", mute("video", "mod", "false")).is_result);
}

TEST_F(Mute, C88_NoRoomIsItemNotFound) {
  also(88);
  start(moderated_options());
  const Reply reply = ask("alice", mute("audio", "bob", "true"));
  EXPECT_EQ(reply.error.condition, Condition::kItemNotFound);
}

TEST_F(Mute, C88_TheTargetIsToldByWhom) {
  also(88);
  start(moderated_options());
  meet({"mod", "bob"});
  promote("mod");
  for (const std::string media : {"audio", "video", "desktop"}) {
    const auto now = stage().now.mono;
    const std::size_t before = stage().mutes.size();
    const std::string id = send("mod", mute(media, "bob", "TRUE"));
    EXPECT_TRUE(reply_to(id).is_result) << media;
    EXPECT_EQ(stage().now.mono, now) << "waited for something";
    ASSERT_EQ(stage().mutes.size(), before + 1);
    const auto& [nick, notification] = stage().mutes.back();
    EXPECT_EQ(nick, "bob");
    const xml::Element encoded = proto::encode(notification);
    EXPECT_EQ(encoded.ns, "http://jitsi.org/jitmeet/" + media);
    EXPECT_EQ(encoded.text, "true");
    EXPECT_EQ(encoded.attribute("actor"), "tea@conference.example.net/mod");
    EXPECT_FALSE(encoded.attribute("jid"));
  }
  const std::size_t before = stage().mutes.size();
  EXPECT_TRUE(ask("bob", mute("audio", "bob", "true")).is_result);
  EXPECT_EQ(stage().mutes.size(), before) << "who mutes itself needs no telling";
}

TEST_F(Mute, C89_TheBridgeDropsOnlyWhatModerationForbids) {
  statement(89, Kind::kJicofo, "mutes on the bridge only what moderation forbids");
  start(moderated_options());
  meet({"mod", "alice", "bob"});
  promote("mod");
  EXPECT_TRUE(ask("mod", mute("audio", "bob", "true")).is_result);
  EXPECT_FALSE(forced("bob")) << "without moderation a mute is a request to the client";
  switch_on("audio", "mod");
  EXPECT_EQ(forced("bob"), (proto::ForceMute{.audio = true, .video = false}));
  EXPECT_EQ(forced("alice"), (proto::ForceMute{.audio = true, .video = false}));
  EXPECT_FALSE(forced("mod"));
  allow("audio", "alice");
  EXPECT_EQ(forced("alice"), proto::ForceMute{});
  switch_on("video", "mod");
  EXPECT_EQ(forced("bob"), (proto::ForceMute{.audio = true, .video = false}))
      << "the desktop is free, and the bridge knows one kind of video";
  switch_on("desktop", "mod");
  EXPECT_EQ(forced("bob"), (proto::ForceMute{.audio = true, .video = true}));
  forget();
  EXPECT_TRUE(ask("mod", mute("audio", "bob", "true")).is_result);
  EXPECT_TRUE(bridge_told("bob").empty()) << "told again what it knows";
}

TEST_F(Mute, C90_NewcomersAreMutedWhileModerationIsOn) {
  statement(90, Kind::kBascule,
            "invites those who are no moderators muted while moderation is on, except those who "
            "are allowed to speak");
  start(moderated_options());
  meet({"mod", "alice", "bob"});
  promote("mod");
  switch_on("audio", "mod");
  allow("audio", "alice");
  enter("carol");
  stage().advance(seconds{1});
  const auto created_muted = [&](const std::string& nick) {
    std::optional<proto::ForceMute> mute;
    for (const auto& endpoint : bridge_told(nick)) {
      if (endpoint.create) {
        mute = endpoint.force_mute.value_or(proto::ForceMute{});
      }
    }
    return mute;
  };
  EXPECT_EQ(created_muted("carol"), (proto::ForceMute{.audio = true, .video = false}));
  EXPECT_EQ(offer("carol").start_muted, (proto::StartMuted{.audio = true, .video = false}));
  stage().advance(seconds{6});
  forget();
  for (const auto& nick : {"mod", "alice", "bob"}) {
    ASSERT_TRUE(terminate(nick, true).is_result) << nick;
    stage().advance(seconds{1});
  }
  EXPECT_EQ(created_muted("mod"), proto::ForceMute{});
  EXPECT_EQ(created_muted("alice"), proto::ForceMute{}) << "lost its approval when invited again";
  EXPECT_EQ(created_muted("bob"), (proto::ForceMute{.audio = true, .video = false}));
  EXPECT_FALSE(offer("mod").start_muted);
  EXPECT_FALSE(offer("alice").start_muted);
}

TEST_F(Offer, C20_SaysWhatModerationForbids) {
  also(20);
  start(moderated_options());
  meet({"mod", "bob"});
  promote("mod");
  switch_on("video", "mod");
  switch_on("desktop", "mod");
  enter("carol");
  stage().advance(seconds{1});
  EXPECT_EQ(offer("carol").start_muted, (proto::StartMuted{.audio = false, .video = true}));
}

TEST_F(Sources, C82_AreRefusedAtTheLimitOfSenders) {
  statement(82, Kind::kJicofo,
            "refuses source-add at the limit of senders with resource-constraint, without applying "
            "it");
  auto options = Stage::make_options();
  options.offer.max_video_senders = 1;
  start(options);
  meet({"alice", "bob", "carol"});
  sends("bob", true, true);
  forget();
  const Reply reply = add("alice", {a(7), v(1, "m")});
  EXPECT_EQ(reply.error.condition, Condition::kResourceConstraint);
  EXPECT_EQ(reply.error.type, proto::ErrorType::kWait);
  EXPECT_EQ(reply.error.text, "Sender count exceeded for: video");
  EXPECT_TRUE(announced("carol").empty());
  EXPECT_TRUE(bridge_told("alice").empty());
  EXPECT_TRUE(add("alice", {a(7)}).is_result) << "the refused request left its audio behind";
  sends("bob", true, false);
  EXPECT_TRUE(add("alice", {v(1, "m")}).is_result);
  sends("bob", true, true);
  enter("dave");
  stage().advance(seconds{1});
  EXPECT_TRUE(accept("dave", {v(2, "n")}).is_result) << "accepts are not limited";
}

TEST_F(Sources, C83_TheLimitsAreInPresence) {
  statement(83, Kind::kJicofo,
            "publishes in its presence each time the limit of audio or video senders is reached or "
            "left, and nothing before the first time");
  auto options = Stage::make_options();
  options.offer.max_audio_senders = 2;
  options.offer.max_video_senders = 1;
  start(options);
  meet({"alice", "bob"});
  stage().advance(seconds{2});
  sends("alice", true, false);
  stage().advance(seconds{2});
  EXPECT_FALSE(property("audio-limit-reached"));
  EXPECT_FALSE(property("video-limit-reached"));
  sends("bob", true, false);
  stage().advance(seconds{2});
  EXPECT_EQ(property("audio-limit-reached"), "true");
  EXPECT_FALSE(property("video-limit-reached"));
  sends("alice", false, true);
  stage().advance(seconds{2});
  EXPECT_EQ(property("audio-limit-reached"), "false");
  EXPECT_EQ(property("video-limit-reached"), "true");
  stage().leave(kRoom, "alice");
  stage().advance(seconds{2});
  EXPECT_EQ(property("video-limit-reached"), "false");
}

TEST_F(Sources, C69_L1) {
  also(69);
  for (const bool audio_full : {false, true}) {
    auto options = Stage::make_options();
    options.offer.max_video_senders = 5;
    options.offer.max_audio_senders = audio_full ? 5 : 6;
    start(options);
    const std::vector<std::string> senders = {"s1", "s2", "s3", "s4", "s5"};
    meet({"s1", "s2", "s3", "s4", "s5", "alice"});
    for (const auto& nick : senders) {
      sends(nick, true, true);
    }
    if (audio_full) {
      EXPECT_EQ(add("alice", {a(7), v(1, "m")}).error.text,
                "Sender count exceeded for: audio video");
    } else {
      const Reply video = add("alice", {v(1, "m")});
      EXPECT_EQ(video.error.condition, Condition::kResourceConstraint);
      EXPECT_EQ(video.error.text, "Sender count exceeded for: video");
      EXPECT_TRUE(add("alice", {a(7)}).is_result);
    }
  }
}

}  // namespace
}  // namespace bascule::conformance
