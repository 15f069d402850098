// What the focus accepts of sources, and what the bridge learns of it.

#include <string>
#include <vector>

#include "focus/jingle_session.h"
#include "meeting.h"

namespace bascule::conformance {
namespace {

using Lines = std::vector<std::string>;

TEST_F(Sources, C66_AreTakenBeforeAndAfterTheAcceptInBothSpellings) {
  statement(66, Kind::kJicofo,
            "takes source-add and source-remove, in the old spellings too, before and after the "
            "accept");
  meet({"bob", "carol"});
  enter("alice");
  stage().advance(seconds{1});
  forget();
  const auto round = [&](const std::string& add_action, const std::string& remove_action) {
    EXPECT_TRUE(ask("alice", jingle(add_action, sid("alice"), contents({a(7)}))).is_result);
    EXPECT_TRUE(ask("alice", jingle(remove_action, sid("alice"), contents({a(7)}))).is_result);
    EXPECT_EQ(announced("bob"), (Lines{R"(+{"sources":{"alice":[[],[],[{"s":7}]]}})",
                                       R"(-{"sources":{"alice":[[],[],[{"s":7}]]}})"}));
    forget();
  };
  EXPECT_EQ(state("alice"), ParticipantState::kInviting);
  round("source-add", "source-remove");
  round("addsource", "removesource");
  ASSERT_TRUE(accept("alice").is_result);
  forget();
  round("source-add", "source-remove");
  round("addsource", "removesource");
}

TEST_F(Sources, C67_AreReadWhereverClientsPutThem) {
  statement(67, Kind::kJicofo,
            "reads sources below the description and below the content, parameters in both "
            "namespaces, and ignores rid groups, cnames and owners that clients claim");
  meet({"alice", "bob"});
  const std::string ssma = "xmlns='urn:xmpp:jingle:apps:rtp:ssma:0'";
  const std::string both =
      "<content name='video' creator='responder'><source " + ssma +
      " ssrc='1'>"
      "<parameter xmlns='urn:xmpp:jingle:apps:rtp:1' name='cname' value='c'/>"
      "<parameter xmlns='urn:xmpp:jingle:apps:rtp:1' name='msid' value='first'/>"
      "<parameter xmlns='urn:xmpp:jingle:apps:rtp:1' name='msid' value='second'/></source>"
      "<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='video'>"
      "<source " +
      ssma +
      " ssrc='2'><parameter name='msid' value='own'/>"
      "<ssrc-info xmlns='http://jitsi.org/jitmeet' owner='somebody-else'/></source>"
      "<rid-group " +
      ssma +
      " semantics='SIM'><source rid='a'/></rid-group>"
      "</description></content>";
  EXPECT_TRUE(ask("alice", jingle("source-add", sid("alice"), both)).is_result);
  EXPECT_EQ(announced("bob"),
            (Lines{R"(+{"sources":{"alice":[[{"s":2,"m":"own"},{"s":1,"m":"first"}],[],[]]}})"}));
}

TEST_F(Sources, C68_AreChangedAllOrNothing) {
  statement(68, Kind::kJicofo,
            "applies the source rules to a request as a whole; a refused one changes nothing");
  auto options = Stage::make_options();
  options.offer.strip_simulcast = false;
  start(options);
  meet({"alice", "bob"});
  ASSERT_TRUE(add("alice", base_set()).is_result);
  forget();
  // Each has parts that would be fine alone.
  EXPECT_FALSE(add("alice", {a(100), v(1, "x")}).is_result);
  EXPECT_FALSE(add("alice", {v(101, "x"), v(102, "y"), sim({101, 102})}).is_result);
  EXPECT_FALSE(add("alice", {a(103), fid({103, 999})}).is_result);
  EXPECT_FALSE(remove("alice", {a(7), v(1)}).is_result);
  EXPECT_FALSE(remove("alice", {a(7), a(1000)}).is_result);
  EXPECT_TRUE(announced("bob").empty());
  EXPECT_TRUE(bridge_told("alice").empty());
  EXPECT_TRUE(add("bob", {a(100), v(101, "x"), a(103)}).is_result);
  EXPECT_TRUE(remove("alice", base_set()).is_result);
}

TEST_F(Sources, C70_AreRemovedBySsrcWithTheirGroups) {
  statement(70, Kind::kJicofo,
            "finds sources to be removed by their SSRC only, and removes the groups they were in");
  auto options = Stage::make_options();
  options.offer.strip_simulcast = false;
  start(options);
  meet({"alice", "bob"});
  ASSERT_TRUE(add("alice", {v(11, "d", "videoType='desktop' name='alice-v1'"),
                            v(12, "d", "videoType='desktop' name='alice-v1'"), fid({11, 12})})
                  .is_result);
  forget();
  EXPECT_TRUE(remove("alice", {a(11, "other", "name='wrong'"), a(12)}).is_result);
  EXPECT_EQ(announced("bob"),
            (Lines{R"(-{"sources":{"alice":[[{"s":11,"n":"alice-v1","m":"d","v":"d"},)"
                   R"({"s":12,"n":"alice-v1","m":"d","v":"d"}],[["f",11,12]],[]]}})"}));
}

TEST_F(Sources, C71_AreToldToTheBridgeAsACompleteSet) {
  statement(71, Kind::kJicofo,
            "gives the bridge the complete set of the endpoint after each accepted change");
  meet({"alice", "bob"});
  const auto after = [&](const Reply& reply) {
    EXPECT_TRUE(reply.is_result);
    const auto updates = bridge_told("alice");
    EXPECT_EQ(updates.size(), 1U);
    forget();
    return updates.empty() ? Ssrcs{} : ssrcs_of(updates[0]);
  };
  EXPECT_EQ(after(add("alice", {a(7)})), (Ssrcs{7}));
  EXPECT_EQ(after(add("alice", {v(1, "m"), v(2, "m"), fid({1, 2})})), (Ssrcs{7, 1, 2}));
  EXPECT_EQ(after(remove("alice", {a(7)})), (Ssrcs{1, 2}));
  EXPECT_EQ(after(remove("alice", {v(1), v(2)})), Ssrcs{});
  EXPECT_TRUE(add("alice", {}).is_result);
  EXPECT_TRUE(bridge_told("alice").empty());
}

TEST_F(Sources, C81_AreForbiddenToVisitors) {
  statement(81, Kind::kJicofo, "takes no sources from visitors");
  using focus::JingleSession;
  JingleSession session({}, JingleSession::Sending::kForbidden);
  session.invite("sid", Instant{});
  proto::Jingle request{.action = JingleAction::kSourceAdd, .sid = "sid"};
  request.contents = {
      {.name = "audio", .description = proto::RtpDescription{.sources = {{.ssrc = Ssrc(1)}}}}};
  const auto added = session.judge(request, {}, Instant{});
  EXPECT_EQ(std::get<focus::jingle::Refuse>(added).error.condition, Condition::kForbidden);
  request.action = JingleAction::kSessionAccept;
  const auto accepted = session.judge(request, {}, Instant{});
  EXPECT_EQ(std::get<focus::jingle::RejectAccept>(accepted).error.condition, Condition::kForbidden);
}

TEST_F(Sources, C81_VisitorsHaveNoSessionToSendThemIn) {
  also(81);
  meet({"alice", "bob"});
  stage().room(kRoom).clients["guest"].role = proto::Role::kVisitor;
  enter("guest");
  stage().advance(seconds{5});
  EXPECT_EQ(count("guest", JingleAction::kSessionInitiate), 0U);
  const Reply reply = ask("guest", jingle("source-add", client("alice").sid, contents({a(7)})));
  EXPECT_EQ(reply.error.condition, Condition::kItemNotFound);
  EXPECT_TRUE(announced("bob").empty());
}

TEST_F(Sources, C84_AreOwnedByEndpoints) {
  statement(84, Kind::kJicofo,
            "names owners by endpoint id, never by a full address, in XML and JSON");
  meet({"alice", "bob"});
  enter("plain", without(kWeb, kJsonFeature));
  stage().advance(seconds{1});
  ASSERT_TRUE(accept("plain").is_result);
  forget();
  ASSERT_TRUE(add("alice", {a(7)}).is_result);
  EXPECT_EQ(announced("bob"), (Lines{R"(+{"sources":{"alice":[[],[],[{"s":7}]]}})"}));
  const auto update = told("plain", JingleAction::kSourceAdd);
  ASSERT_EQ(update.size(), 1U);
  EXPECT_FALSE(update[0].json());
  EXPECT_EQ(update[0].all_contents().at(0).description->sources.at(0).owner, "alice");
  EXPECT_EQ(update[0].all_contents().at(0).name, "audio");
}

TEST_F(Sources, C85_AreFreeAgainWhenTheirOwnerIsGone) {
  statement(85, Kind::kJicofo,
            "frees SSRCs and msids of a participant who leaves or ends its session");
  meet({"alice", "bob", "carol"});
  ASSERT_TRUE(add("alice", {a(7, "n"), v(1, "m")}).is_result);
  EXPECT_FALSE(add("bob", {a(7, "x")}).is_result);
  EXPECT_FALSE(add("bob", {a(8, "n")}).is_result);
  ASSERT_TRUE(terminate("alice", false).is_result);
  EXPECT_TRUE(add("bob", {a(7, "n"), v(1, "m")}).is_result);
  stage().leave(kRoom, "bob");
  EXPECT_TRUE(add("carol", {a(7, "n"), v(1, "m")}).is_result);
}

}  // namespace
}  // namespace bascule::conformance
