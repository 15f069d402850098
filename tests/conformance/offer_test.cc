// Whom the focus invites, and the frame of what it offers.

#include <set>
#include <string>
#include <vector>

#include "meeting.h"

namespace bascule::conformance {
namespace {

std::vector<std::string> names_of(const proto::Jingle& offer) {
  std::vector<std::string> names;
  for (const proto::Content& content : offer.contents) {
    names.push_back(content.name);
  }
  return names;
}

using Names = std::vector<std::string>;

TEST_F(Offer, C01_ComesFromTheOccupantNamedFocusWithAFreshSid) {
  statement(1, Kind::kJicofo,
            "invites with session-initiate from its room occupant `focus`, with a sid never used "
            "before");
  meet({"alice", "bob", "carol"});
  stage().advance(seconds{10});
  EXPECT_TRUE(terminate("alice", true).is_result);
  ASSERT_TRUE(accept("alice").is_result);
  std::set<std::string> sids;
  for (const auto& nick : {"alice", "bob", "carol"}) {
    sids.insert(client(nick).sids.begin(), client(nick).sids.end());
  }
  EXPECT_EQ(sids.size(), 4U);
  for (const auto& sid : sids) {
    EXPECT_GE(sid.size(), 13U);  // 64 bits, whatever the digits.
  }
  for (const auto& presence : stage().room_presences) {
    EXPECT_EQ(presence.to.resource(), "focus");
  }
  const auto at = position(
      [](const auto& sent) { return is_jingle_to(sent, "bob", JingleAction::kSessionInitiate); });
  ASSERT_LT(at, stage().sent.size());
  EXPECT_EQ(std::get<focus::out::SendIq>(stage().sent[at].what).stream, StreamId::kClient);

  start(Stage::make_options(), 2);
  meet({"alice", "bob", "carol"});
  for (const auto& nick : {"alice", "bob", "carol"}) {
    EXPECT_FALSE(sids.contains(client(nick).sid)) << "a sid can be guessed from another process";
  }
}

TEST_F(Offer, C02_GoesToNobodyBeforeThereAreEnoughAndThenToAll) {
  statement(2, Kind::kJicofo,
            "invites nobody while fewer than the configured minimum (2) are in the room, then "
            "everybody");
  enter("alice");
  stage().advance(seconds{30});
  EXPECT_EQ(count("alice", JingleAction::kSessionInitiate), 0U);
  EXPECT_TRUE(stage().colibri.empty());
  enter("bob");
  stage().advance(seconds{1});
  EXPECT_EQ(count("alice", JingleAction::kSessionInitiate), 1U);
  EXPECT_EQ(count("bob", JingleAction::kSessionInitiate), 1U);

  auto options = Stage::make_options();
  options.participants_min = 3;
  start(options);
  enter("alice");
  enter("bob");
  stage().advance(seconds{5});
  EXPECT_TRUE(stage().colibri.empty());
  enter("carol");
  stage().advance(seconds{1});
  for (const auto& nick : {"alice", "bob", "carol"}) {
    EXPECT_EQ(count(nick, JingleAction::kSessionInitiate), 1U) << nick;
  }
}

TEST_F(Offer, C03_HasAudioVideoAndDataInThisOrder) {
  statement(3, Kind::kJicofo,
            "offers the contents audio, video, data in this order, each created by the initiator "
            "and sent by both");
  meet({"alice", "bob"});
  const xml::Element offer = offer_xml("alice");
  EXPECT_EQ(offer.attribute("action"), "session-initiate");
  std::vector<std::string> names;
  for (const xml::Element& child : offer.children) {
    if (child.is("content", "urn:xmpp:jingle:1")) {
      names.emplace_back(child.attribute_or_empty("name"));
      EXPECT_EQ(child.attribute("creator"), "initiator");
      EXPECT_EQ(child.attribute("senders"), "both");
    }
  }
  EXPECT_EQ(names, (Names{"audio", "video", "data"}));
}

TEST_F(Offer, C04_LeavesOutContentsTheParticipantCannotUse) {
  statement(4, Kind::kJicofo,
            "leaves out audio, video or data when the participant lacks the feature, and data when "
            "SCTP is switched off");
  enter("deaf", without(kWeb, kAudioFeature));
  enter("blind", without(kWeb, kVideoFeature));
  enter("plain", without(kWeb, kSctpFeature));
  stage().advance(seconds{1});
  EXPECT_EQ(names_of(offer("deaf")), (Names{"video", "data"}));
  EXPECT_EQ(names_of(offer("blind")), (Names{"audio", "data"}));
  EXPECT_EQ(names_of(offer("plain")), (Names{"audio", "video"}));
  for (const proto::Endpoint& endpoint : bridge_told("plain")) {
    EXPECT_FALSE(endpoint.transport && endpoint.transport->sctp);
  }
  EXPECT_EQ(bridge_told("blind").at(0).media.size(), 1U);

  auto options = Stage::make_options();
  options.offer.sctp = false;
  start(options);
  meet({"alice", "bob"});
  EXPECT_EQ(names_of(offer("alice")), (Names{"audio", "video"}));
}

TEST_F(Offer, C05_AssumesAudioVideoAndSctpWhenFeaturesStayUnknown) {
  statement(5, Kind::kJicofo,
            "assumes audio, video and data channels, and nothing else, when disco#info fails or is "
            "not answered");
  const auto check = [&](const std::string& nick) {
    const proto::Jingle sent = offer(nick);
    EXPECT_EQ(names_of(sent), (Names{"audio", "video", "data"})) << nick;
    EXPECT_FALSE(sent.json_message) << nick;
    for (const auto& payload_type : content(sent, "video")->description->payload_types) {
      EXPECT_NE(payload_type.name, "rtx");
      for (const auto& feedback : payload_type.feedback) {
        EXPECT_TRUE(feedback.type == "ccm" || feedback.type == "nack") << feedback.type;
      }
    }
  };
  stage().features_refused = true;
  enter("alice");
  enter("bob");
  stage().advance(seconds{1});
  check("alice");

  start(Stage::make_options());
  stage().features_known = false;
  enter("alice");
  enter("bob");
  stage().advance(seconds{14});
  EXPECT_EQ(count("alice", JingleAction::kSessionInitiate), 0U);
  stage().advance(seconds{2});
  check("bob");
}

TEST_F(Offer, C13_HasRtcpMuxInEveryDescription) {
  statement(13, Kind::kJicofo, "puts rtcp-mux into every description, that of data included");
  meet({"alice", "bob"});
  const xml::Element offer = offer_xml("bob");
  std::size_t descriptions = 0;
  for (const xml::Element& content : offer.children) {
    if (const auto* description = content.child("description", "urn:xmpp:jingle:apps:rtp:1")) {
      ++descriptions;
      EXPECT_NE(description->child("rtcp-mux", "urn:xmpp:jingle:apps:rtp:1"), nullptr);
    }
  }
  EXPECT_EQ(descriptions, 3U);
}

TEST_F(Offer, C16_IsNotMadeWhenTheBridgeNamesNoSctpPort) {
  statement(16, Kind::kJicofo,
            "makes no offer when SCTP was asked for and the bridge named no port; the bridge is "
            "not blamed, and the invitation is tried again later");
  bridge().sctp_port.reset();
  enter("alice");
  enter("bob");
  stage().advance(seconds{1});
  EXPECT_EQ(count("alice", JingleAction::kSessionInitiate), 0U);
  EXPECT_EQ(count("bob", JingleAction::kSessionInitiate), 0U);
  EXPECT_FALSE(on_bridge("alice")) << "the endpoint stayed on the bridge";
  std::size_t creates = 0;
  for (const auto& endpoint : bridge_told("alice")) {
    creates += endpoint.create ? 1U : 0U;
  }
  EXPECT_EQ(creates, 1U) << "asked again without a pause";
  bridge().sctp_port = 5000;
  stage().advance(seconds{3});
  EXPECT_EQ(count("alice", JingleAction::kSessionInitiate), 1U);
}

TEST_F(Offer, C17_BundlesAllContentsInOrder) {
  statement(17, Kind::kJicofo, "groups all contents, in order, as BUNDLE");
  enter("alice");
  enter("bob", without(kWeb, kVideoFeature));
  stage().advance(seconds{1});
  const auto grouped = [&](const std::string& nick) {
    const xml::Element offer = offer_xml(nick);
    const auto* group = offer.child("group", "urn:xmpp:jingle:apps:grouping:0");
    EXPECT_NE(group, nullptr);
    EXPECT_EQ(group->attribute("semantics"), "BUNDLE");
    Names names;
    for (const xml::Element& content : group->children) {
      names.emplace_back(content.attribute_or_empty("name"));
    }
    return names;
  };
  EXPECT_EQ(grouped("alice"), (Names{"audio", "video", "data"}));
  EXPECT_EQ(grouped("bob"), (Names{"audio", "data"}));
}

TEST_F(Offer, C18_NamesBridgeSessionAndRegion) {
  statement(18, Kind::kJicofo,
            "names the bridge session, and the bridge's region when it is known");
  meet({"alice", "bob"});
  const xml::Element without_region = offer_xml("alice");
  const auto* plain = without_region.child("bridge-session", "http://jitsi.org/protocol/focus");
  ASSERT_NE(plain, nullptr);
  EXPECT_FALSE(plain->attribute_or_empty("id").empty());
  EXPECT_FALSE(plain->attribute("region"));

  bridge().region = "eu-west";
  stage().report("jvb1", "0.1");
  enter("carol");
  stage().advance(seconds{1});
  const xml::Element with_region = offer_xml("carol");
  EXPECT_EQ(
      with_region.child("bridge-session", "http://jitsi.org/protocol/focus")->attribute("region"),
      "eu-west");
}

TEST_F(Offer, C19_NamesTheSameBridgeSessionToAllUntilItIsMadeAnew) {
  statement(19, Kind::kJicofo,
            "names the same bridge session to everybody of a conference on one bridge, and another "
            "one after the conference was created there again");
  meet({"alice", "bob", "carol"});
  const auto id = [&](const std::string& nick) { return offer(nick).bridge_session->id; };
  EXPECT_EQ(id("alice"), id("bob"));
  EXPECT_EQ(id("alice"), id("carol"));
  const auto first = id("alice");
  stage().leave(kRoom, "bob");
  stage().leave(kRoom, "carol");
  stage().advance(seconds{25});  // Alone: the conference is expired on the bridge.
  EXPECT_FALSE(on_bridge("alice"));
  enter("bob");
  stage().advance(seconds{1});
  EXPECT_NE(id("alice"), first);
  EXPECT_EQ(id("alice"), id("bob"));
}

TEST_F(Offer, C20_SaysWhoStartsMutedOnlyWhenSomethingIs) {
  statement(20, Kind::kJicofo,
            "adds startmuted exactly when audio or video starts muted, and then says both");
  request_properties = {{"startAudioMuted", "2"}};
  meet({"alice", "bob"});
  enter("carol");
  stage().advance(seconds{1});
  const auto* none = offer_xml("bob").child("startmuted", "http://jitsi.org/jitmeet/start-muted");
  EXPECT_EQ(none, nullptr);
  const xml::Element third = offer_xml("carol");
  const auto* muted = third.child("startmuted", "http://jitsi.org/jitmeet/start-muted");
  ASSERT_NE(muted, nullptr);
  EXPECT_EQ(muted->attribute("audio"), "true");
  EXPECT_EQ(muted->attribute("video"), "false");
}

TEST_F(Offer, C20_StartsMutedBeyondTheSenderLimit) {
  also(20);
  auto options = Stage::make_options();
  options.offer.max_video_senders = 2;
  start(options);
  meet({"alice", "bob"});
  enter("carol");
  stage().advance(seconds{1});
  EXPECT_FALSE(offer("bob").start_muted);
  EXPECT_EQ(offer("carol").start_muted, (proto::StartMuted{.audio = false, .video = true}));
}

TEST_F(Offer, C30_IsSentAfterTheBridgeAllocatedAsControllingIceAgent) {
  statement(30, Kind::kJicofo,
            "allocates on the bridge, as the controlling ICE agent, before it sends the offer");
  bridge().mood = BridgeMood::kHolds;
  enter("alice");
  enter("bob");
  stage().advance(seconds{5});
  EXPECT_EQ(count("alice", JingleAction::kSessionInitiate), 0U);
  const auto create = position([](const auto& sent) { return is_create(sent, "alice"); });
  ASSERT_LT(create, stage().sent.size());
  stage().release("jvb1");
  const auto invite = position(
      [](const auto& sent) { return is_jingle_to(sent, "alice", JingleAction::kSessionInitiate); });
  EXPECT_LT(create, invite);
  EXPECT_LT(invite, stage().sent.size());
  const proto::Endpoint endpoint = bridge_told("alice").at(0);
  ASSERT_TRUE(endpoint.transport);
  EXPECT_TRUE(endpoint.transport->ice_controlling);
  const proto::ConferenceModify message{.meeting_id = "m", .endpoints = {endpoint}};
  const xml::Element encoded = proto::encode(message);
  const auto* transport = encoded.children.at(0).child("transport", "jitsi:colibri2");
  ASSERT_NE(transport, nullptr);
  EXPECT_EQ(transport->attribute("ice-controlling"), "true");
}

}  // namespace
}  // namespace bascule::conformance
