// Every rule the simulator's clients hold the focus to can be broken, and is then complained about.

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/client_kind.h"
#include "sim/jingle_watch.h"
#include "sim/source_knowledge.h"
#include "xmpp/proto/jitsi_meet_json.h"

namespace bascule::sim {
namespace {

using proto::EndpointSources;
using proto::Jingle;
using proto::JingleAction;
using proto::SourceMap;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kMe = "0000aa01";
const std::string kOther = "0000bb01";
const std::string kThird = "0000cc01";

SourceMap of(const std::string& owner, EndpointSources sources) {
  return {{EndpointId(owner), std::move(sources)}};
}

Jingle in_json(JingleAction action, const SourceMap& sources, std::string sid = "s1") {
  Jingle jingle{.action = action, .sid = std::move(sid)};
  jingle.json_message = proto::JsonMessage{proto::encode_sources_json(sources)};
  return jingle;
}

Jingle in_contents(JingleAction action, const SourceMap& sources) {
  return {.action = action, .sid = "s1", .contents = proto::make_source_contents(sources)};
}

SourceMap camera_of(const std::string& owner, ClientKind kind = {.simulcast = true}) {
  return of(owner, as_told(camera_sources(owner, kind), {}));
}

/// A watch over an accepted session "s1".
JingleWatch in_session(ClientKind kind = {}) {
  JingleWatch watch(kind);
  watch.received(kind.json ? in_json(JingleAction::kSessionInitiate, {})
                           : in_contents(JingleAction::kSessionInitiate, {}));
  watch.asked("j1", {.ask = Ask::kAccept, .sid = "s1"});
  return watch;
}

TEST(SourceKnowledge, FollowsOffersAddsRemovesAndPresence) {
  SourceKnowledge knowledge;
  knowledge.offered(kMe, camera_of(kOther));
  knowledge.added(of(kOther, screen_sources(kOther)));
  knowledge.added(camera_of(kThird));
  knowledge.removed(of(kOther, screen_sources(kOther)));
  knowledge.owner_left(kThird);
  knowledge.added(camera_of(kThird));  // Was on its way when the owner left.
  knowledge.removed(camera_of(kThird));
  EXPECT_EQ(knowledge.known(), camera_of(kOther));
  EXPECT_THAT(knowledge.complaints(), IsEmpty());
}

TEST(SourceKnowledge, ComplainsOfWhatWouldConfuseAClient) {
  SourceKnowledge own;
  own.offered(kMe, camera_of(kMe));
  EXPECT_THAT(own.complaints(), ElementsAre(HasSubstr("its own sources")));

  SourceKnowledge twice;
  twice.offered(kMe, camera_of(kOther));
  twice.added(camera_of(kOther));
  EXPECT_THAT(twice.complaints(), ElementsAre(HasSubstr("told twice")));

  SourceKnowledge unknown;
  unknown.offered(kMe, {});
  unknown.removed(camera_of(kOther));
  EXPECT_THAT(unknown.complaints(), ElementsAre(HasSubstr("did not know")));

  SourceKnowledge shared;
  shared.offered(kMe, camera_of(kOther));
  shared.added(of(kThird, camera_of(kOther).begin()->second));
  EXPECT_THAT(shared.complaints(), testing::Contains(HasSubstr("is of 0000bb01 and of 0000cc01")));
}

TEST(SourceKnowledge, IsComparedWithTheTruth) {
  const SourceMap truth = camera_of(kOther);
  EXPECT_EQ(knowledge_problem(truth, truth), "");
  EXPECT_THAT(knowledge_problem({}, truth), HasSubstr("does not know the sources of 0000bb01"));
  EXPECT_THAT(knowledge_problem(truth, {}), HasSubstr("who has none"));
  SourceMap stale = truth;
  stale.begin()->second = together(stale.begin()->second, screen_sources(kOther));
  EXPECT_THAT(knowledge_problem(stale, truth), HasSubstr("true sources"));
  SourceMap renamed = truth;
  renamed.begin()->second.video.front().name = "x";
  EXPECT_THAT(knowledge_problem(renamed, truth), HasSubstr("true sources"));
  SourceMap ungrouped = truth;
  ungrouped.begin()->second.video_groups.clear();
  EXPECT_THAT(knowledge_problem(ungrouped, truth), HasSubstr("true sources"));
  SourceMap reordered = truth;
  std::swap(reordered.begin()->second.video.front(), reordered.begin()->second.video.back());
  EXPECT_EQ(knowledge_problem(reordered, truth), "");
}

TEST(SourceKnowledge, ReceiversAreToldWhatTheirKindNeeds) {
  const EndpointSources sent = camera_sources(kOther, {.simulcast = true});
  ASSERT_EQ(sent.video.size(), 6U);
  const EndpointSources plain = as_told(sent, {});
  EXPECT_EQ(plain.video, (std::vector{sent.video[0], sent.video[3]}));
  EXPECT_EQ(plain.video_groups, std::vector{sent.video_groups[1]});
  EXPECT_EQ(as_told(sent, {.video = false}), (EndpointSources{.audio = sent.audio}));
  EXPECT_TRUE(as_told(sent, {.ssrc_rewriting = true}).empty());
}

TEST(SourcesIn, ReadsBothForms) {
  const SourceMap sources = camera_of(kOther);
  EXPECT_EQ(sources_in(in_json(JingleAction::kSourceAdd, sources)), sources);
  EXPECT_EQ(sources_in(in_contents(JingleAction::kSourceAdd, sources)), sources);
  Jingle ownerless = in_contents(JingleAction::kSourceAdd, sources);
  ownerless.contents[0].description->sources[0].owner.reset();
  EXPECT_FALSE(sources_in(ownerless).has_value());
}

TEST(JingleWatch, IsContentWithAnOrdinarySession) {
  for (const bool json : {true, false}) {
    const auto make =
        json ? [](JingleAction action, const SourceMap& map) { return in_json(action, map); }
             : [](JingleAction action, const SourceMap& map) { return in_contents(action, map); };
    JingleWatch watch = in_session({.json = json});
    EXPECT_EQ(watch.answered("j1")->ask, Ask::kAccept);
    watch.received(make(JingleAction::kSourceAdd, camera_of(kOther)));
    watch.received(make(JingleAction::kSourceRemove, camera_of(kOther)));
    watch.received({.action = JingleAction::kSessionTerminate, .sid = "s1"});
    EXPECT_THAT(watch.complaints(), IsEmpty());
  }
}

TEST(JingleWatch, NoSignalingWithoutASessionThatIsAccepted) {
  JingleWatch never{{}};
  never.received(in_json(JingleAction::kSourceAdd, camera_of(kOther)));
  EXPECT_THAT(never.complaints(), ElementsAre(HasSubstr("it never had")));

  JingleWatch early{{}};
  early.received(in_json(JingleAction::kSessionInitiate, {}));
  early.received(in_json(JingleAction::kSourceAdd, camera_of(kOther)));
  EXPECT_THAT(early.complaints(), ElementsAre(HasSubstr("before the session is accepted")));
}

TEST(JingleWatch, NothingForASessionThatIsOver) {
  JingleWatch ended = in_session();
  ended.received({.action = JingleAction::kSessionTerminate, .sid = "s1"});
  ended.received(in_json(JingleAction::kSourceRemove, camera_of(kOther)));
  EXPECT_THAT(ended.complaints(), ElementsAre(HasSubstr("that is over")));

  JingleWatch left = in_session();
  left.asked("j2", {.ask = Ask::kRestart, .sid = "s1"});
  left.received(in_json(JingleAction::kSourceAdd, camera_of(kOther)));  // They crossed.
  EXPECT_THAT(left.complaints(), IsEmpty());
  left.answered("j2");
  left.received({.action = JingleAction::kTransportInfo, .sid = "s1"});
  EXPECT_THAT(left.complaints(), ElementsAre(HasSubstr("that is over")));

  JingleWatch again = in_session();
  again.received(in_json(JingleAction::kSessionInitiate, {}));
  EXPECT_THAT(again.complaints(), ElementsAre(HasSubstr("a second offer with sid s1")));
}

TEST(JingleWatch, EveryRequestIsAnsweredOnce) {
  JingleWatch watch = in_session();
  EXPECT_TRUE(watch.waits("j1"));
  EXPECT_TRUE(watch.answered("j1").has_value());
  EXPECT_FALSE(watch.waits("j1"));
  EXPECT_FALSE(watch.answered("j1").has_value());
  EXPECT_FALSE(watch.answered("j9").has_value());
  EXPECT_THAT(watch.complaints(), ElementsAre(HasSubstr("a second answer to j1"),
                                              HasSubstr("an answer to nothing: j9")));
}

TEST(JingleWatch, EverybodyIsToldInItsOwnForm) {
  JingleWatch reads_json = in_session();
  reads_json.received(in_contents(JingleAction::kSourceAdd, camera_of(kOther)));
  EXPECT_THAT(reads_json.complaints(), ElementsAre(HasSubstr("in the form it does not read")));

  JingleWatch reads_contents = in_session({.json = false});
  reads_contents.received(in_json(JingleAction::kSourceAdd, camera_of(kOther)));
  EXPECT_THAT(reads_contents.complaints(), ElementsAre(HasSubstr("in the form it does not read")));

  JingleWatch rewriting = in_session({.ssrc_rewriting = true});
  rewriting.received(in_json(JingleAction::kSourceAdd, camera_of(kOther)));
  EXPECT_THAT(rewriting.complaints(), ElementsAre(HasSubstr("whose bridge rewrites")));
}

TEST(JingleWatch, OffersFitTheirReceiver) {
  const auto complaints_about = [](ClientKind kind, const Jingle& offer) {
    JingleWatch watch(kind);
    watch.received(offer);
    return watch.complaints();
  };
  const SourceMap sources = camera_of(kOther);
  const Jingle json = in_json(JingleAction::kSessionInitiate, sources);
  const Jingle contents = in_contents(JingleAction::kSessionInitiate, sources);
  EXPECT_THAT(complaints_about({}, json), IsEmpty());
  EXPECT_THAT(complaints_about({.json = false}, contents), IsEmpty());
  EXPECT_THAT(complaints_about({}, contents), ElementsAre(HasSubstr("in contents")));
  EXPECT_THAT(complaints_about({.json = false}, json), ElementsAre(HasSubstr("with JSON")));
  EXPECT_THAT(complaints_about({.ssrc_rewriting = true}, json),
              ElementsAre(HasSubstr("whose bridge rewrites")));
  EXPECT_THAT(complaints_about({.video = false}, json),
              ElementsAre(HasSubstr("video sources offered")));
  EXPECT_THAT(complaints_about({.json = false, .video = false}, contents),
              ElementsAre(HasSubstr("video offered"), HasSubstr("video sources offered")));
}

TEST(InvalidSources, AreFourWays) {
  for (std::uint64_t a = 0; a < 4; ++a) {
    for (std::uint64_t b = 0; b < a; ++b) {
      EXPECT_NE(invalid_sources(kMe, a), invalid_sources(kMe, b));
    }
  }
}

}  // namespace
}  // namespace bascule::sim
