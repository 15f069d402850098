#include "daemon/bridge_metrics.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace bascule::daemon {
namespace {

using admin::Metrics;
using focus::BridgeView;

constexpr Duration kKeptAfterLoss = std::chrono::hours{1};

double share(Stress stress) {
  constexpr double kFull = 1'000'000;
  return static_cast<double>(stress.millionths()) / kFull;
}

double number(std::uint64_t count) {
  return static_cast<double>(count);
}

/// What a present bridge is good for; the first that applies.
enum class Standing : std::uint8_t {
  kFailed,
  kShutdown,
  kDraining,
  kUnknown,
  kStale,
  kStandby,
  kOperational,
};
constexpr std::array<const char*, 7> kStandingNames = {
    "failed", "shutdown", "draining", "unknown", "stale", "standby", "operational"};

Standing standing_of(const BridgeView& view) {
  if (view.state == focus::BridgeState::kFailed) {
    return Standing::kFailed;
  }
  if (view.graceful_shutdown || view.shutting_down) {
    return Standing::kShutdown;
  }
  if (view.drain || view.cordoned) {
    return Standing::kDraining;
  }
  if (view.state == focus::BridgeState::kUnknown) {
    return Standing::kUnknown;
  }
  if (view.state == focus::BridgeState::kStale) {
    return Standing::kStale;
  }
  return view.standby && !view.activated ? Standing::kStandby : Standing::kOperational;
}

bool is_usable(const BridgeView& view) {
  return view.present && view.state == focus::BridgeState::kFresh && view.healthy && !view.drain &&
         !view.cordoned && !view.graceful_shutdown && !view.shutting_down;
}

struct BridgeRow {
  const char* name;
  const char* help;
  std::optional<double> (*value)(const BridgeView&);  ///< nullopt: no sample.
  bool is_counter = false;
};

constexpr BridgeRow kRows[] = {
    {"bascule_bridge_present", "1 while the bridge is in the brewery.",
     [](const BridgeView& view) { return std::optional(view.present ? 1.0 : 0.0); }},
    {"bascule_bridge_usable", "1 while the bridge is fresh, healthy and not draining.",
     [](const BridgeView& view) { return std::optional(is_usable(view) ? 1.0 : 0.0); }},
    {"bascule_bridge_stress_reported", "Load the bridge last reported; 1 is full.",
     [](const BridgeView& view) { return std::optional(share(view.reported)); }},
    {"bascule_bridge_stress_expected",
     "Estimated load, with what the report cannot contain yet; 1 is full.",
     [](const BridgeView& view) { return std::optional(share(view.expected)); }},
    {"bascule_bridge_stress_limit", "Load above which nobody joins; 1 is full.",
     [](const BridgeView& view) { return std::optional(share(view.limit)); }},
    {"bascule_bridge_participants", "Participants placed on the bridge.",
     [](const BridgeView& view) { return std::optional(number(view.participants)); }},
    {"bascule_bridge_conferences", "Conferences with participants on the bridge.",
     [](const BridgeView& view) { return std::optional(number(view.conferences)); }},
    {"bascule_bridge_in_flight", "Allocations the bridge has not answered yet.",
     [](const BridgeView& view) { return std::optional(number(view.in_flight)); }},
    {"bascule_bridge_unaccounted_units", "Load units on the bridge that no report can contain yet.",
     [](const BridgeView& view) {
       return std::optional(static_cast<double>(view.unaccounted) / 1e3);
     }},
    {"bascule_bridge_stress_per_unit_ratio", "Learned cost of one load unit; 1 is full.",
     [](const BridgeView& view) { return std::optional(share(view.cost_per_unit)); }},
    {"bascule_bridge_capacity_ratio", "Capacity used; below 1 after it died while busy.",
     [](const BridgeView& view) { return std::optional(share(view.capacity)); }},
    {"bascule_bridge_estimate_ratio", "Estimated load over the load last reported.",
     [](const BridgeView& view) {
       return view.reported > Stress() ? std::optional(share(view.expected) / share(view.reported))
                                       : std::nullopt;
     }},
    {"bascule_bridge_confidence_ratio",
     "How far its figures are trusted: 1 fresh and its own, below 0.5 our counts decide.",
     [](const BridgeView& view) {
       return std::optional(static_cast<double>(view.confidence_permille) / focus::kFullConfidence);
     }},
    {"bascule_bridge_report_age_seconds", "Age of the last report.",
     [](const BridgeView& view) {
       return view.report_age ? std::optional(admin::MetricValue(*view.report_age).number())
                              : std::nullopt;
     }},
    {"bascule_bridge_placements_total", "Participants placed on the bridge by this process.",
     [](const BridgeView& view) { return std::optional(number(view.placed)); }, true},
};

void add_row(const BridgeRow& row, const BridgeView& view, Metrics& metrics) {
  const auto value = row.value(view);
  if (!value) {
    return;
  }
  const admin::MetricLabels labels{{"bridge", view.bridge.jid().resource()}};
  if (row.is_counter) {
    metrics.counter(row.name, row.help, *value, labels);
  } else {
    metrics.gauge(row.name, row.help, *value, labels);
  }
}

void add_fleet(const std::vector<BridgeView>& all, std::size_t not_shown, Metrics& metrics) {
  std::array<std::size_t, kStandingNames.size()> standing{};
  std::array<std::size_t, focus::kConfidenceCount> confidence{};
  std::set<std::string_view> versions;
  for (const BridgeView& view : all) {
    if (view.present) {
      ++standing.at(static_cast<std::size_t>(standing_of(view)));
      ++confidence.at(static_cast<std::size_t>(focus::level_of(view.confidence_permille)));
      versions.insert(view.version ? std::string_view(*view.version) : std::string_view());
    }
  }
  for (std::size_t i = 0; i < standing.size(); ++i) {
    metrics.gauge("bascule_bridges", "Bridges in the brewery, by what they are good for.",
                  standing.at(i), {{"state", kStandingNames.at(i)}});
  }
  for (std::size_t i = 0; i < confidence.size(); ++i) {
    metrics.gauge("bascule_bridges_by_confidence",
                  "Bridges that are there, by how far their figures are trusted.", confidence.at(i),
                  {{"level", std::string(focus::to_string(static_cast<focus::Confidence>(i)))}});
  }
  metrics.gauges({
      {"bascule_bridge_versions", "Different versions of the bridges that are there.",
       versions.size()},
      {"bascule_bridges_not_shown", "Bridges without series of their own: over the limit.",
       not_shown},
  });
}

}  // namespace

BridgeSeries::Selection BridgeSeries::select(const std::vector<BridgeView>& all, Instant now) {
  Selection selection;
  std::map<BridgeJid, Instant> still_absent;
  for (const BridgeView& view : all) {
    if (!view.present) {
      const auto known = absent_since_.find(view.bridge);
      const Instant since = known == absent_since_.end() ? now : known->second;
      still_absent.emplace(view.bridge, since);
      if (now - since >= kKeptAfterLoss) {
        continue;
      }
    }
    selection.shown.push_back(&view);
  }
  absent_since_ = std::move(still_absent);
  if (selection.shown.size() > bridges_max_) {
    selection.not_shown = selection.shown.size() - bridges_max_;
    std::stable_sort(
        selection.shown.begin(), selection.shown.end(),
        [](const BridgeView* a, const BridgeView* b) { return a->participants > b->participants; });
    selection.shown.resize(bridges_max_);
    std::sort(selection.shown.begin(), selection.shown.end());  // As in `all`.
  }
  return selection;
}

void append_bridge_parts(const SharedViews& views, BridgeSeries::Selection selection,
                         admin::MetricsParts& parts) {
  parts.emplace_back([views, not_shown = selection.not_shown](Metrics& metrics) {
    add_fleet(*views, not_shown, metrics);
  });
  const auto shown =
      std::make_shared<const std::vector<const BridgeView*>>(std::move(selection.shown));
  for (const BridgeRow& row : kRows) {
    parts.emplace_back([views, shown, &row](Metrics& metrics) {
      for (const BridgeView* view : *shown) {
        add_row(row, *view, metrics);
      }
    });
  }
}

}  // namespace bascule::daemon
