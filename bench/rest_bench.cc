// bascule-rest-bench [SECONDS]: answers per second of what operators and dashboards read most, with
// 1 000 bridges and 5 000 conferences, and what that does to everybody else on the event loop.

#include <cstdio>
#include <string>
#include <string_view>

#include "admin/bridge_routes.h"
#include "admin/conference_routes.h"
#include "admin/load_route.h"
#include "admin/overview_routes.h"
#include "admin/placement_routes.h"
#include "admin/queue_routes.h"
#include "bench/admin_load.h"

namespace bascule::bench {
namespace {

constexpr std::size_t kBridges = 1'000;
constexpr std::size_t kConferences = 5'000;

admin::LoadHistory full_history(const AdminLoad& load) {
  admin::LoadHistory history(kBridges);
  Now now = load.now();
  const auto views = load.focus().placement().bridges(now);
  for (std::size_t i = 0; i < admin::LoadHistory::kSamples; ++i) {
    history.sample(views, now);
    now.mono += admin::LoadHistory::kInterval;
    now.wall += admin::LoadHistory::kInterval;
  }
  return history;
}

admin::Router routes(const AdminLoad& load, const admin::LoadHistory& history) {
  const auto now = [&load] { return load.now(); };
  const admin::PlacementSources placement{
      .placement = [&load]() -> const focus::Placement& { return load.focus().placement(); },
      .now = now};
  admin::Router router;
  admin::add_overview_route(router,
                            {.version = "bench",
                             .revision = {},
                             .started_at = load.now().wall,
                             .focus = &load.focus(),
                             .now = now,
                             .health = [] { return admin::Health{.ready = true, .problems = {}}; },
                             .links = [] { return std::vector<admin::LinkStatus>(); },
                             .store = [] { return "ok"; },
                             .ha = {}});
  admin::add_bridge_routes(router, {.placement = placement.placement,
                                    .drains = [&load]() -> const focus::Orders::Drains& {
                                      return load.focus().orders().drains();
                                    },
                                    .now = now});
  admin::add_conference_routes(router, {.focus = &load.focus(), .now = now});
  admin::add_queue_routes(router, placement);
  admin::add_placement_routes(router, placement);
  admin::add_load_route(router, placement, history);
  return router;
}

struct Case {
  const char* name;
  std::vector<std::string> targets;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> kCases = {
      {"/v1/overview", {"/v1/overview"}},
      {"/v1/bridges", {"/v1/bridges"}},
      {"/v1/bridges/{bridge}", {"/v1/bridges/jvb17"}},
      {"/v1/load", {"/v1/load"}},
      {"/v1/conferences", {"/v1/conferences"}},
      {"/v1/conferences?limit=1000", {"/v1/conferences?limit=1000"}},
      {"/v1/conferences?search=none", {"/v1/conferences?search=none"}},
      {"/v1/conferences?bridge=", {"/v1/conferences?bridge=jvb17"}},
      {"/v1/conferences/{room}", {"/v1/conferences/meeting-02500%40conference.bench"}},
      {"/v1/queue", {"/v1/queue"}},
  };
  return kCases;
}

int run(std::chrono::milliseconds duration) {
  const AdminLoad load(kBridges, kConferences);
  const admin::LoadHistory history = full_history(load);
  std::printf("%zu bridges, %zu conferences of %zu, 4 connections with keep-alive\n", kBridges,
              kConferences, AdminLoad::kPeople);
  std::printf("%s\n", header_line().c_str());
  bool is_ok = true;
  for (const Case& one : cases()) {
    const HammerResult result =
        hammer(routes(load, history), {.targets = one.targets, .duration = duration});
    std::printf("%s\n", to_line(one.name, result).c_str());
    std::fflush(stdout);
    is_ok = is_ok && result.failures == 0;
  }
  return is_ok ? 0 : 1;
}

}  // namespace
}  // namespace bascule::bench

int main(int argc, char** argv) {
  const auto seconds = bascule::bench::seconds_asked(argc, argv);
  return seconds ? bascule::bench::run(*seconds) : 2;
}
