#include "daemon/stats_routes.h"

#include <charconv>
#include <utility>

#include "admin/json.h"
#include "base/time_text.h"
#include "daemon/clock.h"
#include "stats/sqlite/json.h"
#include "stats/sqlite/maintenance.h"

namespace bascule::daemon {
namespace {

using admin::HttpRequest;
using admin::HttpResponse;
using admin::json_response;
using admin::problem;
using admin::Respond;
using stats::sqlite::HistoryQuery;
using stats::sqlite::Json;

constexpr std::chrono::hours kHistoryDefault{1};

double seconds_of(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

HttpResponse failed(const Error& error) {
  switch (error.code) {
    case Errc::kInvalidArgument:
      return problem(400, "Bad request", error.what);
    case Errc::kNotFound:
      return problem(404, "Not found", error.what);
    default:
      return problem(503, "The store cannot be read", error.what);
  }
}

void answer_if_busy(bool begun, const Respond& respond) {
  if (!begun) {
    respond(problem(503, "Too many requests", "others wait for the store already"));
  }
}

Json to_json(const StoreUpkeep::Verification& verification) {
  Json out{{"at", to_text(verification.at)}, {"took_seconds", seconds_of(verification.took)}};
  if (verification.outcome) {
    out.update(to_json(*verification.outcome));
  } else {
    out["error"] = verification.outcome.error().what;
  }
  return out;
}

Json to_json(const StoreUpkeep::Backup& backup) {
  return {{"at", to_text(backup.at)},
          {"took_seconds", seconds_of(backup.took)},
          {"path", backup.path},
          {"error", backup.outcome ? Json(nullptr) : Json(backup.outcome.error().what)}};
}

Json to_json(const StoreUpkeep::Rebuild& rebuild,
             const std::optional<focus::StatsRequery>& requery) {
  const bool has_failed = rebuild.outcome && !*rebuild.outcome;
  Json out{{"state", !rebuild.ended ? "running"
                     : has_failed   ? "failed"
                                    : "done"},
           {"dry_run", rebuild.options.dry_run},
           {"force", rebuild.options.force},
           {"started", to_text(rebuild.started)},
           {"ended", rebuild.ended ? Json(to_text(*rebuild.ended)) : Json(nullptr)},
           {"rows",
            {{"expected", rebuild.progress->rows_expected.load()},
             {"read", rebuild.progress->rows_read.load()},
             {"kept", rebuild.progress->rows_kept.load()}}}};
  // The sources answer while rows are read; with a dry run nobody is asked.
  out["bridges"] = requery && !rebuild.options.dry_run
                       ? Json{{"expected", requery->expected}, {"seen", requery->seen}}
                       : Json(nullptr);
  out["result"] = rebuild.outcome && *rebuild.outcome ? stats::sqlite::to_json(**rebuild.outcome)
                                                      : Json(nullptr);
  out["error"] = has_failed ? Json(rebuild.outcome->error().what) : Json(nullptr);
  return out;
}

tl::expected<HistoryQuery, std::string> history_query(const HttpRequest& request, WallTime now) {
  const auto given = admin::parse_query(request.query, {"from", "to", "step"});
  if (!given) {
    return tl::make_unexpected(given.error());
  }
  HistoryQuery query{.bridge = request.segment, .from = {}, .to = now};
  if (const auto to = given->find("to"); to != given->end()) {
    const auto time = wall_time_from(to->second);
    if (!time) {
      return tl::make_unexpected("to looks like 2026-11-21T23:05:00Z");
    }
    query.to = *time;
  }
  query.from = query.to - kHistoryDefault;
  if (const auto from = given->find("from"); from != given->end()) {
    const auto time = wall_time_from(from->second);
    if (!time) {
      return tl::make_unexpected("from looks like 2026-11-21T23:05:00Z");
    }
    query.from = *time;
  }
  if (const auto step = given->find("step"); step != given->end()) {
    const std::string& text = step->second;
    std::uint32_t seconds = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size()) {
      return tl::make_unexpected("step is a number of seconds");
    }
    query.step = std::chrono::seconds{seconds};
  }
  return query;
}

}  // namespace

void StatsRoutes::add_to(admin::Router& router) {
  router.add("GET", "/v1/stats/health", [this](const HttpRequest&, const Respond& respond) {
    Json body = stats::sqlite::to_json(store_.status(), store_.load_report());
    body["sound"] = body["sound"].get<bool>() && upkeep_.open_findings().empty();
    body["verification"] =
        upkeep_.last_verification() ? to_json(*upkeep_.last_verification()) : Json(nullptr);
    body["backup"] = upkeep_.last_backup() ? to_json(*upkeep_.last_backup()) : Json(nullptr);
    body["rebuild"] = upkeep_.last_rebuild() ? to_json(*upkeep_.last_rebuild(), sources_.requery())
                                             : Json(nullptr);
    respond(json_response(body));
  });
  router.add("POST", "/v1/stats/verify", [this](const HttpRequest&, const Respond& respond) {
    const bool begun = upkeep_.verify([respond](const StoreUpkeep::Verification& verification) {
      respond(verification.outcome ? json_response(to_json(*verification.outcome))
                                   : failed(verification.outcome.error()));
    });
    answer_if_busy(begun, respond);
  });
  router.add(
      "POST", "/v1/stats/backup", [this](const HttpRequest& request, const Respond& respond) {
        const bool begun = upkeep_.back_up([respond](const StoreUpkeep::Backup& backup) {
          respond(backup.outcome ? json_response(to_json(backup)) : failed(backup.outcome.error()));
        });
        if (begun) {
          sources_.record(request.principal.name, "backup");
        }
        answer_if_busy(begun, respond);
      });
  router.add("POST", "/v1/stats/rebuild",
             [this](const HttpRequest& request, const Respond& respond) {
               begin_rebuild(request, respond);
             });
  router.add("GET", "/v1/stats/rebuild", [this](const HttpRequest&, const Respond& respond) {
    const auto& rebuild = upkeep_.last_rebuild();
    respond(rebuild ? json_response(to_json(*rebuild, sources_.requery()))
                    : problem(404, "Not found", "there was no rebuild since the start"));
  });
  router.add(
      "GET", "/v1/bridges/{}/history", [this](const HttpRequest& request, const Respond& respond) {
        const auto query = history_query(request, read_clocks().wall);
        if (!query) {
          respond(problem(400, "Bad query", query.error()));
          return;
        }
        const bool begun = upkeep_.read_history(*query, [respond](
                                                            const Result<std::string>& history) {
          respond(history ? admin::json_text_response(*history + '\n') : failed(history.error()));
        });
        answer_if_busy(begun, respond);
      });
}

void StatsRoutes::begin_rebuild(const HttpRequest& request, const Respond& respond) {
  const auto query = admin::parse_query(request.query, {"dry-run", "force"});
  if (!query) {
    respond(problem(400, "Bad query", query.error()));
    return;
  }
  stats::sqlite::RebuildOptions options;
  for (const auto& [name, value] : *query) {
    if (value != "true" && value != "false") {
      respond(problem(400, "Bad query", name + " is true or false"));
      return;
    }
    (name == "force" ? options.force : options.dry_run) = value == "true";
  }
  if (const auto begun = upkeep_.rebuild(options); !begun) {
    const bool runs = begun.error().code == Errc::kConflict;
    respond(problem(runs ? 409 : 503, runs ? "Conflict" : "Too many requests", begun.error().what));
    return;
  }
  sources_.record(request.principal.name, options.dry_run ? "rebuild, dry run" : "rebuild");
  HttpResponse response = json_response(to_json(*upkeep_.last_rebuild(), sources_.requery()));
  response.status = 202;
  response.headers.emplace_back("Location", "/v1/stats/rebuild");
  respond(std::move(response));
}

}  // namespace bascule::daemon
