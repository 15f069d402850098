// The vectors of source validation, each through codecs, session, source map and announcement.

#include <ostream>
#include <string>
#include <vector>

#include "focus/jingle_session.h"
#include "meeting.h"

namespace bascule::conformance {
namespace {

enum class Deed { kAdd, kRemove };

/// What an answer has to be, unless it is the text of an error.
const std::string kOk = "ok";              // Result, and the others are told.
const std::string kNothing = "nothing";    // Result, and nobody is told anything.
const std::string kBadRequest = "(some)";  // bad-request with a text of its own.

struct Step {
  std::string who;
  Deed deed;
  std::string contents;
  std::string expected;
};

struct Vector {
  std::string id;  // Of the list; further parts of one vector have a number behind it.
  std::vector<Step> steps;
  std::string told;  // The last message a third participant got; empty: not looked at.
  std::size_t sources_max = 20;
  std::size_t groups_max = 20;
};

std::ostream& operator<<(std::ostream& out, const Vector& vector) {
  return out << vector.id;
}

Step adds(const std::string& who, const std::vector<Word>& words, const std::string& expected) {
  return {who, Deed::kAdd, contents(words), expected};
}

Step removes(const std::string& who, const std::vector<Word>& words, const std::string& expected) {
  return {who, Deed::kRemove, contents(words), expected};
}

std::vector<Word> cameras(std::uint32_t first, std::uint32_t last, const std::string& msid) {
  std::vector<Word> words;
  for (std::uint32_t ssrc = first; ssrc <= last; ++ssrc) {
    words.push_back(v(ssrc, msid));
  }
  return words;
}

std::vector<Word> microphones(std::uint32_t first, std::uint32_t last) {
  std::vector<Word> words;
  for (std::uint32_t ssrc = first; ssrc <= last; ++ssrc) {
    words.push_back(a(ssrc));
  }
  return words;
}

std::vector<Word> video_of_base() {
  auto words = base_set();
  std::erase_if(words, [](const Word& word) { return word.media == Media::kAudio; });
  return words;
}

std::vector<Word> sources_of_base() {
  return joined(cameras(1, 6, "m"), {a(7)});
}

const std::vector<Word>& groups_of_base() {
  static const std::vector<Word> kGroups = {sim({1, 2, 3}), fid({1, 4}), fid({2, 5}), fid({3, 6})};
  return kGroups;
}

std::string invalid(const std::string& ssrc) {
  return "Invalid SSRC: " + ssrc + ".";
}
std::string used(std::uint32_t ssrc) {
  return "SSRC is already used: " + std::to_string(ssrc) + ".";
}
std::string unknown_in(const std::string& group) {
  return "An SSRC group contains an SSRC, which hasn't been signaled as a source: " + group + ".";
}
const char* const kMsidConflict = "MSID is already used: m.";
const char* const kBaseJson =
    R"("e1":[[{"s":1,"m":"m"},{"s":2,"m":"m"},{"s":3,"m":"m"},{"s":4,"m":"m"},{"s":5,"m":"m"},)"
    R"({"s":6,"m":"m"}],[["s",1,2,3],["f",1,4],["f",2,5],["f",3,6]],[{"s":7}]])";

std::string json(const std::string& sign, const std::string& sources) {
  return sign + R"({"sources":{)" + sources + "}}";
}

std::vector<Vector> adding() {
  const auto base = base_set();
  return {
      {"A1", {adds("e1", {}, kNothing)}},
      {"A2", {adds("e1", base, kOk)}, json("+", kBaseJson)},
      {"A3", {adds("e1", video_of_base(), kOk), adds("e1", {a(7)}, kOk)}},
      {"A3_2", {adds("e1", {a(7)}, kOk), adds("e1", video_of_base(), kOk)}},
      {"A4",
       {adds("e1", base, kOk),
        adds("e2", {v(101, "n"), v(102, "n"), a(103), fid({101, 102})}, kOk)}},
      {"A5",
       {adds("e1", {raw_source(Media::kAudio, "ssrc='0'")}, invalid("0")),
        adds("e1", {raw_source(Media::kAudio, "")}, invalid("-1")),
        adds("e1", {raw_source(Media::kAudio, "ssrc='4294967296'")}, invalid("4294967296"))}},
      {"A6", {adds("e1", {a(1), a(4294967295)}, kOk)}},
      {"A7", {adds("e1", {raw_source(Media::kAudio, "rid='1'")}, invalid("-1"))}},
      {"A8", {adds("e1", base, "SSRC limit (4) exceeded.")}, "", 4},
      {"A9",
       {adds("e1", joined(cameras(1, 3, "m"), {sim({1, 2, 3})}), kOk),
        adds("e1", joined(cameras(4, 6, "m"), {fid({1, 4}), fid({2, 5}), fid({3, 6})}),
             "SSRC limit (4) exceeded."),
        removes("e1", joined(cameras(1, 3, "m"), {sim({1, 2, 3})}), kOk)},
       "",
       4},
      {"A10", {adds("e1", microphones(1, 20), kOk)}},
      {"A10_2", {adds("e1", microphones(1, 21), "SSRC limit (20) exceeded.")}},
      {"A11", {adds("e1", base, "ssrc-group limit (2) exceeded.")}, "", 20, 2},
      {"A12", {adds("e1", base, kOk), adds("e1", {sim({1, 2, 3})}, kNothing)}},
      {"A13",
       {adds("e1", {a(1)}, kOk), adds("e1", {a(1, "x")}, used(1)),
        adds("e1", {v(1, "x")}, used(1))}},
      {"A14",
       {adds("e1", {a(1)}, kOk), adds("e2", {a(1, "x")}, used(1)),
        adds("e2", {v(1, "x")}, used(1))}},
      {"A15",
       {adds("e1", {v(1, "m"), v(1, "m")}, kOk)},
       json("+", R"("e1":[[{"s":1,"m":"m"}],[],[]])")},
      {"A16", {adds("e1", {a(1, "x"), v(1, "y")}, used(1))}},
      {"A17",
       {adds("e1", {v(1), v(2), v(3), sim({1, 2, 3})},
             "Required source parameter 'msid' is not present.")}},
      {"A18",
       {adds("e1", {v(1, "m"), v(2, "m"), v(3, "x"), sim({1, 2, 3})},
             "SsrcGroup contains sources with different MSIDs: [1, 2, 3].")}},
      {"A19", {adds("e1", {v(1, "m"), fid({1, 2})}, unknown_in("[1, 2]"))}},
      {"A20",
       {adds("e1", {v(1, "m")}, kOk),
        adds("e2", {v(201, "n"), fid({1, 201})}, unknown_in("[1, 201]"))}},
      {"A21",
       {adds("e1", joined(cameras(1, 3, "m"), {fid({1, 2, 3})}), "Invalid FID group: [1, 2, 3]."),
        adds("e1", {v(1, "m"), fid({1})}, "Invalid FID group: [1].")}},
  };
}

std::vector<Vector> adding_groups_and_forms() {
  const std::string audio_in_video =
      "<content name='video'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'>" +
      a(1).xml + "</description></content>";
  const std::string direct = "<content name='video'>" + v(1, "m").xml + "</content>";
  const auto base = base_set();
  return {
      {"A22",
       {adds("e1", joined(cameras(1, 3, "m"), {sim({1, 2, 3}), sim({}), fid({})}), kOk)},
       json("+", R"("e1":[[{"s":1,"m":"m"},{"s":2,"m":"m"},{"s":3,"m":"m"}],[["s",1,2,3]],[]])")},
      {"A23", {adds("e1", {v(1, "m")}, kOk), adds("e2", {v(2, "m")}, kMsidConflict)}},
      {"A24", {adds("e1", {v(1, "m")}, kOk), adds("e1", {v(2, "m")}, kMsidConflict)}},
      {"A25", {adds("e1", {v(1, "m"), v(2, "m")}, kMsidConflict)}},
      {"A26",
       {adds("e1", {v(1, "m"), v(2, "m"), v(4, "m"), v(5, "m"), fid({1, 4}), fid({2, 5})},
             kMsidConflict)}},
      {"A27", {adds("e1", joined(cameras(1, 4, "m"), {sim({1, 2}), sim({3, 4})}), kMsidConflict)}},
      {"A28", {adds("e1", {v(1), v(2), v(3), a(4), a(5)}, kOk)}},
      {"A29", {adds("e1", {a(1), v(2)}, kOk)}},
      {"A29_2", {adds("e1", {v(1, "m"), a(111, "m")}, kOk)}},
      {"A29_3", {adds("e1", joined(base, {a(111, "m")}), kOk)}},
      {"A30",
       {adds("e1", {v(1, "m")}, kOk), adds("e1", {v(2, "m"), fid({1, 2})}, kOk)},
       json("+", R"("e1":[[{"s":2,"m":"m"}],[["f",1,2]],[]])")},
      {"A31", {adds("e1", {v(1, "m"), sim({1})}, kOk)}},
      {"A32",
       {adds("e1", {v(1, "m"), v(2, "m"), group("sim", {1, 2})}, kOk),
        adds("e1", {v(3, "n"), v(4, "n"), group("Fid", {3, 4})}, kOk)}},
      {"A33", {adds("e1", {v(1, "m"), v(2, "m"), group("FEC-FR", {1, 2})}, kBadRequest)}},
      {"A34",
       {adds("e1", {v(1, "m", "videoType='Desktop'")}, kOk)},
       json("+", R"("e1":[[{"s":1,"m":"m","v":"d"}],[],[]])")},
      {"A34_2",
       {adds("e1", {v(1, "m", "videoType='desktop_high_fps'")}, kOk)},
       json("+", R"("e1":[[{"s":1,"m":"m","v":"d"}],[],[]])")},
      {"A34_3", {adds("e1", {v(1, "m", "videoType='foo'")}, kBadRequest)}},
      {"A35", {adds("e1", {raw_source(Media::kAudio, "ssrc='abc'")}, kBadRequest)}},
      {"A36",
       {adds("e1",
             joined(joined(cameras(1, 6, "m"), groups_of_base()),
                    {v(11, "d", "videoType='desktop' name='x-v1'"),
                     v(12, "d", "videoType='desktop' name='x-v1'"), fid({11, 12})}),
             kOk)}},
      {"A37", {adds("pending", {a(1)}, kOk)}},
      {"A39", {{"e1", Deed::kAdd, audio_in_video, kOk}}, json("+", R"("e1":[[],[],[{"s":1}]])")},
      {"A40", {{"e1", Deed::kAdd, direct, kOk}}, json("+", R"("e1":[[{"s":1,"m":"m"}],[],[]])")},
  };
}

std::vector<Vector> removing() {
  const auto base = base_set();
  const Step given = adds("e1", base, kOk);
  const std::string missing = "Source does not exist or is not owned by endpoint ";
  return {
      {"R1", {given, removes("e1", {}, kNothing)}},
      {"R2", {given, removes("e1", base, kOk), removes("e1", base, kNothing)}},
      {"R3", {given, removes("e1", sources_of_base(), kOk)}, json("-", kBaseJson)},
      {"R4",
       {given, removes("e1", joined(joined(cameras(2, 6, "m"), {a(7)}), groups_of_base()), kOk),
        removes("e1", {v(1)}, kOk)},
       json("-", R"("e1":[[{"s":1,"m":"m"}],[],[]])")},
      {"R5", {given, removes("e2", base, missing + "null.")}},
      {"R6", {given, removes("e1", {a(1111)}, missing + "(ssrc=1111).")}},
      {"R7", {given, removes("e1", joined(base, {fid({1, 2})}), "Source group does not exist")}},
      {"R8", {given, removes("e1", {v(1), v(4), sim({1, 2, 3}), fid({1, 4})}, kMsidConflict)}},
      {"R9", {given, removes("e1", {v(1)}, kMsidConflict)}},
      {"R10",
       {given, removes("e1", {sim({1, 2, 3})}, kMsidConflict),
        removes("e1", {fid({1, 4})}, kMsidConflict),
        removes("e1", groups_of_base(), kMsidConflict)}},
      {"R11", {given, removes("e1", {v(7)}, kOk)}, json("-", R"("e1":[[],[],[{"s":7}]])")},
      {"R12",
       {adds("e1",
             joined(joined(cameras(1, 6, "m"), groups_of_base()),
                    {v(11, "d"), v(12, "d"), fid({11, 12})}),
             kOk),
        removes("e1", {v(11), v(12)}, kOk)},
       json("-", R"("e1":[[{"s":11,"m":"d"},{"s":12,"m":"d"}],[["f",11,12]],[]])")},
      {"R13", {given, removes("e1", base, kOk), adds("e2", base, kOk)}},
  };
}

class SourceVectors : public Meeting, public ::testing::WithParamInterface<Vector> {};

TEST_P(SourceVectors, AreAnswered) {
  statement(69, Kind::kJicofo,
            "answers each vector of source validation with its condition and class");
  auto options = Stage::make_options();
  options.offer.strip_simulcast = false;
  options.offer.max_sources_per_endpoint = GetParam().sources_max;
  options.offer.max_groups_per_endpoint = GetParam().groups_max;
  start(options);
  meet({"e1", "e2", "watcher"});
  if (GetParam().steps.front().who == "pending") {
    enter("pending");
    stage().advance(seconds{1});
    EXPECT_EQ(state("pending"), ParticipantState::kInviting);
  }
  for (const Step& step : GetParam().steps) {
    forget();
    const char* action = step.deed == Deed::kAdd ? "source-add" : "source-remove";
    const Reply reply = ask(step.who, jingle(action, sid(step.who), step.contents));
    const bool fine = step.expected == kOk || step.expected == kNothing;
    EXPECT_EQ(reply.is_result, fine) << reply.error.text;
    EXPECT_EQ(announced("watcher").empty(), step.expected != kOk);
    EXPECT_EQ(bridge_told(step.who).empty(), step.expected != kOk);
    if (!fine) {
      EXPECT_EQ(reply.error.condition, Condition::kBadRequest);
      EXPECT_EQ(reply.error.type, proto::ErrorType::kModify);
      EXPECT_FALSE(reply.error.text.empty());
      EXPECT_TRUE(step.expected == kBadRequest || reply.error.text == step.expected)
          << reply.error.text << "\nis not " << step.expected;
    }
  }
  if (!GetParam().told.empty()) {
    ASSERT_EQ(announced("watcher").size(), 1U);
    EXPECT_EQ(announced("watcher").front(), GetParam().told);
  }
}

std::string name_of(const ::testing::TestParamInfo<Vector>& info) {
  return "C69_" + info.param.id;
}

INSTANTIATE_TEST_SUITE_P(Adding, SourceVectors, ::testing::ValuesIn(adding()), name_of);
INSTANTIATE_TEST_SUITE_P(AddingForms, SourceVectors, ::testing::ValuesIn(adding_groups_and_forms()),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Removing, SourceVectors, ::testing::ValuesIn(removing()), name_of);

proto::Jingle request_of(JingleAction action) {
  proto::Jingle request{.action = action, .sid = "sid"};
  request.contents.push_back(
      {.name = "audio", .description = proto::RtpDescription{.sources = {{.ssrc = Ssrc(1)}}}});
  return request;
}

TEST_F(Sources, C69_A38) {
  also(69);
  focus::JingleSession session({}, focus::JingleSession::Sending::kForbidden);
  session.invite("sid", Instant{});
  const auto added = session.judge(request_of(JingleAction::kSourceAdd), {}, Instant{});
  EXPECT_EQ(std::get<focus::jingle::Refuse>(added).error.condition, Condition::kForbidden);
  const auto accepted = session.judge(request_of(JingleAction::kSessionAccept), {}, Instant{});
  EXPECT_EQ(std::get<focus::jingle::RejectAccept>(accepted).error.condition, Condition::kForbidden);
}

}  // namespace
}  // namespace bascule::conformance
