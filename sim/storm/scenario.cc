#include "sim/storm/scenario.h"

#include <algorithm>

namespace bascule::sim::storm {
namespace {

using std::chrono::seconds;

Scenario storm(ScenarioId id, std::string_view name, std::string_view title) {
  return {.id = id,
          .name = name,
          .title = title,
          .load = 0.6,
          .duration = seconds{300},
          .mass_drop = true,
          .return_from = seconds{10},
          .return_to = seconds{15}};
}

Scenario deaths(ScenarioId id, std::string_view name, std::string_view title, double load,
                int dying_permille) {
  return {.id = id,
          .name = name,
          .title = title,
          .load = load,
          .duration = seconds{300},
          .dying_permille = dying_permille};
}

void add_reference(std::vector<Scenario>& all) {
  all.push_back({.id = ScenarioId::kS1,
                 .name = "S1",
                 .title = "a busy day, from empty to 90 % load",
                 .duration = seconds{1500}});
  all.push_back(storm(ScenarioId::kS2, "S2", "XMPP server crash: everybody returns within 5 s"));
  all.push_back(storm(ScenarioId::kS2n, "S2n", "S2 without memory of rooms"));
  all.back().memory = MemoryKept::kBridges;
  all.push_back(storm(ScenarioId::kS2c, "S2c", "S2 without any memory"));
  all.back().memory = MemoryKept::kNoCosts;
  all.push_back(deaths(ScenarioId::kS3, "S3", "one bridge dies at 80 % load", 0.8, kOneBridge));
  all.push_back(
      deaths(ScenarioId::kS4, "S4", "a tenth of the bridges dies at 75 % load", 0.75, 100));
  all.push_back(deaths(ScenarioId::kS4x, "S4x", "30 % of the bridges die at 80 % load", 0.8, 300));
  all.push_back({.id = ScenarioId::kS5,
                 .name = "S5",
                 .title = "no reports while the load doubles",
                 .load = 0.375,
                 .duration = seconds{580},
                 .blind_until = seconds{420}});
  all.push_back(storm(ScenarioId::kS5s, "S5s", "S2 without reports for 300 s"));
  all.back().duration = seconds{420};
  all.back().blind_until = seconds{300};
  all.push_back(deaths(ScenarioId::kS6, "S6", "500 people join one conference in 30 s", 0.6, 0));
  all.push_back(
      storm(ScenarioId::kS7, "S7", "restart of the focus: everybody returns within 20 s"));
  all.back().return_to = seconds{30};
  all.back().memory = MemoryKept::kAll;
  all.push_back(storm(ScenarioId::kS8, "S8", "XMPP server restart: bridges return one by one"));
  all.back().bridges_absent = true;
  all.push_back(storm(ScenarioId::kS8n, "S8n", "S8 without memory of rooms"));
  all.back().bridges_absent = true;
  all.back().memory = MemoryKept::kBridges;
  all.push_back({.id = ScenarioId::kS10,
                 .name = "S10",
                 .title = "classrooms: two early, thirty later",
                 .duration = seconds{690}});
}

void add_further(std::vector<Scenario>& all) {
  all.push_back(storm(ScenarioId::kX1, "X1", "S2, and one bridge in twenty takes 8 s to answer"));
  all.back().slow_every = 20;
  all.back().slow_answer = seconds{8};
  all.push_back(
      storm(ScenarioId::kX2, "X2", "S2, and the XMPP server gets through 600 placements/s"));
  all.back().server_rate = 600;
  all.push_back(
      deaths(ScenarioId::kX3, "X3", "S4x with 20 % of the bridges standing by", 0.8, 300));
  all.back().spare_permille = 200;
  all.push_back(
      deaths(ScenarioId::kX4, "X4", "a conference that kills the bridge it is on", 0.4, 0));
  all.back().duration = seconds{900};
  all.push_back(
      deaths(ScenarioId::kX5, "X5", "half the bridges of one region of three die", 0.6, 167));
  all.back().regions = 3;
  all.push_back(deaths(ScenarioId::kX6, "X6", "500 visitors join one conference in 30 s", 0.6, 0));
  all.push_back(storm(ScenarioId::kX7, "X7", "S2, and bridges count who left for 120 s"));
  all.back().ghosts = seconds{120};
  all.push_back(storm(ScenarioId::kX8, "X8", "S2 on bridges that are never idle"));
  all.back().idle_load = 0.15;
  all.push_back(storm(ScenarioId::kX9, "X9", "S2, and a new focus that knows nothing"));
  all.back().memory = MemoryKept::kNothing;
}

std::vector<Scenario> make_scenarios() {
  std::vector<Scenario> all;
  add_reference(all);
  add_further(all);
  return all;
}

}  // namespace

const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> kAll = make_scenarios();
  return kAll;
}

const Scenario* find_scenario(std::string_view name) {
  const auto found = std::find_if(scenarios().begin(), scenarios().end(),
                                  [&](const Scenario& scenario) { return scenario.name == name; });
  return found == scenarios().end() ? nullptr : &*found;
}

}  // namespace bascule::sim::storm
