// Who may send: moderation, mutes, limits, and how newcomers start.

#include "focus/moderation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stage.h"

namespace bascule::focus {
namespace {

using proto::Condition;
using proto::MuteMedia;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

constexpr const char* kModeration = "avmoderation.example.net";
constexpr const char* kMetadata = "metadata.example.net";

std::string occupant(const std::string& nick) {
  return "tea@conference.example.net/" + nick;
}

class ModerationTest : public ::testing::Test {
 protected:
  explicit ModerationTest(Options options = make_options()) : stage({}, 1, std::move(options)) {
    stage.main_host.identities = {{"component", "av_moderation", kModeration},
                                  {"component", "room_metadata", kMetadata}};
    stage.start_all();
    stage.add_bridge("jvb1");
    stage.advance(seconds{6});
  }
  ~ModerationTest() override {
    stage.focus.check_invariants();
    EXPECT_EQ(stage.focus.counters().bugs, 0U);
  }

  static Options make_options() {
    Options options = Stage::make_options();
    options.main_host = Jid::parse("example.net").value();
    options.trusted_domains = {"recorder.example.net"};
    return options;
  }

  void meet(const std::vector<std::string>& nicks) {
    const std::string id = stage.ask("tea");
    stage.advance(milliseconds{10});
    ASSERT_TRUE(stage.answered_ready(id));
    for (const auto& nick : nicks) {
      stage.join("tea", nick);
    }
    stage.advance(seconds{2});
  }
  void promote(const std::string& nick) {
    stage.present("tea", nick, [](proto::MucPresence& presence) {
      presence.items.front().role = proto::Role::kModerator;
    });
  }
  void switch_on(const std::string& media, const std::string& actor) {
    stage.say(kModeration, std::nullopt,
              R"({"type":"av_moderation","room":"tea@conference.example.net","enabled":true,)"
              R"("mediaType":")" +
                  media + R"(","actor":")" + occupant(actor) + "\"}");
  }
  void allow(const std::string& media, const std::string& nick) {
    stage.say(kModeration, std::nullopt,
              R"({"type":"av_moderation","room":"tea@conference.example.net","mediaType":")" +
                  media + R"(","whitelists":{")" + media + "\":[\"" + occupant(nick) + "\"]}}");
  }
  std::string ask_mute(const std::string& from, std::optional<std::string> target,
                       std::optional<bool> mute, MuteMedia media = MuteMedia::kAudio) {
    proto::Mute request{.media = media, .mute = mute};
    if (target) {
      request.jid = Jid::parse(occupant(*target)).value();
    }
    return stage.iq(StreamId::kClient, occupant(from), request);
  }
  /// The last force-mute the bridge was sent for each endpoint.
  [[nodiscard]] std::map<std::string, proto::ForceMute> forced() const {
    std::map<std::string, proto::ForceMute> last;
    for (const auto& message : stage.colibri) {
      for (const auto& endpoint : message.endpoints) {
        if (endpoint.force_mute) {
          last[endpoint.id] = *endpoint.force_mute;
        } else if (endpoint.create) {
          last[endpoint.id] = {};
        }
      }
    }
    return last;
  }
  [[nodiscard]] std::vector<std::string> muted() const {
    std::vector<std::string> nicks;
    for (const auto& [nick, mute] : stage.mutes) {
      nicks.push_back(nick);
    }
    return nicks;
  }
  [[nodiscard]] std::string property(const std::string& name) const {
    for (auto it = stage.room_presences.rbegin(); it != stage.room_presences.rend(); ++it) {
      if (const auto found = it->focus.conference_properties.find(name);
          found != it->focus.conference_properties.end()) {
        return found->second;
      }
    }
    return "";
  }
  void send(const std::string& nick, bool audio, bool video) {
    stage.present("tea", nick, [&](proto::MucPresence& presence) {
      presence.participant.source_info = "{\"" + nick + R"(-a0":{"muted":)" +
                                         (audio ? "false" : "true") + "},\"" + nick +
                                         R"(-v0":{"muted":)" + (video ? "false" : "true") + "}}";
    });
  }

  Stage stage;
};

TEST_F(ModerationTest, SwitchedOnMutesEverybodyButWhoDidIt) {
  meet({"alice", "bob", "carol"});
  promote("alice");
  switch_on("audio", "alice");
  EXPECT_THAT(muted(), UnorderedElementsAre("bob", "carol"));
  for (const auto& [nick, mute] : stage.mutes) {
    EXPECT_EQ(mute.media, MuteMedia::kAudio);
    EXPECT_FALSE(mute.actor.has_value());
    EXPECT_FALSE(mute.jid.has_value());
    EXPECT_EQ(mute.mute, true);
  }
  EXPECT_EQ(forced().at("bob"), (proto::ForceMute{.audio = true}));
  EXPECT_EQ(forced().at("alice"), proto::ForceMute{}) << "moderators are not restricted";
  switch_on("audio", "alice");
  EXPECT_EQ(stage.mutes.size(), 2U) << "it was on already";
}

TEST_F(ModerationTest, VideoIsDroppedOnlyWhenDesktopIsForbiddenToo) {
  meet({"alice", "bob"});
  promote("alice");
  switch_on("video", "alice");
  EXPECT_EQ(forced().at("bob"), proto::ForceMute{});
  switch_on("desktop", "alice");
  EXPECT_EQ(forced().at("bob"), (proto::ForceMute{.video = true}));
  allow("desktop", "bob");
  EXPECT_EQ(forced().at("bob"), proto::ForceMute{});
}

TEST_F(ModerationTest, NewcomersAreInvitedMutedUnlessTheyWereAllowed) {
  meet({"alice", "bob"});
  promote("alice");
  switch_on("audio", "alice");
  allow("audio", "dave");
  stage.join("tea", "carol");
  stage.join("tea", "dave");
  stage.advance(seconds{2});
  EXPECT_EQ(forced().at("carol"), (proto::ForceMute{.audio = true}));
  EXPECT_EQ(forced().at("dave"), proto::ForceMute{}) << "also when invited again (02 D16)";
}

TEST_F(ModerationTest, WhoBecomesModeratorMaySend) {
  meet({"alice", "bob"});
  promote("alice");
  switch_on("audio", "alice");
  ASSERT_EQ(forced().at("bob"), (proto::ForceMute{.audio = true}));
  promote("bob");
  EXPECT_EQ(forced().at("bob"), proto::ForceMute{});
}

TEST_F(ModerationTest, OnlyTheComponentIsBelieved) {
  meet({"alice", "bob"});
  for (const char* from : {"mallory@example.net/x", kMetadata, "avmoderation.evil.test"}) {
    stage.say(from, std::nullopt,
              R"({"type":"av_moderation","room":"tea@conference.example.net","enabled":true,)"
              R"("mediaType":"audio"})");
  }
  EXPECT_THAT(stage.mutes, IsEmpty());
  EXPECT_EQ(stage.focus.counters().messages_ignored, 3U);
  stage.say(kModeration, std::nullopt, R"({"type":"av_moderation","room":1})");
  stage.say(kModeration, std::nullopt, "{");
  EXPECT_EQ(stage.focus.counters().room_messages_malformed, 2U);
}

TEST_F(ModerationTest, ModerationSurvivesACrash) {
  meet({"alice", "bob"});
  promote("alice");
  switch_on("audio", "alice");
  allow("audio", "bob");
  stage.crash_and_restore();
  stage.start_all();
  stage.join("tea", "carol");
  stage.advance(seconds{5});
  EXPECT_EQ(forced().at("carol"), (proto::ForceMute{.audio = true}));
  EXPECT_EQ(stage.refused_with(ask_mute("bob", "bob", false)), std::nullopt);
  EXPECT_EQ(stage.refused_with(ask_mute("carol", "carol", false)), Condition::kNotAllowed);
}

// What the server repeats to a new process arrives before the rooms are entered again.
TEST_F(ModerationTest, WhoBecameModeratorWhileNobodyWasThereMayMuteAtOnce) {
  meet({"alice", "bob"});
  stage.crash_and_restore();
  promote("alice");
  const std::string question = ask_mute("alice", "bob", true);
  ASSERT_EQ(stage.answers.count(question), 1U);
  EXPECT_EQ(stage.refused_with(question), std::nullopt);
  EXPECT_EQ(stage.focus.counters().mutes, 1U);
}

TEST_F(ModerationTest, MuteRequestsAreAnsweredByTheFirstRuleThatIsBroken) {
  meet({"alice", "bob"});
  promote("alice");
  EXPECT_EQ(stage.refused_with(ask_mute("alice", std::nullopt, true)), Condition::kBadRequest);
  EXPECT_EQ(stage.refused_with(ask_mute("alice", "bob", std::nullopt)), Condition::kBadRequest);
  EXPECT_EQ(stage.refused_with(
                stage.iq(StreamId::kClient, "milk@conference.example.net/bob",
                         proto::Mute{.jid = Jid::parse(occupant("alice")).value(), .mute = true})),
            Condition::kItemNotFound);
  EXPECT_EQ(stage.refused_with(ask_mute("mallory", "bob", true)), Condition::kInternalServerError);
  EXPECT_EQ(stage.refused_with(ask_mute("bob", "alice", true)), Condition::kNotAllowed);
  EXPECT_EQ(stage.refused_with(ask_mute("alice", "nobody", true)), Condition::kInternalServerError);
  EXPECT_EQ(stage.refused_with(ask_mute("alice", "bob", false)), Condition::kNotAllowed);
  EXPECT_EQ(stage.refused_with(ask_mute("bob", "bob", false)), std::nullopt);
  switch_on("audio", "alice");
  EXPECT_EQ(stage.refused_with(ask_mute("bob", "bob", false)), Condition::kNotAllowed);
  EXPECT_EQ(stage.focus.counters().mutes_refused, 7U);
}

TEST_F(ModerationTest, AMuteIsPassedOnWithWhoAskedForIt) {
  meet({"alice", "bob"});
  promote("alice");
  EXPECT_EQ(stage.refused_with(ask_mute("alice", "bob", true, MuteMedia::kVideo)), std::nullopt);
  ASSERT_EQ(stage.mutes.size(), 1U);
  EXPECT_EQ(stage.mutes[0].first, "bob");
  EXPECT_EQ(stage.mutes[0].second.media, MuteMedia::kVideo);
  EXPECT_EQ(stage.mutes[0].second.actor->to_string(), occupant("alice"));
  EXPECT_EQ(forced().at("bob"), proto::ForceMute{}) << "a request only, without moderation";
  EXPECT_EQ(stage.refused_with(ask_mute("bob", "bob", true)), std::nullopt);
  EXPECT_EQ(stage.mutes.size(), 1U) << "who mutes itself knows it";
}

TEST_F(ModerationTest, RecordersAreNeitherMutedNorMadeOwner) {
  const auto recorder = [](proto::MucPresence& presence) {
    presence.items.front().jid = Jid::parse("jibri@recorder.example.net/1").value();
    presence.participant.features = {"http://jitsi.org/protocol/jibri"};
  };
  stage.ask("tea");
  stage.room("tea").clients["rec"].real_jid = "jibri@recorder.example.net/1";
  stage.present("tea", "rec", recorder);
  stage.advance(seconds{1});
  EXPECT_EQ(stage.focus.counters().owners_granted, 0U);
  meet({"alice", "bob"});
  EXPECT_EQ(stage.focus.counters().owners_granted, 1U);
  promote("alice");
  switch_on("audio", "alice");
  EXPECT_THAT(muted(), ElementsAre("bob"));
  EXPECT_EQ(stage.refused_with(ask_mute("alice", "rec", true)), Condition::kNotAllowed);
}

TEST_F(ModerationTest, ARecorderOfAnotherDomainIsJustSomebody) {
  meet({"alice", "bob"});
  stage.present("tea", "bob", [](proto::MucPresence& presence) {
    presence.participant.features = {"http://jitsi.org/protocol/jibri"};
  });
  promote("alice");
  EXPECT_EQ(stage.refused_with(ask_mute("alice", "bob", true)), std::nullopt);
}

TEST_F(ModerationTest, TheRoomsPolicyMutesNewcomersOnly) {
  meet({"alice", "bob"});
  stage.say(kMetadata, "tea@conference.example.net",
            R"({"type":"room_metadata","metadata":{"startMuted":{"audio":true}}})");
  stage.join("tea", "carol");
  stage.advance(seconds{2});
  EXPECT_EQ(stage.client("tea", "carol").start_muted, (proto::StartMuted{.audio = true}));
  EXPECT_EQ(stage.client("tea", "bob").start_muted, std::nullopt);
  const auto& row = stage.tables.conferences.begin()->second.identity;
  EXPECT_TRUE(row.start_audio_muted);
  stage.say(kMetadata, "tea@conference.example.net",
            R"({"type":"room_metadata","metadata":{"startMuted":{"audio":false}}})");
  stage.join("tea", "dave");
  stage.advance(seconds{2});
  EXPECT_EQ(stage.client("tea", "dave").start_muted, std::nullopt);
}

class SenderLimitTest : public ModerationTest {
 protected:
  SenderLimitTest() : ModerationTest(limited()) {}
  static Options limited() {
    Options options = make_options();
    options.offer.max_audio_senders = 2;
    options.offer.max_video_senders = 1;
    return options;
  }
  std::string add(const std::string& nick, const char* media, std::uint32_t ssrc) {
    proto::Jingle jingle{.action = proto::JingleAction::kSourceAdd,
                         .sid = stage.client("tea", nick).sid};
    proto::EndpointSources sources;
    (std::string(media) == "audio" ? sources.audio : sources.video)
        .push_back({.ssrc = Ssrc(ssrc), .name = nick + "-x", .msid = nick + media});
    jingle.contents = proto::make_source_contents({{EndpointId(nick), sources}});
    return stage.jingle("tea", nick, std::move(jingle));
  }
};

TEST_F(SenderLimitTest, AtTheLimitSourcesAreRefusedAndTheRoomIsTold) {
  meet({"alice", "bob", "carol"});
  EXPECT_EQ(property("audio-limit-reached"), "") << "never said before the first time";
  send("alice", true, false);
  EXPECT_EQ(stage.refused_with(add("carol", "audio", 901)), std::nullopt);
  send("bob", true, true);
  stage.advance(seconds{1});
  EXPECT_EQ(property("audio-limit-reached"), "true");
  EXPECT_EQ(property("video-limit-reached"), "true");
  EXPECT_EQ(stage.refused_with(add("carol", "audio", 902)), Condition::kResourceConstraint);
  EXPECT_EQ(stage.refused_with(add("carol", "video", 903)), Condition::kResourceConstraint);
  stage.leave("tea", "bob");
  stage.advance(seconds{1});
  EXPECT_EQ(property("audio-limit-reached"), "false");
  EXPECT_EQ(property("video-limit-reached"), "false");
  EXPECT_EQ(stage.refused_with(add("carol", "video", 903)), std::nullopt);
}

TEST_F(SenderLimitTest, BeyondItNewcomersStartMuted) {
  meet({"alice", "bob"});
  EXPECT_EQ(stage.client("tea", "bob").start_muted, (proto::StartMuted{.video = true}));
  stage.join("tea", "carol");
  stage.advance(seconds{2});
  EXPECT_EQ(stage.client("tea", "carol").start_muted,
            (proto::StartMuted{.audio = true, .video = true}));
}

TEST(ServicesTest, ComponentsThatStartLaterAreFound) {
  Options options = Stage::make_options();
  options.main_host = Jid::parse("example.net").value();
  Stage stage({}, 1, options);
  stage.start_all();
  EXPECT_EQ(stage.logged("services.found"), 0U);
  stage.main_host.identities = {{"component", "av_moderation", kModeration}};
  stage.advance(seconds{60});
  EXPECT_EQ(stage.logged("services.found"), 1U);
  stage.main_host.identities.push_back({"component", "room_metadata", kMetadata});
  stage.advance(std::chrono::minutes{6});
  EXPECT_EQ(stage.logged("services.found"), 2U);
}

}  // namespace
}  // namespace bascule::focus
