#include "admin/jicofo_routes.h"

#include <memory>
#include <optional>
#include <utility>

#include "admin/conference_walk.h"
#include "admin/jicofo_debug.h"
#include "admin/jicofo_metrics.h"
#include "admin/jicofo_stats.h"
#include "admin/json.h"
#include "admin/names.h"

namespace bascule::admin {
namespace {

using Sources = std::shared_ptr<const JicofoRouteSources>;
using Walk = std::shared_ptr<ConferenceWalk>;

std::string text_of(const DebugJson& json) {
  return json.dump(-1, ' ', false, DebugJson::error_handler_t::replace);
}

JicofoFigures figures(const JicofoRouteSources& sources) {
  JicofoFigures all = jicofo_figures(sources.focus(), sources.now());
  const Health health = sources.health();
  all.healthy = health.ready;
  for (const std::string& reason : health.problems) {
    all.problems += (all.problems.empty() ? "" : "; ") + reason;
  }
  all.threads = sources.threads();
  return all;
}

/// Answers with `finish` of the object that the walk has written.
void walk(const Walk& walk, const Respond& respond, ConferenceWalk::Tell tell,
          const std::function<std::string(std::string)>& finish) {
  const bool begun = walk->start(std::move(tell), [respond, finish](std::string object) {
    respond(json_text_response(finish(std::move(object)) + "\n"));
  });
  if (!begun) {
    HttpResponse later =
        problem(503, "Busy", "somebody else is being told all conferences; ask again");
    later.headers.emplace_back("Retry-After", "1");
    respond(std::move(later));
  }
}

std::string unchanged(std::string object) {
  return object;
}

ConferenceWalk::Member everything(const focus::ConferenceDetails& details) {
  return std::pair(details.room.to_string(),
                   text_of(jicofo_conference(details, SourceDetail::kWith)));
}

ConferenceWalk::Member size_only(const focus::ConferenceDetails& details) {
  return std::pair(details.room.to_string(), std::to_string(details.members.size()));
}

ConferenceWalk::Member for_rtcstats(const focus::ConferenceDetails& details) {
  if (!is_in_rtcstats(details)) {
    return std::nullopt;
  }
  return std::pair(details.meeting_id, text_of(jicofo_conference(details, SourceDetail::kWithout)));
}

void debug(const Sources& sources, const Walk& all, const HttpRequest& request,
           const Respond& respond) {
  const auto query = parse_query(request.query, {"full"});
  if (!query) {
    respond(bad_request(query.error()));
    return;
  }
  const auto full = query->find("full");
  walk(all, respond, full != query->end() && full->second == "true" ? everything : size_only,
       [sources](const std::string& conferences) {
         // The walk's object is text already: it becomes the first member.
         const std::string rest = text_of(jicofo_debug(sources->focus(), sources->now()));
         return "{\"focus_manager\":" + conferences + "," + rest.substr(1);
       });
}

void one_conference(const Sources& sources, const HttpRequest& request, const Respond& respond) {
  const auto room = room_named(request.segment);
  if (!room) {
    respond(room.error());
    return;
  }
  const auto details = sources->focus().details(*room);
  respond(json_text_response(
      (details ? text_of(jicofo_conference(*details, SourceDetail::kWith)) : std::string("{}")) +
      "\n"));
}

HttpResponse rooms(const JicofoRouteSources& sources) {
  Json list = Json::array();
  sources.focus().conferences_after(std::nullopt, [&list](const focus::ConferenceSummary& one) {
    list.push_back(one.room.to_string());
    return true;
  });
  return json_response(list);
}

}  // namespace

void add_jicofo_routes(Router& router, JicofoRouteSources given) {
  const auto sources = std::make_shared<const JicofoRouteSources>(std::move(given));
  const auto all = std::make_shared<ConferenceWalk>(
      ConferenceWalk::Sources{.focus = sources->focus, .later = sources->later});
  const auto get = [&router](std::string_view path, Handler handler) {
    router.add("GET", path, std::move(handler));
  };
  get("/stats", [sources](const HttpRequest&, const Respond& respond) {
    respond(json_response(jicofo_stats(figures(*sources))));
  });
  get("/metrics/jicofo", [sources](const HttpRequest& request, const Respond& respond) {
    respond(jicofo_metrics(figures(*sources), request.accept));
  });
  get("/rtcstats", [all](const HttpRequest&, const Respond& respond) {
    walk(all, respond, for_rtcstats, unchanged);
  });
  get("/debug", [sources, all](const HttpRequest& request, const Respond& respond) {
    debug(sources, all, request, respond);
  });
  get("/debug/conferences",
      [sources](const HttpRequest&, const Respond& respond) { respond(rooms(*sources)); });
  get("/debug/conferences-full", [all](const HttpRequest&, const Respond& respond) {
    walk(all, respond, everything, unchanged);
  });
  get("/debug/conference/{}", [sources](const HttpRequest& request, const Respond& respond) {
    one_conference(sources, request, respond);
  });
  get("/debug/xmpp-caps", [sources](const HttpRequest&, const Respond& respond) {
    respond(json_text_response(text_of(jicofo_caps(sources->focus().capabilities())) + "\n"));
  });
}

}  // namespace bascule::admin
