#include "daemon/stats_routes.h"

#include <charconv>
#include <utility>

#include <boost/asio/post.hpp>

#include "base/time_text.h"
#include "daemon/clock.h"
#include "stats/sqlite/json.h"
#include "stats/sqlite/maintenance.h"

namespace bascule::daemon {
namespace {

using admin::HttpRequest;
using admin::HttpResponse;
using admin::problem;
using admin::Respond;
using stats::sqlite::HistoryQuery;
using stats::sqlite::Json;

constexpr int kWaitingMax = 16;
constexpr std::chrono::hours kHistoryDefault{1};

HttpResponse json(const Json& body) {
  return {.status = 200,
          .content_type = "application/json",
          .body = body.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n",
          .headers = {}};
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

StatsRoutes::StatsRoutes(boost::asio::io_context& io, const stats::sqlite::Store& store,
                         std::string directory)
    : io_(io), store_(store), directory_(std::move(directory)) {
}

StatsRoutes::~StatsRoutes() {
  thread_.stop();
  thread_.join();
}

void StatsRoutes::answer_later(Respond respond, std::function<HttpResponse()> work) {
  if (*waiting_ >= kWaitingMax) {
    respond(problem(503, "Too many requests", "others wait for the store already"));
    return;
  }
  ++*waiting_;
  boost::asio::post(thread_, [&io = io_, waiting = waiting_, respond = std::move(respond),
                              work = std::move(work)]() mutable {
    boost::asio::post(io, [waiting, respond = std::move(respond), response = work()]() mutable {
      --*waiting;
      respond(std::move(response));
    });
  });
}

void StatsRoutes::add_to(admin::Router& router) {
  router.add("GET", "/v1/stats/health", [this](const HttpRequest&, const Respond& respond) {
    respond(json(stats::sqlite::to_json(store_.status(), store_.load_report())));
  });
  router.add("POST", "/v1/stats/verify", [this](const HttpRequest&, Respond respond) {
    answer_later(std::move(respond), [directory = directory_] {
      const auto check = stats::sqlite::check_directory(directory);
      return check ? json(to_json(*check)) : failed(check.error());
    });
  });
  router.add("GET", "/v1/bridges/{}/history", [this](const HttpRequest& request, Respond respond) {
    const auto query = history_query(request, read_clocks().wall);
    if (!query) {
      respond(problem(400, "Bad query", query.error()));
      return;
    }
    answer_later(std::move(respond), [directory = directory_, query = *query] {
      const auto history = stats::sqlite::read_history(directory, query);
      return history ? json(to_json(*history)) : failed(history.error());
    });
  });
}

}  // namespace bascule::daemon
