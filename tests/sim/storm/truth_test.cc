// The truth model of sim/storm against its own description.

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/storm/fleet.h"
#include "sim/storm/media.h"
#include "sim/storm/random_stream.h"
#include "sim/storm/scenario.h"

namespace bascule::sim::storm {
namespace {

/// Load of every bridge, computed person by person.
class BruteForce {
 public:
  struct Stay {
    RoomId room;
    BridgeId bridge;
    Step placed;
  };
  std::map<PersonId, Stay> people;

  [[nodiscard]] double units(BridgeId bridge, Step now, Step ramp_steps) const {
    std::map<RoomId, double> size, here, equivalent;
    for (const auto& [person, stay] : people) {
      ++size[stay.room];
      if (stay.bridge == bridge) {
        ++here[stay.room];
        const auto age = static_cast<double>(now - stay.placed - 10);
        equivalent[stay.room] += std::clamp(age / static_cast<double>(ramp_steps), 0.0, 1.0);
      }
    }
    double sum = 0;
    for (const auto& [room, people_here] : here) {
      sum += equivalent[room] * (0.4 + 0.06 * std::min(size[room], 20.0));
      sum += 0.1 * std::min(size[room] - people_here, 20.0);
    }
    return sum;
  }
};

TEST(Media, LoadEqualsTheFormulaAtEveryStepOfARandomHistory) {
  constexpr std::uint32_t kBridges = 4, kRooms = 6, kPeople = 90;
  const TruthOptions options{.ramp = std::chrono::seconds{3}};
  Media media(options, {.bridges = kBridges, .rooms = kRooms, .people = kPeople});
  BruteForce expected;
  RandomStream random(7, StreamUse::kPeople);
  for (Step now = -50; now < 400; ++now) {
    media.advance(now);
    for (int change = 0; change < 2; ++change) {
      const auto person = static_cast<PersonId>(random.below(kPeople));
      if (media.placed(person)) {
        media.remove(person, now);
        expected.people.erase(person);
      } else {
        const auto bridge = static_cast<BridgeId>(random.below(kBridges));
        media.place(person, person % kRooms, bridge, now);
        expected.people[person] = {person % kRooms, bridge, now};
      }
    }
    for (BridgeId bridge = 0; bridge < kBridges; ++bridge) {
      ASSERT_NEAR(media.units(bridge, now), expected.units(bridge, now, 30), 1e-9)
          << "step " << now;
    }
  }
}

TEST(Media, JoinsCostOneSecondAndSplitsCountWhenTheyLast) {
  Media media({}, {.bridges = 2, .rooms = 2, .people = 4});
  media.place(0, 0, 0, 0);
  media.place(1, 0, 1, 0);  // Apart for the whole time.
  media.place(2, 1, 0, 0);
  media.place(3, 1, 1, 0);  // Together again soon.
  media.advance(9);
  EXPECT_EQ(media.joining(0), 2);
  media.advance(10);
  EXPECT_EQ(media.joining(0), 0);
  media.remove(3, 20);
  media.place(3, 1, 0, 20);
  EXPECT_EQ(media.splits(100), 1U);
  EXPECT_EQ(media.total_joins(0), 3);
}

TEST(Media, VisitorsCostByTheMembersTheySee) {
  Media media({.ramp = kStep}, {.bridges = 1, .rooms = 1, .people = 14});
  for (PersonId person = 0; person < 14; ++person) {
    if (person >= 10) {
      media.set_visitor(person);
    }
    media.place(person, 0, 0, 0);
  }
  media.advance(11);
  // Ten members of a conference of ten, four who watch ten.
  EXPECT_NEAR(media.units(0, 11), 10 * (0.4 + 0.06 * 10) + 4 * (0.3 + 0.05 * 10), 1e-9);
  media.remove(0, 12);
  EXPECT_NEAR(media.units(0, 12), 9 * (0.4 + 0.06 * 9) + 4 * (0.3 + 0.05 * 9), 1e-9);
}

/// One bridge with `units` of settled load: rooms of 20 people, 1.6 units each.
class FleetTest : public ::testing::Test {
 protected:
  static constexpr std::uint32_t kPeople = 200;
  FleetTest()
      : media_({.ramp = kStep}, {.bridges = 1, .rooms = 10, .people = kPeople}),
        fleet_({}, {.bridges = 1, .seed = 3}) {}

  void put(std::uint32_t rooms) {
    for (PersonId person = 0; person < rooms * 20; ++person) {
      media_.place(person, person / 20, 0, now_);
    }
  }
  void clear() {
    const auto people = media_.people_on(0);
    for (const PersonId person : people) {
      media_.remove(person, now_);
    }
  }
  Fleet::Events step() {
    Fleet::Events events;
    fleet_.step(++now_, media_, events);
    return events;
  }
  /// Steps until the bridge dies, at most `limit`.
  std::optional<Step> steps_to_death(Step limit) {
    const Step begin = now_;
    while (now_ < begin + limit) {
      if (!step().died.empty()) {
        return now_ - begin;
      }
    }
    return std::nullopt;
  }

  Step now_ = 0;
  Media media_;
  Fleet fleet_;
};

TEST_F(FleetTest, DiesAfterTenSecondsAbove111) {
  put(5);  // 160 units: 1.28 with the first joins still above 1.5 for less than 3 s.
  const auto died = steps_to_death(300);
  ASSERT_TRUE(died);
  EXPECT_GE(*died, 100);
  EXPECT_LE(*died, 115);
  EXPECT_EQ(fleet_.kills(), 1U);
}

TEST_F(FleetTest, DiesAfterThreeSecondsAbove15) {
  put(10);  // 2.56 after the first second.
  const auto died = steps_to_death(300);
  ASSERT_TRUE(died);
  EXPECT_GE(*died, 30);
  EXPECT_LE(*died, 42);
}

TEST_F(FleetTest, LivesJustBelow) {
  put(3);  // 0.77.
  EXPECT_FALSE(steps_to_death(3000));
  EXPECT_EQ(fleet_.steps_down(0), 0);
}

TEST_F(FleetTest, DeathIsNoticedAfterASecondAndOverAfterSixty) {
  put(10);
  ASSERT_TRUE(steps_to_death(300));
  const Step died = now_;
  EXPECT_TRUE(fleet_.reachable(0));
  while (step().noticed.empty()) {
    ASSERT_LT(now_, died + 11);
  }
  EXPECT_EQ(now_, died + 10);
  EXPECT_FALSE(fleet_.reachable(0));
  EXPECT_EQ(fleet_.stress(0), 0);
  clear();
  while (step().returned.empty()) {
    ASSERT_LT(now_, died + 601);
  }
  EXPECT_EQ(now_, died + 600);
  EXPECT_TRUE(fleet_.reachable(0));
  Fleet::Events events;
  while ((events = step()).reports.empty()) {
    ASSERT_LT(now_, died + 606);
  }
  EXPECT_EQ(now_, died + 605);
  EXPECT_EQ(events.reports[0].stress, 0);
  EXPECT_EQ(events.reports[0].total_participants, 0);
}

TEST_F(FleetTest, GaugeShowsTheMeanOfTenSecondsAndIsPublishedEveryFive) {
  put(3);  // 96 units, 0.768.
  std::vector<Step> published;
  std::vector<double> values;
  for (int i = 0; i < 3000; ++i) {
    for (const Report& report : step().reports) {
      published.push_back(now_);
      values.push_back(report.stress);
      EXPECT_EQ(report.endpoints, 60);
      EXPECT_EQ(report.serial, published.size());
    }
  }
  ASSERT_EQ(published.size(), 60U);
  for (std::size_t i = 1; i < published.size(); ++i) {
    EXPECT_EQ(published[i] - published[i - 1], 50);
  }
  const auto changes =
      std::count_if(values.begin() + 1, values.end(),
                    [&, i = 0U](double value) mutable { return value != values[i++]; });
  EXPECT_NEAR(static_cast<double>(changes), 30, 1);  // One of two reports repeats the sample.
  double sum = 0;
  for (std::size_t i = 4; i < values.size(); ++i) {
    sum += values[i];
  }
  EXPECT_NEAR(sum / static_cast<double>(values.size() - 4), 0.768, 0.05);
}

TEST_F(FleetTest, HalfOfTheReportsAreLostWhileOverloaded) {
  std::size_t heard = 0;
  std::size_t due = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Media media({.ramp = kStep}, {.bridges = 1, .rooms = 10, .people = kPeople});
    Fleet fleet({}, {.bridges = 1, .seed = seed});
    for (PersonId person = 0; person < 100; ++person) {
      media.place(person, person / 20, 0, 0);
    }
    Fleet::Events events;
    for (Step now = 1; now <= 100; ++now) {
      fleet.step(now, media, events);
      heard += fleet.stress(0) > 1.0 ? events.reports.size() : 0;
    }
    due += 2;
  }
  EXPECT_NEAR(static_cast<double>(heard) / static_cast<double>(due), 0.45, 0.1);
}

TEST_F(FleetTest, SilentWhileReportingIsOffOrDisconnected) {
  fleet_.set_reporting(false);
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(step().reports.empty());
  }
  fleet_.set_reporting(true);
  fleet_.set_connected(0, false, now_);
  EXPECT_FALSE(fleet_.reachable(0));
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(step().reports.empty());
  }
  fleet_.set_connected(0, true, now_);
  Step heard = 0;
  for (int i = 0; i < 10; ++i) {
    heard = step().reports.empty() ? heard : now_;
  }
  EXPECT_EQ(heard, 205);
}

TEST_F(FleetTest, GhostsAreCountedUntilTheyExpire) {
  Fleet fleet({.ghosts = std::chrono::seconds{20}}, {.bridges = 1, .seed = 3});
  fleet.leave_ghosts(0, 7, 0);
  Fleet::Events events;
  for (Step now = 1; now <= 400; ++now) {
    fleet.step(now, media_, events);
    for (const Report& report : events.reports) {
      EXPECT_EQ(report.endpoints, now < 200 ? 7 : 0) << now;
    }
  }
}

TEST(Noise, HasTheStatedDeviationAndDoesNotDependOnWhatHappensToTheBridge) {
  Media media({.ramp = kStep}, {.bridges = 2, .rooms = 2, .people = 40});
  Fleet lives({}, {.bridges = 2, .seed = 5});
  Fleet dies({}, {.bridges = 2, .seed = 5});
  for (PersonId person = 0; person < 40; ++person) {
    media.place(person, person / 20, person / 20, 0);
  }
  dies.kill(0, 0);
  Fleet::Events events;
  double sum = 0;
  double squares = 0;
  constexpr int kSteps = 60'000;
  for (Step now = 1; now <= kSteps; ++now) {
    lives.step(now, media, events);
    const double relative = lives.stress(1) / (32 * kBaseStress) - 1;
    if (now <= 590) {
      dies.step(now, media, events);
      ASSERT_EQ(dies.stress(1), lives.stress(1));
    }
    if (now > 20) {
      sum += relative;
      squares += relative * relative;
    }
  }
  EXPECT_NEAR(std::sqrt(squares / kSteps), 0.05, 0.015);
  EXPECT_NEAR(sum / kSteps, 0, 0.015);
}

TEST(Script, FillsTheFleetToTheStatedLoadWithConferencesOfTheStatedSizes) {
  const Script script = make_script(*find_scenario("S2"), {.bridges = 400, .seed = 1});
  double units = 0;
  for (const std::uint32_t size : script.room_size) {
    units += size * (0.4 + 0.06 * std::min(size, 20U));
  }
  EXPECT_NEAR(units * kBaseStress / 400, 0.6, 0.005);
  EXPECT_NEAR(
      static_cast<double>(script.room_of.size()) / static_cast<double>(script.room_size.size()),
      7.6, 0.4);
  EXPECT_TRUE(std::is_sorted(script.events.begin(), script.events.end(),
                             [](const auto& a, const auto& b) { return a.at < b.at; }));
}

TEST(Script, KillsTheStatedShareOfBridgesEachOnce) {
  const Script script = make_script(*find_scenario("S4x"), {.bridges = 50, .seed = 4});
  std::vector<std::uint32_t> dying;
  for (const ScriptEvent& event : script.events) {
    if (event.kind == ScriptEvent::Kind::kBridgeDies) {
      dying.push_back(event.who);
    }
  }
  EXPECT_EQ(dying.size(), 15U);
  std::sort(dying.begin(), dying.end());
  EXPECT_EQ(std::unique(dying.begin(), dying.end()), dying.end());
}

}  // namespace
}  // namespace bascule::sim::storm
