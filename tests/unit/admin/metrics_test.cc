#include <string>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "admin/metrics_page.h"

namespace bascule::admin {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

TEST(MetricsTest, RendersWhatPrometheusReads) {
  Metrics metrics;
  metrics.counters({{"a_total", "A.", std::uint64_t{3}, {{"kind", "x"}}},
                    {"a_total", "A.", 4, {{"kind", "y\"z"}}}});
  metrics.gauge("b_seconds", "B.", Duration(milliseconds{1500}));
  EXPECT_EQ(metrics.take_text(),
            "# HELP a_total A.\n# TYPE a_total counter\n"
            "a_total{kind=\"x\"} 3\na_total{kind=\"y\\\"z\"} 4\n"
            "# HELP b_seconds B.\n# TYPE b_seconds gauge\nb_seconds 1.5\n");
  EXPECT_EQ(metrics.take_text(), "");
}

TEST(MetricsTest, TheClassesOfAHistogramAreCumulated) {
  focus::LatencyHistogram histogram;
  histogram.record(milliseconds{7});
  histogram.record(std::chrono::minutes{5});
  Metrics metrics;
  metrics.histogram("h_seconds", "H.", histogram, {{"kind", "x"}});
  const std::string text = metrics.take_text();
  EXPECT_THAT(text, HasSubstr("h_seconds_bucket{kind=\"x\",le=\"0.005\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("h_seconds_bucket{kind=\"x\",le=\"0.01\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("h_seconds_bucket{kind=\"x\",le=\"60\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("h_seconds_bucket{kind=\"x\",le=\"+Inf\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("h_seconds_sum{kind=\"x\"} 300.007\n"));
  EXPECT_THAT(text, HasSubstr("h_seconds_count{kind=\"x\"} 2\n"));
}

TEST(MetricsTest, OneOfAClosedListIsInForce) {
  Metrics metrics;
  metrics.state("s", "S.", "mode", 1, 2, [](std::size_t i) { return i == 0 ? "off" : "on"; });
  EXPECT_THAT(metrics.take_text(), HasSubstr("s{mode=\"off\"} 0\ns{mode=\"on\"} 1\n"));
}

class MetricsPageTest : public testing::Test {
 protected:
  void ask() {
    page_.handle({}, [this](HttpResponse response) { answers_.push_back(std::move(response)); });
  }

  int begun_ = 0;
  std::vector<std::string> order_;
  std::vector<HttpResponse> answers_;
  boost::asio::io_context io_{1};
  MetricsPage page_{io_, [this] {
                      ++begun_;
                      MetricsParts parts;
                      for (const char* name : {"a", "b", "c"}) {
                        parts.emplace_back([this, name](Metrics& metrics) {
                          order_.emplace_back(name);
                          std::this_thread::sleep_for(milliseconds{3});  // A slow part.
                          metrics.gauge(name, "", 1);
                        });
                      }
                      return parts;
                    }};
};

TEST_F(MetricsPageTest, WhateverElseHappensHasItsTurnBetweenTwoSlowParts) {
  ask();
  // Handed over when the first part is being made: it must not wait for the last one.
  boost::asio::post(io_, [this] {
    boost::asio::post(io_,
                      [this] { boost::asio::post(io_, [this] { order_.emplace_back("x"); }); });
  });
  io_.run();
  ASSERT_EQ(answers_.size(), 1U);
  EXPECT_EQ(answers_[0].status, 200U);
  EXPECT_EQ(answers_[0].content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(answers_[0].body, HasSubstr("\na 1\n"));
  EXPECT_THAT(answers_[0].body, HasSubstr("\nc 1\n"));
  ASSERT_EQ(order_.size(), 4U);
  EXPECT_NE(order_.back(), "x");
}

TEST_F(MetricsPageTest, AllWhoAskMeanwhileGetTheSameText) {
  ask();
  ask();
  io_.run();
  ASSERT_EQ(answers_.size(), 2U);
  EXPECT_EQ(answers_[0].body, answers_[1].body);
  EXPECT_EQ(begun_, 1);
  io_.restart();
  ask();
  io_.run();
  EXPECT_EQ(answers_.size(), 3U);
  EXPECT_EQ(begun_, 2);
}

TEST(MetricsPageEndTest, NothingIsReadAfterThePageIsGone) {
  boost::asio::io_context io{1};
  bool touched = false;
  {
    MetricsPage page(io, [&touched] {
      touched = true;
      return MetricsParts{};
    });
    page.handle({}, [&touched](HttpResponse) { touched = true; });
  }
  io.run();
  EXPECT_FALSE(touched);
}

}  // namespace
}  // namespace bascule::admin
