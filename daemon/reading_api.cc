#include "daemon/reading_api.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "admin/bridge_routes.h"
#include "admin/conference_routes.h"
#include "admin/config_route.h"
#include "admin/load_route.h"
#include "admin/log_level_route.h"
#include "admin/openapi.h"
#include "admin/queue_routes.h"
#include "daemon/clock.h"

namespace bascule::daemon {
namespace {

admin::OverviewSources overview_sources(const ReadingApi::Sources& sources) {
  return {.version = sources.version,
          .revision = sources.revision,
          .started_at = read_clocks().wall,
          .focus = &sources.focus,
          .now = read_clocks,
          .health = sources.health,
          .links = sources.links,
          .store = [&store = sources.store] { return store.state(read_clocks()); },
          .ha = sources.ha};
}

/// Unlike that of any process before.
std::string epoch_of(WallTime start) {
  return std::to_string(start.time_since_epoch() / std::chrono::milliseconds{1});
}

}  // namespace

ReadingApi::ReadingApi(boost::asio::io_context& io, Sources sources)
    : sources_(std::move(sources)),
      overview_(overview_sources(sources_)),
      loads_(sources_.focus.options().placement.max_bridges),
      events_(io, epoch_of(overview_.started_at), [this] { return overview_json(overview_); }),
      sample_timer_(io) {
  sources_.log.set_observer([this](const focus::Note& note, WallTime at) {
    events_.tell({.at = at,
                  .level = admin::name_of(note.level),
                  .event = note.event,
                  .fields = sources_.log.fields_json(note)});
  });
}

ReadingApi::~ReadingApi() {
  sources_.log.set_observer({});
}

void ReadingApi::add_to(admin::Router& router) {
  const admin::PlacementSources placement{
      .placement = [this]() -> const focus::Placement& { return sources_.focus.placement(); },
      .now = read_clocks,
      .earlier = &sources_.earlier};
  admin::add_overview_route(router, overview_);
  admin::add_bridge_routes(router, {.placement = placement.placement,
                                    .drains = [this]() -> const focus::Orders::Drains& {
                                      return sources_.focus.orders().drains();
                                    },
                                    .now = read_clocks});
  admin::add_conference_routes(
      router, {.focus = &sources_.focus, .now = read_clocks, .earlier = &sources_.earlier});
  admin::add_queue_routes(router, placement);
  admin::add_load_route(router, placement, loads_);
  admin::add_readiness_route(
      router,
      {.health = sources_.health, .now = [] { return read_clocks().wall; }, .history = &checks_});
  admin::add_log_level_routes(router,
                              {.level = [this] { return sources_.log.options().level; },
                               .set_level =
                                   [this](focus::NoteLevel level, const std::string& by,
                                          const std::function<void(const Result<>&)>& done) {
                                     set_log_level(level, by, done);
                                   }});
  if (sources_.reloader != nullptr) {
    const auto running = [this]() -> const config::LoadedConfig& {
      return sources_.reloader->running();
    };
    admin::add_config_route(router, {.file = sources_.reloader->file(), .loaded = running});
  }
  events_.add_to(router);
  admin::add_openapi_route(router);
}

void ReadingApi::start() {
  sample_loads();
}

void ReadingApi::note(const admin::Health& health) {
  checks_.look(health, read_clocks().wall);
}

void ReadingApi::sample_loads() {
  const Now now = read_clocks();
  loads_.sample(sources_.focus.placement().bridges(now), now);
  sample_timer_.expires_after(admin::LoadHistory::kInterval);
  sample_timer_.async_wait([this](boost::system::error_code error) {
    if (!error) {
      sample_loads();
    }
  });
}

void ReadingApi::set_log_level(focus::NoteLevel level, const std::string& by,
                               const std::function<void(const Result<>&)>& done) {
  const std::string before(admin::name_of(sources_.log.options().level));
  const std::string after(admin::name_of(level));
  sources_.desk.give(
      by, focus::order::Record{.what = "log_level", .target = {}, .before = before, .after = after},
      [this, level, by, before, after, done](const Result<focus::OrderDone>& recorded) {
        if (!recorded) {
          done(tl::make_unexpected(recorded.error()));
          return;
        }
        sources_.log.write({.level = focus::NoteLevel::kWarn,
                            .event = "log.level_changed",
                            .fields = {{"from", before}, {"to", after}, {"by", by}}},
                           read_clocks());
        LogOptions options = sources_.log.options();
        options.level = level;
        sources_.log.configure(options);
        done({});
      });
}

}  // namespace bascule::daemon
