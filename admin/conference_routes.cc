#include "admin/conference_routes.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "admin/json.h"
#include "admin/names.h"
#include "base/time_text.h"
#include "focus/orders.h"

namespace bascule::admin {
namespace {

using focus::ConferenceSummary;
using focus::ConferenceView;
using focus::DecisionRecord;
using focus::ParticipantView;

constexpr std::size_t kNamesMax = 4'000;     // Looked at for one page,
constexpr std::size_t kMembersMax = 10'000;  // and told of in it.
constexpr std::size_t kDecisionsTold = 20;
constexpr QueryNumber kLimit{.name = "limit", .fallback = 50, .min = 1, .max = 1'000};

std::string_view name_of(focus::ParticipantRole role) {
  constexpr std::array<std::string_view, 3> kNames = {"visitor", "participant", "moderator"};
  return kNames.at(static_cast<std::size_t>(role));
}

std::string_view name_of(focus::ParticipantKind kind) {
  constexpr std::array<std::string_view, 5> kNames = {"user", "visitor", "jibri", "jigasi",
                                                      "transcriber"};
  return kNames.at(static_cast<std::size_t>(kind));
}

std::optional<std::string_view> if_known(std::string_view text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

// ---- a page of conferences ---------------------------------------------------------------------

struct PageQuery {
  std::string search;                         // Lower case, as names of rooms are.
  std::optional<std::vector<RoomJid>> rooms;  // With people on the bridge asked for; in order.
  std::size_t limit = 0;
  std::optional<RoomJid> after;
};

struct Page {
  std::vector<ConferenceSummary> conferences;
  std::size_t names = 0;
  std::size_t members = 0;
  std::optional<RoomJid> last;
  bool is_last = true;
};

bool is_wanted(const ConferenceSummary& summary, const PageQuery& query) {
  return summary.room.jid().local().find(query.search) != std::string::npos &&
         (!query.rooms ||
          std::binary_search(query.rooms->begin(), query.rooms->end(), summary.room));
}

Page page_of(const focus::Focus& focus, const PageQuery& query) {
  Page page;
  focus.conferences_after(query.after, [&](const ConferenceSummary& summary) {
    if (page.names == kNamesMax || page.conferences.size() == query.limit ||
        page.members >= kMembersMax) {
      page.is_last = false;
      return false;
    }
    ++page.names;
    page.last = summary.room;
    if (is_wanted(summary, query)) {
      page.members += summary.participants;
      page.conferences.push_back(summary);
    }
    return true;
  });
  return page;
}

tl::expected<PageQuery, HttpResponse> page_query(const ConferenceSources& sources,
                                                 const std::string& text) {
  const auto given = parse_query(text, {"search", "bridge", "limit", "after"});
  if (!given) {
    return tl::make_unexpected(bad_request(given.error()));
  }
  const auto limit = number_of(*given, kLimit);
  if (!limit) {
    return tl::make_unexpected(bad_request(limit.error()));
  }
  PageQuery query{
      .search = text_of(*given, "search").value_or(""), .rooms = {}, .limit = *limit, .after = {}};
  std::transform(query.search.begin(), query.search.end(), query.search.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (const auto after = text_of(*given, "after")) {
    query.after = find_room(*after);
    if (!query.after) {
      return tl::make_unexpected(bad_request("after is what the page before said as next"));
    }
  }
  if (const auto name = text_of(*given, "bridge")) {
    const focus::Placement& placement = sources.focus->placement();
    const auto bridge = bridge_named(*name, placement, sources.now());
    if (!bridge) {
      return tl::make_unexpected(bridge.error());
    }
    query.rooms = placement.conferences_on(*bridge);
    std::sort(query.rooms->begin(), query.rooms->end());
  }
  return query;
}

/// Its members, into an object that may have more of them.
void write_summary(const ConferenceSummary& summary, const focus::Placement& placement,
                   JsonWriter& json) {
  json.member("room", summary.room.to_string());
  json.member("meeting_id", if_known(summary.meeting_id));
  json.member("created_at", to_text(summary.created));
  json.member("state", focus::name_of(summary.state));
  json.member("sessions", summary.sessions);
  json.key("bridges");
  json.begin_array();
  for (const auto& [bridge, participants] : placement.spread_of(summary.room)) {
    json.begin_object();
    json.member("bridge", bridge.to_string());
    json.member("participants", participants);
    json.end_object();
  }
  json.end_array();
}

HttpResponse listing(const ConferenceSources& sources, const std::string& query_text) {
  const auto query = page_query(sources, query_text);
  if (!query) {
    return query.error();
  }
  const Page page = page_of(*sources.focus, *query);
  JsonWriter json;
  json.begin_object();
  json.key("conferences");
  json.begin_array();
  for (const ConferenceSummary& summary : page.conferences) {
    json.begin_object();
    write_summary(summary, sources.focus->placement(), json);
    json.member("participants", summary.participants);
    json.end_object();
  }
  json.end_array();
  json.member("next", page.is_last ? std::nullopt : std::optional(page.last->to_string()));
  json.member("total", sources.focus->conference_count());
  json.member("looked_at", page.names);
  json.end_object();
  return json_text_response(json.take());
}

// ---- one conference ----------------------------------------------------------------------------

/// The rule of the latest placement of each; absent: too long ago, or by another process.
using Rules = std::map<std::string, std::string_view, std::less<>>;

Rules rules_of(const std::vector<DecisionRecord>& newest_first) {
  Rules rules;
  for (const DecisionRecord& record : newest_first) {
    if (record.reason) {
      rules.try_emplace(record.ticket.participant.jid().resource(),
                        focus::to_string(*record.reason));
    }
  }
  return rules;
}

/// Its members, into an object that may have more of them.
void write_participant(const RoomJid& room, const ParticipantView& view, const Rules& rules,
                       const ConferenceSources& sources, JsonWriter& json) {
  const Now now = sources.now();
  const focus::Placement& placement = sources.focus->placement();
  const OccupantJid occupant(room.jid().with_resource(view.endpoint.value()));
  const auto place = placement.place_of(occupant, now);
  const auto waiting = placement.waiting_for(occupant);
  const auto rule = rules.find(view.endpoint.value());
  json.member("endpoint", view.endpoint.value());
  json.member("state", focus::name_of(view.state));
  json.member("bridge", view.bridge ? std::optional(view.bridge->to_string()) : std::nullopt);
  json.member("sid", if_known(view.sid));
  json.member("role", name_of(view.role));
  json.member("kind", name_of(view.kind));
  json.member("region", if_known(view.region));
  json.member("stats_id", if_known(view.stats_id));
  json.member("audio_muted", view.audio_muted);
  json.member("video_muted", view.video_muted);
  json.member("joined_at", to_text(view.joined));
  json.member("placed_at", place ? std::optional(to_text(now.wall - place->age)) : std::nullopt);
  json.member("rule", place && rule != rules.end() ? std::optional(rule->second) : std::nullopt);
  json.member("waiting", waiting ? std::optional(focus::to_string(*waiting)) : std::nullopt);
}

void write_pin(const RoomJid& room, const ConferenceSources& sources, JsonWriter& json) {
  const auto& pins = sources.focus->orders().pins();
  const auto pin = pins.find(room);
  json.key("pin");
  if (pin == pins.end() || pin->second.until <= sources.now().wall) {
    json.null();
    return;
  }
  json.begin_object();
  json.member("room", room.to_string());
  json.member("version", pin->second.version);
  json.member("until", to_text(pin->second.until));
  json.member("by", pin->second.by);
  json.end_object();
}

HttpResponse no_conference(const std::string& room) {
  return not_found("there is no conference in " + room +
                   "; GET /v1/conferences?search=NAME finds those there are");
}

/// nullopt: not the address of a room, or nobody is there.
std::optional<ConferenceView> conference_in(const ConferenceSources& sources,
                                            const std::string& text) {
  const auto room = find_room(text);
  return room ? sources.focus->conference(*room) : std::nullopt;
}

HttpResponse one_conference(const ConferenceSources& sources, const std::string& room_text) {
  const auto view = conference_in(sources, room_text);
  if (!view) {
    return no_conference(room_text);
  }
  const focus::Placement& placement = sources.focus->placement();
  const RoomJid& room = view->summary.room;
  const Rules rules = rules_of(placement.explain(room, kDecisionsSearched));
  JsonWriter json;
  json.begin_object();
  write_summary(view->summary, placement, json);
  json.key("participants");
  json.begin_array();
  for (const ParticipantView& participant : view->participants) {
    json.begin_object();
    write_participant(room, participant, rules, sources, json);
    json.end_object();
  }
  json.end_array();
  write_pin(room, sources, json);
  json.end_object();
  return json_text_response(json.take());
}

HttpResponse one_participant(const ConferenceSources& sources, const std::string& room_text,
                             const std::string& endpoint) {
  const auto view = conference_in(sources, room_text);
  if (!view) {
    return no_conference(room_text);
  }
  const RoomJid& room = view->summary.room;
  const auto participant = std::find_if(
      view->participants.begin(), view->participants.end(),
      [&endpoint](const ParticipantView& each) { return each.endpoint.value() == endpoint; });
  if (participant == view->participants.end()) {
    return not_found("nobody in " + room_text + " has the endpoint " + endpoint);
  }
  const auto records = decisions_about(sources.focus->placement(), room, endpoint, kDecisionsTold);
  JsonWriter json;
  json.begin_object();
  json.member("room", room.to_string());
  write_participant(room, *participant, rules_of(records), sources, json);
  json.key("decisions");
  write_decisions(
      records, sources.earlier,
      [&](const focus::op::Decision& each) {
        return each.room == room && each.endpoint.value() == endpoint;
      },
      kDecisionsTold, sources.now(), json);
  json.end_object();
  return json_text_response(json.take());
}

}  // namespace

void add_conference_routes(Router& router, ConferenceSources given) {
  const auto sources = std::make_shared<const ConferenceSources>(std::move(given));
  router.add("GET", "/v1/conferences",
             [sources](const HttpRequest& request, const Respond& respond) {
               respond(listing(*sources, request.query));
             });
  router.add("GET", "/v1/conferences/{}",
             [sources](const HttpRequest& request, const Respond& respond) {
               respond(request.query.empty() ? one_conference(*sources, request.segment)
                                             : no_parameters());
             });
  router.add("GET", "/v1/conferences/{}/participants/{}",
             [sources](const HttpRequest& request, const Respond& respond) {
               respond(request.query.empty() ? one_participant(*sources, request.segments.at(0),
                                                               request.segments.at(1))
                                             : no_parameters());
             });
}

}  // namespace bascule::admin
