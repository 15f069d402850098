#include "tests/unit/focus/properties/history.h"

#include <array>
#include <ostream>
#include <tuple>
#include <utility>

namespace bascule::focus::properties {
namespace {

constexpr std::array<std::string_view, kHappeningCount> kNames = {
    "join",         "join-many",
    "reinvite",     "move",
    "follow-moves", "cancel",
    "confirm-all",  "allocation-fails",
    "leaves",       "conference-ends",
    "report",       "reports-all",
    "wild-report",  "bridge-leaves",
    "bridge-fails", "bridge-restarts",
    "suspect",      "cordon",
    "standby",      "restart-wanted",
    "pin",          "restore",
    "mass-drop",    "service-down",
    "service-up",   "rest",
    "pause"};
constexpr std::array<std::int64_t, 4> kCosts = {10'000, 20'000, 40'000, 5'000};
constexpr int kRooms = 6;
constexpr int kPeople = 10;

/// rapidcheck's own `weightedElement` wants its weights at compile time.
rc::Gen<Happening> weighted(std::vector<std::pair<std::size_t, Happening>> weights) {
  std::vector<Happening> elements;
  for (const auto& [weight, happening] : weights) {
    elements.insert(elements.end(), weight, happening);
  }
  return rc::gen::elementOf(std::move(elements));
}

template <class T>
rc::Gen<T> simplest_first(rc::Gen<T> gen) {
  return rc::gen::shrink(std::move(gen), [](const T& value) {
    return value == T{} ? rc::Seq<T>() : rc::seq::just(T{});
  });
}

rc::Gen<Command> commands(const Theme& theme) {
  return rc::gen::build<Command>(
      rc::gen::set(&Command::what, weighted(theme.weights)),
      rc::gen::set(&Command::room, rc::gen::resize(100, rc::gen::inRange(0, kRooms))),
      rc::gen::set(&Command::person, rc::gen::resize(100, rc::gen::inRange(0, kPeople))),
      rc::gen::set(&Command::bridge, rc::gen::resize(100, rc::gen::inRange(0, 6))),
      rc::gen::set(&Command::amount, rc::gen::resize(100, rc::gen::inRange(0, 100))),
      rc::gen::set(&Command::pause, simplest_first(rc::gen::elementOf(
                                        std::vector<int>{0, 1, 1, 1, 2, 2, 3, 4, 5}))));
}

rc::Gen<Setup> setups(const Theme& theme) {
  const auto maybe = [](int of_ten) {
    return simplest_first(rc::gen::map(rc::gen::resize(100, rc::gen::inRange(0, 10)),
                                       [of_ten](int roll) { return roll < of_ten; }));
  };
  const int strategies = theme.strategies ? static_cast<int>(kStrategyCount) : 1;
  return rc::gen::build<Setup>(
      rc::gen::set(&Setup::seed, rc::gen::resize(100, rc::gen::inRange(0, 1'000'000))),
      rc::gen::set(&Setup::relays, maybe(theme.relays_too ? 5 : 0)),
      // Two of three histories follow Bascule's own rules.
      rc::gen::set(&Setup::strategy,
                   rc::gen::map(rc::gen::resize(100, rc::gen::inRange(0, strategies * 3)),
                                [strategies](int n) { return n < strategies ? n : 0; })),
      rc::gen::set(&Setup::bridges, rc::gen::resize(100, rc::gen::inRange(1, 7))),
      rc::gen::set(&Setup::cost, rc::gen::resize(100, rc::gen::inRange(0, 4))),
      rc::gen::set(&Setup::known_cost, rc::gen::map(maybe(3), [](bool b) { return !b; })),
      rc::gen::set(&Setup::single_decisions, maybe(theme.single_decisions ? 10 : 3)),
      rc::gen::set(&Setup::regions, maybe(3)), rc::gen::set(&Setup::narrow, maybe(2)));
}

}  // namespace

std::string_view to_string(Happening happening) {
  return kNames.at(static_cast<std::size_t>(happening));
}

std::ostream& operator<<(std::ostream& out, const Command& command) {
  return out << "\n  +" << kPausesMs[command.pause] << "ms " << to_string(command.what)
             << " room=" << command.room << " person=" << command.person
             << " bridge=" << command.bridge << " amount=" << command.amount;
}

std::ostream& operator<<(std::ostream& out, const History& history) {
  const Setup& setup = history.setup;
  out << "seed=" << setup.seed << (setup.relays ? " relays" : " single")
      << " strategy=" << to_string(static_cast<Strategy>(setup.strategy))
      << " bridges=" << setup.bridges << " cost=" << true_cost(setup)
      << (setup.known_cost ? " known" : " unknown")
      << (setup.single_decisions ? " single-decisions" : "") << (setup.regions ? " regions" : "")
      << (setup.narrow ? " narrow" : "");
  for (const Command& command : history.commands) {
    out << command;
  }
  return out;
}

Theme everything() {
  Theme theme;
  theme.weights = {{20, Happening::kJoin},       {16, Happening::kJoinMany},
                   {3, Happening::kReinvite},    {4, Happening::kMove},
                   {4, Happening::kFollowMoves}, {3, Happening::kCancel},
                   {10, Happening::kConfirmAll}, {3, Happening::kAllocationFails},
                   {6, Happening::kLeaves},      {2, Happening::kConferenceEnds},
                   {8, Happening::kReport},      {12, Happening::kReportsAll},
                   {2, Happening::kWildReport},  {1, Happening::kBridgeLeaves},
                   {2, Happening::kBridgeFails}, {1, Happening::kBridgeRestarts},
                   {1, Happening::kSuspect},     {1, Happening::kCordon},
                   {1, Happening::kStandby},     {1, Happening::kRestartWanted},
                   {1, Happening::kPin},         {1, Happening::kRestore},
                   {1, Happening::kMassDrop},    {1, Happening::kServiceDown},
                   {2, Happening::kServiceUp},   {4, Happening::kRest},
                   {1, Happening::kPause}};
  return theme;
}

Theme mostly(std::vector<Happening> happenings) {
  Theme theme;
  theme.weights = {{14, Happening::kJoin},       {14, Happening::kJoinMany},
                   {6, Happening::kConfirmAll},  {6, Happening::kLeaves},
                   {10, Happening::kReportsAll}, {2, Happening::kServiceUp},
                   {3, Happening::kRest}};
  for (const Happening happening : happenings) {
    theme.weights.emplace_back(50 / happenings.size(), happening);
  }
  return theme;
}

rc::Gen<History> histories(const Theme& theme) {
  return rc::gen::build<History>(
      rc::gen::set(&History::setup, setups(theme)),
      rc::gen::set(&History::commands,
                   rc::gen::resize(static_cast<int>(theme.longest),
                                   rc::gen::container<std::vector<Command>>(commands(theme)))));
}

PlacementOptions options_of(const Setup& setup) {
  PlacementOptions options;
  options.relays = setup.relays;
  options.strategy = static_cast<Strategy>(setup.strategy);
  options.stress_per_unit = Stress(true_cost(setup));
  options.region_groups = {{"eu", "uk"}};
  if (setup.single_decisions) {
    options.max_decisions_per_drain = 1;
  }
  if (setup.narrow) {
    options.max_tickets = 25;
    options.max_in_flight = 4;
    options.max_per_conference_bridge = 5;
    options.max_bridges_per_conference = 2;
    options.placement_burst = 5;
  }
  return options;
}

std::int64_t true_cost(const Setup& setup) {
  return kCosts.at(static_cast<std::size_t>(setup.cost));
}

}  // namespace bascule::focus::properties
