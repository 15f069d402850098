#include "admin/jicofo_routes.h"

#include <gmock/gmock.h>

#include "focus/member_features.h"
#include "tests/unit/admin/jicofo_stage.h"

namespace bascule::admin {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using testing::ElementsAre, testing::HasSubstr, testing::UnorderedElementsAreArray;

class JicofoRoutesTest : public JicofoStage {
 protected:
  JicofoRoutesTest() {
    add_jicofo_routes(router, {.focus = [this]() -> const focus::Focus& { return stage.focus; },
                               .now = [this] { return stage.now; },
                               .health = [this] { return health; },
                               .threads = [] { return 3U; },
                               .later =
                                   [this](std::function<void()> work) {
                                     if (held) {
                                       waiting.push_back(std::move(work));
                                     } else {
                                       work();
                                     }
                                   }});
  }
  static std::vector<std::string> names(const json& object) {
    std::vector<std::string> all;
    for (const auto& [name, value] : object.items()) {
      all.push_back(name);
    }
    return all;
  }

  Health health{.ready = true, .problems = {}};
  bool held = false;  // What is for later waits in `waiting`.
  std::deque<std::function<void()>> waiting;
};

TEST_F(JicofoRoutesTest, StatsTellWhatTheSidecarWeighsAShardBy) {
  stage.meet("tea", {"alice", "bob", "carol"});
  const json stats = get("/stats");
  EXPECT_EQ(stats.at("participants"), 3);
  EXPECT_EQ(stats.at("conferences"), 1);
  EXPECT_EQ(stats.at("bridge_selector").at("bridge_count"), 2);
  EXPECT_EQ(stats.at("jingle").at("sent").at("SESSION_INITIATE"), 3);
  EXPECT_EQ(stats.at("jingle").at("received").at("SESSION_ACCEPT"), 3);
  EXPECT_EQ(stats.at("healthy"), true);
  health = {.ready = false, .problems = {"a", "b: c"}};
  EXPECT_EQ(get("/stats").at("health").at("message"), "a; b: c");
}

TEST_F(JicofoRoutesTest, MetricsFollowTheHeader) {
  EXPECT_THAT(ask("GET", "/metrics/jicofo").body, HasSubstr("jitsi_jicofo_threads 3\n"));
}

TEST_F(JicofoRoutesTest, RtcstatsHasConferencesByMeetingUnlessTheyForbidIt) {
  stage.meet("tea", {"alice", "bob"});
  const json all = get("/rtcstats");
  ASSERT_THAT(names(all), ElementsAre("meeting-tea"));
  const json& tea = all.at("meeting-tea");
  EXPECT_EQ(tea.at("name"), kTea);
  EXPECT_EQ(tea.at("config").at("rtcstatsEnabled"), true);
  ASSERT_THAT(names(tea.at("participants")), ElementsAre("alice", "bob"));
  const json& alice = tea.at("participants").at("alice");
  EXPECT_FALSE(alice.contains("source_signaling"));
  EXPECT_EQ(alice.at("jingle_session").at("state"), "ACTIVE");
  EXPECT_EQ(alice.at("jingle_session").at("sid"), stage.client("tea", "alice").sid);

  proto::ConferenceRequest quiet = focus::Stage::request_for("quiet");
  quiet.properties["rtcstatsEnabled"] = "false";
  stage.iq(StreamId::kRequests, "carol@example.net/web", quiet);
  stage.advance(seconds{1});
  EXPECT_EQ(stage.focus.conference_count(), 2U);
  EXPECT_THAT(names(get("/rtcstats")), ElementsAre("meeting-tea"));
}

TEST_F(JicofoRoutesTest, OneConferenceIsToldWithJicofosKeys) {
  stage.meet("tea", {"alice", "bob"});
  const json tea = get("/debug/conference/tea%40conference.example.net");
  EXPECT_THAT(names(tea), UnorderedElementsAreArray({"name",
                                                     "meeting_id",
                                                     "config",
                                                     "chat_room",
                                                     "participants",
                                                     "chat_room_role_manager",
                                                     "started",
                                                     "start_audio_muted",
                                                     "start_video_muted",
                                                     "colibri_session_manager",
                                                     "conference_properties",
                                                     "include_in_statistics",
                                                     "conference_sources",
                                                     "audio_limit_reached",
                                                     "video_limit_reached",
                                                     "visitor_count",
                                                     "visitor_codecs",
                                                     "participant_count",
                                                     "jibri_count",
                                                     "jigasi_count",
                                                     "transcriber_count"}));
  EXPECT_THAT(
      names(tea.at("chat_room")),
      UnorderedElementsAreArray({"room_jid", "my_occupant_jid", "members", "audio_senders_count",
                                 "video_senders_count", "lobby_enabled", "participants_soft_limit",
                                 "participants", "moderators", "visitors_enabled", "visitors_live",
                                 "av_moderation"}));
  const json& member = tea.at("chat_room").at("members").at("alice");
  EXPECT_THAT(names(member),
              UnorderedElementsAreArray({"region", "occupant_jid", "jid", "is_jibri", "is_jigasi",
                                         "is_transcriber", "role", "video_codecs", "stats_id",
                                         "is_audio_muted", "is_video_muted", "diarize", "features",
                                         "capsNodeVer"}));
  EXPECT_THAT(member.at("features"), testing::Contains("AUDIO"));
  EXPECT_EQ(member.at("occupant_jid"), std::string(kTea) + "/alice");
  const json& colibri = tea.at("colibri_session_manager");
  const std::string nick = *stage.bridge_of("tea", "alice");
  EXPECT_THAT(names(colibri.at("participants").at("alice")),
              UnorderedElementsAreArray({"id", "stats_id", "sources", "bridge", "audio_muted",
                                         "video_muted", "private_addresses", "ssrc_rewriting",
                                         "rtp_mid_demux", "visitor", "diarize"}));
  EXPECT_EQ(colibri.at("participants").at("alice").at("bridge"), bridge(nick));
  const json& session = colibri.at("sessions").at(nick);
  EXPECT_THAT(names(session),
              UnorderedElementsAreArray({"bridge", "id", "feedback_sources", "created",
                                         "recently_added_endpoints", "relays", "participants"}));
  EXPECT_EQ(session.at("id"), *stage.client("tea", "alice").bridge_session);
  EXPECT_EQ(session.at("participants"), json({"alice", "bob"}));
  EXPECT_FALSE(tea.at("conference_sources").at("alice").at("video").empty() &&
               tea.at("conference_sources").at("alice").at("audio").empty());
  EXPECT_TRUE(tea.at("participants").at("alice").contains("source_signaling"));
}

TEST_F(JicofoRoutesTest, AConferenceThatIsNotThereIsEmptyAndABadNameIsRefused) {
  EXPECT_EQ(get("/debug/conference/none%40conference.example.net"), json::object());
  for (const char* bad : {"/debug/conference/none", "/debug/conference/a%40b%2Fc"}) {
    const HttpResponse response = ask("GET", bad);
    EXPECT_EQ(response.status, 400U) << bad;
    EXPECT_THAT(detail(response), HasSubstr("name@conference.example.net"));
  }
}

TEST_F(JicofoRoutesTest, DebugTellsBridgesAndConferencesInShortOrInFull) {
  stage.meet("tea", {"alice", "bob"});
  stage.meet("cake", {"carol", "dave", "eve"});
  const json debug = get("/debug");
  EXPECT_EQ(debug.at("focus_manager"), json({{kTea, 2}, {"cake@conference.example.net", 3}}));
  const json& told = debug.at("bridge_selector").at("bridge").at(bridge("jvb1"));
  EXPECT_THAT(names(told),
              UnorderedElementsAreArray(
                  {"corrected-stress", "drain", "endpoints", "endpoint-restart-requests",
                   "failing-ice", "graceful-shutdown", "healthy", "operational", "overloaded",
                   "region", "relay-id", "release", "shutting-down", "stress", "version"}));
  EXPECT_EQ(told.at("region"), "null");
  EXPECT_EQ(debug.at("conference_iq_handler").at("focus_auth_jid"), "focus@auth.example.net");
  EXPECT_EQ(debug.at("jibri_detector"), nullptr);
  const json full = get("/debug", "full=true");
  EXPECT_EQ(full.at("focus_manager").at(kTea).at("meeting_id"), "meeting-tea");
  EXPECT_EQ(get("/debug", "full=yes").at("focus_manager").at(kTea), 2) << "only the exact word";
  EXPECT_EQ(ask("GET", "/debug", "all=true").status, 400U);
  EXPECT_EQ(get("/debug/conferences"), json({"cake@conference.example.net", kTea}));
  EXPECT_EQ(get("/debug/conferences-full").at(kTea), full.at("focus_manager").at(kTea));
}

TEST_F(JicofoRoutesTest, NothingIsAnEmptyObject) {
  EXPECT_EQ(get("/rtcstats"), json::object());
  EXPECT_EQ(get("/debug").at("focus_manager"), json::object());
  EXPECT_EQ(get("/debug/conferences"), json::array());
}

TEST_F(JicofoRoutesTest, CapabilitiesAreCountedByTheirHash) {
  proto::DiscoInfo info;  // What clients of the stage answer.
  info.features = {"urn:xmpp:jingle:apps:rtp:audio", "urn:xmpp:jingle:apps:rtp:video",
                   "http://jitsi.org/json-encoded-sources"};
  const std::string ver = focus::caps_verification(info);
  stage.caps = proto::Caps{.node = "http://jitsi.org/meet", .ver = ver, .hash = "sha-1"};
  stage.meet("tea", {"alice", "bob"});
  stage.meet("cake", {"carol"});
  const json expected = {
      {"http://jitsi.org/meet#" + ver,
       {{"count", 3}, {"features", json::array({"AUDIO", "VIDEO", "JSON_SOURCES"})}}}};
  EXPECT_EQ(get("/debug/xmpp-caps"), expected);
  stage.caps->ver = "bm9ib2R5";  // A hash nobody's answer has.
  stage.meet("milk", {"mallory", "eve"});
  EXPECT_EQ(get("/debug/xmpp-caps"), expected);
}

TEST_F(JicofoRoutesTest, ManyConferencesAreToldInSlicesAndOnlyToOneAtATime) {
  for (int i = 0; i < 30; ++i) {
    stage.meet("room" + std::to_string(i), {"a" + std::to_string(i), "b" + std::to_string(i)});
  }
  held = true;
  HttpResponse first;
  first.status = 0;
  router.handle(
      {.method = "GET", .path = "/rtcstats", .query = {}, .authorization = {}, .body = {}},
      [&first](HttpResponse response) { first = std::move(response); });
  EXPECT_EQ(first.status, 0U) << "the event loop gets a turn first";
  ASSERT_EQ(waiting.size(), 1U);
  const HttpResponse second = ask("GET", "/debug");
  EXPECT_EQ(second.status, 503U);
  EXPECT_THAT(second.headers, testing::Contains(testing::Pair("Retry-After", "1")));
  stage.leave("room29", "a29");
  stage.leave("room29", "b29");
  stage.advance(seconds{1});
  while (!waiting.empty()) {
    const auto work = std::move(waiting.front());
    waiting.pop_front();
    work();
  }
  EXPECT_EQ(json::parse(first.body).size(), 29U) << "the one that ended meanwhile is left out";
  held = false;
  EXPECT_EQ(get("/debug").at("focus_manager").size(), 29U);
}

}  // namespace
}  // namespace bascule::admin
