// What a few stanzas mean, field by field: the golden files prove only that nothing is lost.

#include <gtest/gtest.h>

#include "xmpp/proto/message.h"
#include "xmpp/proto/muc.h"
#include "xmpp/proto/request.h"
#include "xmpp/xml/parser.h"

namespace bascule::proto {
namespace {

xml::Element parsed(std::string_view text) {
  auto element = xml::parse(text);
  EXPECT_TRUE(element.has_value()) << text;
  return element ? std::move(*element) : xml::Element{};
}

Jid jid(std::string_view text) {
  return *Jid::parse(text);
}

TEST(StanzaError, MakesTheTypeTheRfcNames) {
  EXPECT_EQ(make_error(Condition::kBadRequest).type, ErrorType::kModify);
  EXPECT_EQ(make_error(Condition::kNotAuthorized).type, ErrorType::kAuth);
  EXPECT_EQ(make_error(Condition::kResourceConstraint).type, ErrorType::kWait);
  EXPECT_EQ(make_error(Condition::kServiceUnavailable).type, ErrorType::kCancel);
  EXPECT_EQ(to_string(Condition::kUnexpectedRequest), "unexpected-request");
  for (int i = 0; i <= static_cast<int>(Condition::kUnexpectedRequest); ++i) {
    const StanzaError error = make_error(static_cast<Condition>(i), "text");
    EXPECT_EQ(decode_stanza_error(encode(error)), error) << i;
  }
}

TEST(StanzaError, AnUnknownConditionIsUndefined) {
  const auto error = decode_stanza_error(
      parsed("<error xmlns='jabber:client'>"
             "<brand-new xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"));
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->condition, Condition::kUndefinedCondition);
  EXPECT_EQ(error->type, ErrorType::kCancel);
}

TEST(Iq, AnswersSwapTheAddresses) {
  const IqEnvelope request{
      .from = jid("a@b.test/c"), .to = jid("focus.b.test"), .id = "7", .type = IqType::kSet};
  const auto result = decode_iq_envelope(encode_iq_result(request));
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->from, request.to);
  EXPECT_EQ(result->to, request.from);
  EXPECT_EQ(result->id, "7");
  EXPECT_EQ(result->type, IqType::kResult);
  const xml::Element error = encode_iq_error(request, make_unknown_session_error());
  EXPECT_EQ(decode_iq_envelope(error)->type, IqType::kError);
  const auto decoded = decode_iq_error(error);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->condition, Condition::kItemNotFound);
  EXPECT_TRUE(is_unknown_session(*decoded));
  EXPECT_FALSE(is_unknown_session(make_out_of_order_error("late")));
  EXPECT_EQ(iq_payload(error), nullptr);
}

TEST(Request, AKnownPayloadInTheWrongTypeIsUnknown) {
  const auto request = decode_request(
      parsed("<iq xmlns='jabber:client' type='get' id='1'>"
             "<jingle xmlns='urn:xmpp:jingle:1' action='session-info' sid='s'/></iq>"));
  ASSERT_TRUE(request.has_value());
  ASSERT_TRUE(std::holds_alternative<UnknownRequest>(*request));
  EXPECT_EQ(std::get<UnknownRequest>(*request).type, IqType::kGet);
}

TEST(Request, IndexNamesTheAlternative) {
  EXPECT_EQ(request_index_of<UnknownRequest>(), 0U);
  EXPECT_EQ(request_index_of<Ping>(), Request(Ping{}).index());
  EXPECT_EQ(request_index_of<Jingle>(), Request(Jingle{}).index());
  EXPECT_EQ(request_index_of<PubsubRequest>(), Request(PubsubRequest(PubsubPurge{})).index());
  EXPECT_EQ(encode_request(ConferenceModify{.meeting_id = "m"}).type, IqType::kGet);
  EXPECT_EQ(encode_request(MucAdminSet{}).type, IqType::kSet);
}

TEST(Answer, AnUnexpectedPayloadIsUnknown) {
  const auto iq = parsed("<iq xmlns='jabber:client' type='result' id='1'><x xmlns='u'/></iq>");
  const auto answer = decode_answer(iq, request_index_of<Ping>());
  ASSERT_TRUE(answer.has_value());
  EXPECT_TRUE(std::holds_alternative<UnknownAnswer>(*answer));
  EXPECT_FALSE(decode_answer(iq, request_index_of<ConferenceModify>()).has_value());
}

TEST(Muc, ReadsAParticipant) {
  const auto presence = decode_muc_presence(parsed(
      "<presence xmlns='jabber:client' from='r@c.test/3f9c01aa'><audiomuted>true</audiomuted>"
      "<jitsi_participant_region>eu</jitsi_participant_region><features/>"
      "<x xmlns='http://jabber.org/protocol/muc#user'>"
      "<item affiliation='admin' role='moderator' jid='8b1f@a.test/Q'/><status code='110'/></x>"
      "</presence>"));
  ASSERT_TRUE(presence.has_value());
  EXPECT_EQ(presence->type, PresenceType::kAvailable);
  EXPECT_TRUE(presence->is_self());
  EXPECT_FALSE(presence->has_status(kStatusKicked));
  ASSERT_EQ(presence->items.size(), 1U);
  EXPECT_EQ(presence->items[0].affiliation, Affiliation::kAdmin);
  EXPECT_EQ(presence->items[0].role, Role::kModerator);
  EXPECT_EQ(presence->items[0].jid, jid("8b1f@a.test/Q"));
  EXPECT_EQ(presence->participant.audio_muted, true);
  EXPECT_EQ(presence->participant.video_muted, std::nullopt);
  EXPECT_EQ(presence->participant.region, "eu");
  EXPECT_EQ(presence->participant.features, std::set<std::string>{});
  EXPECT_FALSE(presence->join.has_value());
  EXPECT_FALSE(presence->colibri_stats.has_value());
}

TEST(Muc, AnErrorWithoutDetailsHasOne) {
  const auto presence = decode_muc_presence(
      parsed("<presence xmlns='jabber:client' type='error' from='r@c.test/n'/>"));
  ASSERT_TRUE(presence.has_value());
  ASSERT_TRUE(presence->error.has_value());
  EXPECT_EQ(presence->error->condition, Condition::kUndefinedCondition);
}

TEST(Muc, ReadsTheActorByNickOrAddress) {
  const auto presence = decode_muc_presence(
      parsed("<presence xmlns='jabber:client'><x xmlns='http://jabber.org/protocol/muc#user'>"
             "<item><actor jid='a@b.test'/></item><item><actor jid='a@b.test' nick='n'/></item>"
             "</x></presence>"));
  ASSERT_TRUE(presence.has_value());
  EXPECT_EQ(presence->items[0].actor, "a@b.test");
  EXPECT_EQ(presence->items[1].actor, "n");
}

TEST(MucAdmin, FormsAnswerByName) {
  const DataForm form{
      .fields = {{.var = "a", .values = {"1"}}, {.var = "b", .values = {"false"}}, {.var = "c"}}};
  EXPECT_EQ(form.value("a"), "1");
  EXPECT_EQ(form.boolean("a"), true);
  EXPECT_EQ(form.boolean("b"), false);
  EXPECT_EQ(form.value("c"), std::nullopt);
  EXPECT_EQ(form.boolean("d"), std::nullopt);
}

TEST(Colibri2, ReadsTheErrorOfABridge) {
  const Colibri2Error unknown{.reason = Colibri2Reason::kUnknownEndpoint, .endpoint_id = "b07c"};
  const StanzaError stanza_error =
      make_error(Condition::kItemNotFound, "no such endpoint", encode(unknown));
  EXPECT_EQ(decode_colibri2_error(stanza_error), unknown);
  EXPECT_EQ(decode_colibri2_error(make_error(Condition::kItemNotFound)), std::nullopt);
  StanzaError odd = make_error(Condition::kConflict, {}, encode(Colibri2Error{}));
  odd.application[0].set("reason", "CONFERENCE_ALREADY_EXISTS");
  EXPECT_EQ(decode_colibri2_error(odd)->reason, Colibri2Reason::kConferenceAlreadyExists);
  odd.application[0].set("reason", "full moon");
  EXPECT_EQ(decode_colibri2_error(odd)->reason, Colibri2Reason::kUnspecified);
}

TEST(Colibri2, AbsentAndEmptySourcesDiffer) {
  const auto modify = decode_conference_modify(
      parsed("<conference-modify xmlns='jitsi:colibri2' meeting-id='m'>"
             "<endpoint id='a'><sources/></endpoint><endpoint id='b'><force-mute/></endpoint>"
             "</conference-modify>"));
  ASSERT_TRUE(modify.has_value());
  EXPECT_EQ(modify->endpoints[0].sources, Sources{});
  EXPECT_EQ(modify->endpoints[1].sources, std::nullopt);
  EXPECT_EQ(modify->endpoints[1].force_mute, ForceMute{});
  EXPECT_EQ(modify->endpoints[0].force_mute, std::nullopt);
  EXPECT_TRUE(modify->rtcstats_enabled);
}

TEST(Jingle, CollectsAndSpreadsSources) {
  SourceMap map;
  map[EndpointId("a")] = EndpointSources{
      .audio = {{.ssrc = Ssrc(1), .name = "a-a0", .msid = "s t"}},
      .video = {{.ssrc = Ssrc(2), .name = "a-v0", .video_type = VideoType::kCamera}},
      .video_groups = {{.semantics = GroupSemantics::kFid, .ssrcs = {Ssrc(2), Ssrc(3)}}}};
  map[EndpointId("b")] = EndpointSources{.audio = {{.ssrc = Ssrc(4)}}};
  const std::vector<Content> contents = make_source_contents(map);
  ASSERT_EQ(contents.size(), 2U);
  EXPECT_EQ(contents[0].name, "audio");
  EXPECT_EQ(contents[1].name, "video");
  EXPECT_EQ(contents[0].description->sources[1].owner, "b");
  const EndpointSources collected = collect_sources(contents);
  EXPECT_EQ(collected.audio.size(), 2U);
  EXPECT_EQ(collected.video[0].owner, "a");
  EXPECT_EQ(collected.video_groups, map[EndpointId("a")].video_groups);
  EXPECT_TRUE(collect_sources({Content{.name = "data"}}).empty());
  EXPECT_TRUE(make_source_contents({}).empty());
}

TEST(Jingle, KeepsTheTextOfAnUnknownAction) {
  const auto jingle =
      decode_jingle(parsed("<jingle xmlns='urn:xmpp:jingle:1' action='session-dance' sid='s'/>"));
  ASSERT_TRUE(jingle.has_value());
  EXPECT_EQ(jingle->action, JingleAction::kUnknown);
  EXPECT_EQ(jingle->unknown_action, "session-dance");
}

TEST(Pubsub, ReadsBothItemFormats) {
  const auto event = decode_pubsub_event(
      parsed("<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='n'>"
             "<item id='jvb1.a.test'><stats xmlns='http://jitsi.org/protocol/colibri'>"
             "<stat name='stress_level' value='0.5'/></stats></item>"
             "<item id='jvb2.a.test'><service-unavailable/></item>"
             "<item id='x'><y xmlns='u'/></item><item/></items></event>"));
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->node, "n");
  const auto& items = std::get<PubsubItemsPublished>(event->what).items;
  ASSERT_EQ(items.size(), 4U);
  EXPECT_EQ(std::get<ColibriStats>(items[0].payload).stress_level(), Stress(500'000));
  EXPECT_TRUE(std::holds_alternative<BridgeOffline>(items[1].payload));
  EXPECT_TRUE(std::holds_alternative<xml::Element>(items[2].payload));
  EXPECT_TRUE(std::holds_alternative<std::monostate>(items[3].payload));
  EXPECT_EQ(items[3].id, std::nullopt);
}

TEST(Conference, SessionInvalidIsWhatClientsLookFor) {
  const StanzaError error = make_session_invalid_error();
  EXPECT_EQ(error.condition, Condition::kNotAcceptable);
  EXPECT_NE(error.find_application("session-invalid", kFocusNamespace), nullptr);
}

}  // namespace
}  // namespace bascule::proto
