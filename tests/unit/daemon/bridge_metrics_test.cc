#include "daemon/bridge_metrics.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bascule::daemon {
namespace {

using focus::BridgeView;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

constexpr Instant kStart{seconds{1'000}};

BridgeView bridge(int number, std::size_t participants, bool present = true) {
  BridgeView view;
  view.bridge =
      BridgeJid(Jid::parse("jvbbrewery@internal.example.net/jvb" + std::to_string(number)).value());
  view.present = present;
  view.state = focus::BridgeState::kFresh;
  view.participants = participants;
  return view;
}

std::vector<std::string> names(const BridgeSeries::Selection& selection) {
  std::vector<std::string> list;
  for (const BridgeView* view : selection.shown) {
    list.push_back(view->bridge.jid().resource());
  }
  return list;
}

std::string render(std::vector<BridgeView> views, std::size_t bridges_max = 10) {
  BridgeSeries series(bridges_max);
  const auto shared = std::make_shared<const std::vector<BridgeView>>(std::move(views));
  admin::MetricsParts parts;
  append_bridge_parts(shared, series.select(*shared, kStart), parts);
  admin::Metrics metrics;
  std::string text;
  for (const admin::MetricsPart& part : parts) {
    part(metrics);
    text += metrics.take_text();
  }
  return text;
}

TEST(BridgeSeriesTest, OfTooManyTheFullestAreShown) {
  BridgeSeries series(2);
  const std::vector<BridgeView> all{bridge(1, 5), bridge(2, 9), bridge(3, 0), bridge(4, 7)};
  const auto selection = series.select(all, kStart);
  EXPECT_EQ(names(selection), (std::vector<std::string>{"jvb2", "jvb4"}));
  EXPECT_EQ(selection.not_shown, 2U);
  EXPECT_EQ(BridgeSeries(4).select(all, kStart).not_shown, 0U);
}

TEST(BridgeSeriesTest, OneThatIsGoneStaysForAnHour) {
  BridgeSeries series(10);
  const std::vector<BridgeView> here{bridge(1, 5), bridge(2, 5)};
  const std::vector<BridgeView> gone{bridge(1, 5), bridge(2, 0, false)};
  series.select(here, kStart);
  EXPECT_EQ(series.select(gone, kStart + minutes{1}).shown.size(), 2U);
  EXPECT_EQ(series.select(gone, kStart + minutes{60}).shown.size(), 2U);
  const auto later = series.select(gone, kStart + minutes{61});
  EXPECT_EQ(names(later), (std::vector<std::string>{"jvb1"}));
  EXPECT_EQ(later.not_shown, 0U);
  // It came back, and its hour begins anew.
  series.select(here, kStart + minutes{62});
  EXPECT_EQ(series.select(gone, kStart + minutes{63}).shown.size(), 2U);
}

TEST(BridgeMetricsTest, EveryBridgeInTheBreweryIsCountedOnceByWhatItIsGoodFor) {
  std::vector<BridgeView> views;
  for (int i = 0; i < 8; ++i) {
    views.push_back(bridge(i, 0));
  }
  views[1].drain = true;
  views[2].cordoned = true;
  views[3].graceful_shutdown = true;
  views[4].state = focus::BridgeState::kFailed;
  views[4].drain = true;
  views[5].state = focus::BridgeState::kStale;
  views[6].standby = true;
  views[7].present = false;
  const std::string text = render(views);
  EXPECT_THAT(text, HasSubstr("bascule_bridges{state=\"operational\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("bascule_bridges{state=\"draining\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("bascule_bridges{state=\"shutdown\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("bascule_bridges{state=\"failed\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("bascule_bridges{state=\"stale\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("bascule_bridges{state=\"standby\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("bascule_bridges{state=\"unknown\"} 0\n"));
}

TEST(BridgeMetricsTest, ALimitBoundsTheSeriesOfTheWholeFleet) {
  std::vector<BridgeView> views;
  for (int i = 0; i < 500; ++i) {
    views.push_back(bridge(i, 1));
    views.back().version = i % 2 == 0 ? "2.3" : "2.4";
  }
  const std::string text = render(views, 100);
  EXPECT_THAT(text, HasSubstr("bascule_bridges_not_shown 400\n"));
  EXPECT_THAT(text, HasSubstr("bascule_bridge_versions 2\n"));
  EXPECT_THAT(text, HasSubstr("bascule_bridges{state=\"operational\"} 500\n"));
  std::size_t series = 0;
  for (auto at = text.find("{bridge="); at != std::string::npos;
       at = text.find("{bridge=", at + 1)) {
    ++series;
  }
  EXPECT_LE(series, 100U * 16);
  EXPECT_GE(series, 100U * 10);
}

TEST(BridgeMetricsTest, WhatIsNotKnownHasNoSample) {
  std::vector<BridgeView> views{bridge(1, 3)};
  EXPECT_THAT(render(views), Not(HasSubstr("bascule_bridge_report_age_seconds{")));
  views[0].report_age = std::chrono::milliseconds{2'500};
  views[0].reported = Stress(200'000);
  views[0].expected = Stress(300'000);
  const std::string text = render(views);
  EXPECT_THAT(text, HasSubstr("bascule_bridge_report_age_seconds{bridge=\"jvb1\"} 2.5\n"));
  EXPECT_THAT(text, HasSubstr("bascule_bridge_estimate_ratio{bridge=\"jvb1\"} 1.5"));
}

}  // namespace
}  // namespace bascule::daemon
