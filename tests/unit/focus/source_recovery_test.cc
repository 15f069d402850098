// What was collected for `source_signaling_delay`, or until a session-accept, and not said when the
// process died.

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "source_builders.h"
#include "stage.h"
#include "xmpp/proto/jitsi_meet_json.h"

namespace bascule::focus {
namespace {

using proto::JingleAction;
using std::chrono::milliseconds, std::chrono::seconds;
using testing::a, testing::set_of;

constexpr Duration kDelay = milliseconds{500};
const std::string kRoom = "tea";
using Lines = std::vector<std::string>;

class SourceRecoveryTest : public ::testing::Test {
 protected:
  SourceRecoveryTest() : stage({}, 1, options()) {
    stage.start_all();
    stage.add_bridge("jvb1");
    stage.advance(seconds{6});
    const std::string id = stage.ask(kRoom);
    stage.advance(milliseconds{10});
    EXPECT_TRUE(stage.answered_ready(id));
    for (const char* nick : {"alice", "bob", "carol"}) {
      stage.join(kRoom, nick);
    }
    stage.advance(seconds{3});
    heard_from = stage.sent.size();
  }
  ~SourceRecoveryTest() override {
    EXPECT_EQ(stage.focus.counters().bugs, 0U);
    stage.advance(seconds{3});
    EXPECT_TRUE(pending().empty()) << "everybody was told everything";
    for (const auto& [nick, client] : stage.room(kRoom).clients) {
      check_knowledge(nick);
    }
  }

  /// From its offers and everything since: told of nothing twice, nothing taken that it did not
  /// know, and in the end it knows what the others send.
  void check_knowledge(const std::string& nick) {
    std::set<std::string> known;
    for (const Stage::Sent& sent : stage.sent) {
      const auto* iq = std::get_if<out::SendIq>(&sent.what);
      const auto* jingle = iq != nullptr && iq->to.resource() == nick
                               ? std::get_if<proto::Jingle>(&iq->payload)
                               : nullptr;
      if (jingle == nullptr || jingle->action == JingleAction::kSessionTerminate) {
        continue;
      }
      if (jingle->action == JingleAction::kSessionInitiate) {
        known.clear();
      }
      for (const std::string& source : sources_of(*jingle)) {
        if (jingle->action == JingleAction::kSourceRemove) {
          EXPECT_EQ(known.erase(source), 1U) << nick << " does not know " << source;
        } else {
          EXPECT_TRUE(known.insert(source).second) << nick << " knows " << source;
        }
      }
    }
    std::set<std::string> truth;
    for (const auto& [endpoint, row] : stage.tables.conferences.begin()->second.participants) {
      for (const auto& [ssrc, source] : row.sources) {
        if (endpoint.value() != nick) {
          truth.insert(endpoint.value() + ":" + std::to_string(ssrc.value()));
        }
      }
    }
    std::erase_if(known, [this](const std::string& source) {
      return !stage.room(kRoom).clients.contains(source.substr(0, source.find(':')));
    });
    EXPECT_EQ(known, truth) << nick;
  }
  /// `bob:7`, by owner.
  static Lines sources_of(const proto::Jingle& jingle) {
    Lines lines;
    if (jingle.json()) {
      const auto sources = proto::decode_sources_json(jingle.json()->json).value();
      for (const auto& [owner, set] : sources) {
        for (const auto* list : {&set.audio, &set.video}) {
          for (const proto::Source& source : *list) {
            lines.push_back(owner.value() + ":" + std::to_string(source.ssrc.value()));
          }
        }
      }
    }
    return lines;
  }

  static Options options() {
    Options options = Stage::make_options();
    options.offer.signaling_delays = {{.participants = 0, .delay = kDelay}};
    return options;
  }

  void change(const std::string& nick, JingleAction action, const proto::EndpointSources& sources) {
    proto::Jingle jingle{.action = action, .sid = stage.client(kRoom, nick).sid};
    jingle.contents = proto::make_source_contents({{EndpointId(nick), sources}});
    ASSERT_EQ(stage.refused_with(stage.jingle(kRoom, nick, jingle)), std::nullopt);
  }
  void add(const std::string& nick, const std::vector<testing::TestSource>& sources) {
    change(nick, JingleAction::kSourceAdd, set_of(sources));
  }
  void remove(const std::string& nick, const std::vector<testing::TestSource>& sources) {
    change(nick, JingleAction::kSourceRemove, set_of(sources));
  }

  /// A participant that was offered a session and does not accept it until `accept`.
  void offer(const std::string& nick) {
    stage.room(kRoom).clients[nick].mood = Stage::ClientMood::kIgnores;
    stage.join(kRoom, nick);
    stage.advance(seconds{1});
    ASSERT_EQ(stage.state_of(kRoom, nick), ParticipantState::kInviting);
    heard_from = stage.sent.size();
  }
  void accept(const std::string& nick) {
    proto::Jingle jingle{.action = JingleAction::kSessionAccept,
                         .sid = stage.client(kRoom, nick).sid};
    jingle.contents.push_back({.name = "audio"});
    jingle.contents.back().description = proto::RtpDescription{};
    jingle.contents.back().transport = proto::IceUdpTransport{};
    jingle.contents.back().transport->ufrag = "u";
    jingle.contents.back().transport->pwd = "p";
    ASSERT_EQ(stage.refused_with(stage.jingle(kRoom, nick, jingle)), std::nullopt);
  }

  void crash(Duration pause = {}) {
    stage.crash_and_restore(pause);
    stage.focus.check_invariants();
  }
  void links_up() {
    stage.up(StreamId::kRequests);
    stage.up(StreamId::kClient, true);
    stage.up(StreamId::kService);
  }
  void resume() {
    links_up();
    stage.advance(seconds{3});
  }

  /// What a participant was told since the room was set up: `+bob:7` is a source added.
  [[nodiscard]] Lines heard(const std::string& nick) const {
    Lines lines;
    for (std::size_t i = heard_from; i < stage.sent.size(); ++i) {
      const auto* iq = std::get_if<out::SendIq>(&stage.sent[i].what);
      const auto* jingle = iq != nullptr && iq->to.resource() == nick
                               ? std::get_if<proto::Jingle>(&iq->payload)
                               : nullptr;
      if (jingle == nullptr || (jingle->action != JingleAction::kSourceAdd &&
                                jingle->action != JingleAction::kSourceRemove)) {
        continue;
      }
      const char* sign = jingle->action == JingleAction::kSourceAdd ? "+" : "-";
      for (const std::string& source : sources_of(*jingle)) {
        lines.push_back(sign + source);
      }
    }
    return lines;
  }
  [[nodiscard]] const std::map<EndpointId, std::vector<PendingSources>>& pending() const {
    return stage.tables.conferences.begin()->second.pending_sources;
  }
  [[nodiscard]] std::uint32_t microphone(const std::string& nick) const {
    return stage.tables.conferences.begin()
        ->second.participants.at(EndpointId(nick))
        .sources.begin()
        ->first.value();
  }

  Stage stage;
  std::size_t heard_from = 0;
};

TEST_F(SourceRecoveryTest, WhatWasAddedWithinTheDelayIsToldByTheNextProcess) {
  add("alice", {a(7, "m")});
  stage.advance(milliseconds{200});
  crash(milliseconds{100});
  EXPECT_EQ(heard("bob"), Lines{});
  resume();
  EXPECT_EQ(heard("bob"), Lines{"+alice:7"});
  EXPECT_EQ(heard("carol"), Lines{"+alice:7"});
  EXPECT_EQ(heard("alice"), Lines{});
}

TEST_F(SourceRecoveryTest, ABridgeIsToldWhenOurLinkToItIsUpAgain) {
  stage.down(StreamId::kService);
  add("alice", {a(7, "m")});
  stage.advance(seconds{1});
  const std::size_t before = stage.colibri.size();
  stage.up(StreamId::kService);
  stage.advance(seconds{3});
  const bool told = std::any_of(
      stage.colibri.begin() + static_cast<std::ptrdiff_t>(before), stage.colibri.end(),
      [](const proto::ConferenceModify& message) {
        return std::any_of(message.endpoints.begin(), message.endpoints.end(),
                           [](const proto::Endpoint& endpoint) {
                             return endpoint.id == "alice" && endpoint.sources && !endpoint.create;
                           });
      });
  EXPECT_TRUE(told);
  EXPECT_EQ(stage.client(kRoom, "alice").sids.size(), 1U) << "invited again for nothing";
  EXPECT_EQ(heard("bob"), Lines{"+alice:7"});
}

TEST_F(SourceRecoveryTest, SoIsWhatWasRemoved) {
  add("alice", {a(7, "m"), a(8, "n")});
  stage.advance(seconds{1});
  heard_from = stage.sent.size();
  remove("alice", {a(7)});
  crash();
  resume();
  EXPECT_EQ(heard("bob"), Lines{"-alice:7"});
  EXPECT_EQ(heard("carol"), Lines{"-alice:7"});
}

TEST_F(SourceRecoveryTest, WhatWasSaidIsNotRepeated) {
  add("alice", {a(7, "m")});
  stage.advance(seconds{1});
  ASSERT_EQ(heard("bob"), Lines{"+alice:7"});
  EXPECT_TRUE(pending().empty());
  crash();
  resume();
  EXPECT_EQ(heard("bob"), Lines{"+alice:7"});
}

TEST_F(SourceRecoveryTest, ChangesBeforeAndAfterAddUp) {
  add("alice", {a(7, "m")});
  crash();
  resume();
  remove("alice", {a(7)});
  add("alice", {a(8, "n")});
  crash();
  links_up();
  add("bob", {a(9, "o")});
  stage.advance(seconds{3});
  EXPECT_EQ(heard("carol"), (Lines{"+alice:7", "-alice:7", "+alice:8", "+bob:9"}));
  EXPECT_EQ(heard("bob"), (Lines{"+alice:7", "-alice:7", "+alice:8"}));
}

TEST_F(SourceRecoveryTest, WhatCancelsOutAcrossTheCrashIsNotTold) {
  add("alice", {a(7, "m")});
  crash();
  links_up();
  remove("alice", {a(7)});
  stage.advance(seconds{3});
  EXPECT_EQ(heard("bob"), Lines{});
  add("alice", {a(8, "n")});
  remove("alice", {a(8)});
  crash();
  resume();
  EXPECT_EQ(heard("bob"), Lines{});
}

TEST_F(SourceRecoveryTest, ASecondCrashBeforeTheLinkIsBackLosesNothing) {
  add("alice", {a(7, "m")});
  crash();
  stage.advance(seconds{5});  // The link is down: nothing can be told.
  EXPECT_EQ(heard("bob"), Lines{});
  crash();
  resume();
  EXPECT_EQ(heard("bob"), Lines{"+alice:7"});
}

TEST_F(SourceRecoveryTest, ABrokenLinkIsWaitedForWithoutACrashToo) {
  add("alice", {a(7, "m")});
  stage.down(StreamId::kClient);
  stage.advance(seconds{2});
  EXPECT_EQ(heard("bob"), Lines{});
  stage.up(StreamId::kClient, true);
  stage.advance(seconds{1});
  EXPECT_EQ(heard("bob"), Lines{"+alice:7"});
}

TEST_F(SourceRecoveryTest, AnOfferIsCompletedAfterItsAcceptWhateverProcessMadeIt) {
  offer("dave");
  add("alice", {a(7, "m")});
  stage.advance(seconds{1});
  ASSERT_EQ(heard("bob"), Lines{"+alice:7"});
  remove("bob", {a(microphone("bob"))});
  crash();
  resume();
  EXPECT_EQ(heard("dave"), Lines{}) << "before its accept";
  accept("dave");
  EXPECT_EQ(heard("dave").size(), 2U);
  EXPECT_EQ(heard("dave").back(), "+alice:7");
  EXPECT_EQ(heard("dave").front().substr(0, 5), "-bob:");
}

TEST_F(SourceRecoveryTest, WhoWasOfferedItMeanwhileIsNotTold) {
  add("alice", {a(7, "m")});
  offer("dave");
  stage.advance(seconds{1});
  add("alice", {a(8, "n")});
  proto::Jingle restart{.action = JingleAction::kSessionTerminate,
                        .sid = std::exchange(stage.client(kRoom, "bob").sid, "")};
  restart.bridge_session =
      proto::BridgeSession{.id = stage.client(kRoom, "bob").bridge_session, .restart = true};
  ASSERT_EQ(stage.refused_with(stage.jingle(kRoom, "bob", restart)), std::nullopt);
  stage.advance(milliseconds{100});
  ASSERT_EQ(stage.state_of(kRoom, "bob"), ParticipantState::kActive);
  heard_from = stage.sent.size();
  crash();
  resume();
  EXPECT_EQ(heard("bob"), Lines{}) << "its second offer had everything";
  EXPECT_FALSE(heard("carol").empty());
  accept("dave");
  EXPECT_FALSE(heard("dave").empty());
}

TEST_F(SourceRecoveryTest, ThoseWhoLeaveNeedNoNews) {
  add("alice", {a(7, "m")});
  add("bob", {a(8, "n")});
  stage.leave(kRoom, "carol");
  EXPECT_EQ(pending().size(), 2U);
  crash();
  stage.room(kRoom).clients.erase("alice");  // While nobody was listening.
  resume();
  EXPECT_EQ(heard("carol"), Lines{});
  EXPECT_EQ(heard("bob"), Lines{}) << "clients forget by themselves who left";
}

TEST_F(SourceRecoveryTest, WhoLosesItsBridgeAtTheCrashIsRemovedAndAnnouncedAgain) {
  add("alice", {a(7, "m")});
  stage.advance(seconds{1});
  const auto home = *stage.bridge_of(kRoom, "alice");
  heard_from = stage.sent.size();
  stage.remove_bridge(home);  // Nowhere to go: everybody keeps what it has.
  stage.advance(seconds{1});
  ASSERT_EQ(heard("bob"), Lines{});
  crash();
  links_up();
  stage.advance(seconds{1});
  stage.add_bridge("jvb2");
  stage.advance(seconds{40});
  for (const char* nick : {"alice", "bob", "carol"}) {
    EXPECT_EQ(stage.state_of(kRoom, nick), ParticipantState::kActive) << nick;
  }
}

TEST_F(SourceRecoveryTest, AChangeIsOneOperationWhateverTheNumberOfReceivers) {
  add("alice", {a(7, "m")});
  ASSERT_EQ(pending().size(), 1U);
  const auto& entries = pending().at(EndpointId("alice"));
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].receivers, (std::set{EndpointId("bob"), EndpointId("carol")}));
  add("alice", {a(8, "n")});
  EXPECT_EQ(pending().at(EndpointId("alice")), entries) << "what they know is the same";
}

}  // namespace
}  // namespace bascule::focus
