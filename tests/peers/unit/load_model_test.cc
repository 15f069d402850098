#include "tests/peers/bridgesim/load_model.h"

#include <gtest/gtest.h>

#include "tests/peers/common/stanza.h"

namespace bascule::peers {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class LoadModelTest : public testing::Test {
 protected:
  /// `count` connected endpoints that send video, in one conference.
  void fill(int count) {
    xml::Element create = element("conference-modify", ns::kColibri2,
                                  {{"meeting-id", "m"}, {"create", "true"}, {"name", "r@c.x"}});
    ASSERT_FALSE(colibri_.admit(create, false, now_));
    for (int i = 0; i < count; ++i) {
      const std::string id = "e" + std::to_string(i);
      xml::Element add = element("conference-modify", ns::kColibri2, {{"meeting-id", "m"}});
      xml::Element& endpoint =
          add.add(element("endpoint", ns::kColibri2, {{"id", id}, {"create", "true"}}));
      endpoint.add(element("transport", ns::kColibri2));
      endpoint.add(element("capability", ns::kColibri2, {{"name", "source-names"}}));
      endpoint.add(element("sources", ns::kColibri2))
          .add(element("media-source", ns::kColibri2, {{"type", "video"}, {"id", id + "-v0"}}));
      xml::Element connect = element("conference-modify", ns::kColibri2, {{"meeting-id", "m"}});
      connect.add(element("endpoint", ns::kColibri2, {{"id", id}}))
          .add(element("transport", ns::kColibri2))
          .add(element("transport", ns::kIce, {{"ufrag", "u"}, {"pwd", "p"}}));
      for (const xml::Element& request : {add, connect}) {
        const auto reply = colibri_.process(request, now_);
        ASSERT_TRUE(reply);
        ASSERT_FALSE(reply->error) << reply->error->text;
        ASSERT_TRUE(reply->wrong.empty());
      }
    }
  }
  void pass(seconds time) {
    for (const SteadyTime end = now_ + time; now_ < end;) {
      now_ += milliseconds(100);
      load_.step(colibri_, now_);
    }
  }

  BridgeIdentity identity_{
      .id = 1, .nick = "jvb1", .ip = "203.0.113.1", .port = 10001, .fingerprint = "AB"};
  Colibri colibri_{identity_, 7};
  SteadyTime now_{seconds(1000)};
  LoadModel load_{100, 0, 3, now_};
};

TEST_F(LoadModelTest, RampsUpAndIsSeenLate) {
  fill(50);
  pass(seconds(1));
  // The join impulse: 50 joins of 1.5 endpoint-seconds within one second.
  EXPECT_GT(load_.true_stress(), 0.7);
  pass(seconds(3));
  EXPECT_LT(load_.true_stress(), 0.4);
  pass(seconds(20));
  // More than twenty senders cost 1.6 units each: 50 * 1.6 / 100.
  EXPECT_NEAR(load_.true_stress(), 0.8, 0.001);
  EXPECT_LE(load_.measured_stress(), load_.true_stress() + 0.05);
  pass(seconds(20));
  EXPECT_NEAR(load_.measured_stress(), 0.8, 0.1);
}

TEST_F(LoadModelTest, MeasuresAtMostWhatCanBeMeasuredAndDiesOfMore) {
  fill(110);
  pass(seconds(25));
  EXPECT_NEAR(load_.true_stress(), 1.76, 0.001);
  EXPECT_LT(load_.measured_stress(), 1.25);
  EXPECT_GT(load_.slowdown(), 10);
  EXPECT_TRUE(load_.fatal(now_));
  load_.reset(now_);
  EXPECT_FALSE(load_.fatal(now_));
  EXPECT_EQ(load_.measured_stress(), 0);
}

}  // namespace
}  // namespace bascule::peers
