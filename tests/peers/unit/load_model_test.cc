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
  LoadParameters parameters_{.stress_per_unit = 0.01, .noise = 0, .dies = true};
  LoadModel load_{parameters_, 3, now_};
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

TEST_F(LoadModelTest, DiesByTheRulesOfItsParameters) {
  // 70 of more than twenty senders: 1.12 after the ramp, above 1.11 since its very end.
  fill(70);
  pass(seconds(16));
  EXPECT_FALSE(load_.fatal(now_));
  pass(seconds(8));
  EXPECT_FALSE(load_.fatal(now_));
  pass(seconds(4));
  EXPECT_TRUE(load_.fatal(now_));
  parameters_.death = 1.2;
  load_ = LoadModel(parameters_, 3, now_);
  pass(seconds(60));
  EXPECT_NEAR(load_.true_stress(), 1.12, 0.001);
  EXPECT_FALSE(load_.fatal(now_));
  parameters_.sudden_death = 1.1;
  parameters_.sudden_death_after = milliseconds(500);
  load_ = LoadModel(parameters_, 3, now_);
  pass(seconds(1));
  EXPECT_TRUE(load_.fatal(now_));
  parameters_.dies = false;
  load_ = LoadModel(parameters_, 3, now_);
  pass(seconds(60));
  EXPECT_FALSE(load_.fatal(now_));
}

TEST_F(LoadModelTest, LosesReportsUnderOverloadOnly) {
  const auto lost_of_1000 = [this] {
    int lost = 0;
    for (int i = 0; i < 1000; ++i) {
      lost += load_.report_is_lost() ? 1 : 0;
    }
    return lost;
  };
  parameters_.lost = 0.5;
  parameters_.ramp = milliseconds(1000);
  load_ = LoadModel(parameters_, 3, now_);
  fill(60);
  pass(seconds(10));
  EXPECT_NEAR(load_.true_stress(), 0.96, 0.001);
  EXPECT_EQ(lost_of_1000(), 0);
  parameters_.stress_per_unit = 0.011;
  load_ = LoadModel(parameters_, 3, now_);
  pass(seconds(10));
  EXPECT_GT(load_.true_stress(), 1);
  EXPECT_NEAR(lost_of_1000(), 500, 60);
}

TEST(OverloadModelTest, ReadsParameters) {
  const auto plain = parse_overload_model("storm", {.stress_per_unit = 0.02});
  ASSERT_TRUE(plain) << plain.error().what;
  EXPECT_EQ(plain->stress_per_unit, 0.02);
  EXPECT_TRUE(plain->dies);
  EXPECT_EQ(plain->lost, 0.5);
  EXPECT_EQ(plain->restart, milliseconds(60'000));
  const auto all = parse_overload_model(
      "storm,base=0.008,noise=0,join=2,ramp=5s,sample=2s,publish=1s,lost=0.25,death=1.2:4s,"
      "sudden=1.6:500ms,restart=3s",
      {});
  ASSERT_TRUE(all) << all.error().what;
  EXPECT_EQ(all->stress_per_unit, 0.008);
  EXPECT_EQ(all->noise, 0);
  EXPECT_EQ(all->join_cost, 2);
  EXPECT_EQ(all->ramp, milliseconds(5000));
  EXPECT_EQ(all->sample, milliseconds(2000));
  EXPECT_EQ(all->publish, milliseconds(1000));
  EXPECT_EQ(all->lost, 0.25);
  EXPECT_EQ(all->death, 1.2);
  EXPECT_EQ(all->death_after, milliseconds(4000));
  EXPECT_EQ(all->sudden_death, 1.6);
  EXPECT_EQ(all->sudden_death_after, milliseconds(500));
  EXPECT_EQ(all->restart, milliseconds(3000));
}

TEST(OverloadModelTest, NamesTheBadWord) {
  const char* const bad[] = {"",
                             "calm",
                             "storm,",
                             "storm,base",
                             "storm,x=1",
                             "storm,base=a",
                             "storm,base=-1",
                             "storm,lost=1.5",
                             "storm,ramp=0s",
                             "storm,ramp=5",
                             "storm,death=1.1",
                             "storm,death=1.1:5"};
  for (const char* text : bad) {
    const auto parsed = parse_overload_model(text, {});
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, Errc::kInvalidArgument);
  }
}

}  // namespace
}  // namespace bascule::peers
