#include "admin/load_route.h"

#include <memory>
#include <utility>

#include "admin/bridge_json.h"
#include "admin/json.h"
#include "admin/names.h"
#include "base/time_text.h"

namespace bascule::admin {
namespace {

constexpr std::size_t kValuesMax = 60'000;
constexpr std::size_t kSampleSeconds = LoadHistory::kInterval / std::chrono::seconds{1};
constexpr std::size_t kMinute = 60;
constexpr QueryNumber kMinutes{.name = "minutes", .fallback = 60, .min = 1, .max = 60};
constexpr QueryNumber kStep{.name = "step", .fallback = 0, .min = kSampleSeconds, .max = 3'600};

/// Whole minutes, so that charts of different fleets can be laid over each other.
std::size_t smallest_step(std::size_t seconds, std::size_t bridges) {
  std::size_t step = kMinute;
  while (seconds / step * bridges > kValuesMax && step < seconds) {
    step += kMinute;
  }
  return step;
}

HttpResponse to_response(const std::vector<LoadHistory::Line>& lines, std::size_t seconds,
                         std::size_t step, WallTime newest) {
  JsonWriter json;
  json.begin_object();
  json.member("from", to_text(newest - std::chrono::seconds{seconds / step * step}));
  json.member("step_s", step);
  json.key("limit");
  json.begin_object();
  for (const LoadHistory::Line& line : lines) {
    json.member(line.nick, line.limit);
  }
  json.end_object();
  json.key("bridges");
  json.begin_object();
  for (const LoadHistory::Line& line : lines) {
    json.key(line.nick);
    json.begin_array();
    for (const std::optional<double>& load : line.loads) {
      json.value(load);
    }
    json.end_array();
  }
  json.end_object();
  json.end_object();
  return json_text_response(json.take());
}

HttpResponse load(const PlacementSources& sources, const LoadHistory& history,
                  const std::string& query_text) {
  const auto query = parse_query(query_text, {"minutes", "step", "bridge"});
  if (!query) {
    return bad_request(query.error());
  }
  const auto minutes = number_of(*query, kMinutes);
  const auto given_step = number_of(*query, kStep);
  if (!minutes || !given_step) {
    return bad_request(minutes ? given_step.error() : minutes.error());
  }
  const std::size_t seconds = *minutes * kMinute;
  if (*given_step % kSampleSeconds != 0 || *given_step > seconds) {
    return bad_request("step is a multiple of 10 s and not longer than the whole time");
  }
  const auto name = text_of(*query, "bridge");
  const auto bridge = name ? find_bridge(*name, sources.placement(), sources.now()) : std::nullopt;
  if (name && !bridge) {
    return not_found("no bridge is known as " + *name);
  }
  const std::size_t bridges = bridge ? 1 : history.bridge_count();
  const std::size_t step = *given_step == 0 ? smallest_step(seconds, bridges) : *given_step;
  const std::size_t steps = seconds / step;
  if (steps * bridges > kValuesMax) {
    return bad_request("that are more than 60000 values: take a longer step, or one bridge");
  }
  const std::size_t samples = step / kSampleSeconds;
  return to_response(bridge ? history.line(*bridge, steps, samples) : history.lines(steps, samples),
                     seconds, step, history.newest().value_or(sources.now().wall));
}

}  // namespace

void add_load_route(Router& router, PlacementSources given, const LoadHistory& history) {
  router.add("GET", "/v1/load",
             [sources = std::make_shared<const PlacementSources>(std::move(given)), &history](
                 const HttpRequest& request, const Respond& respond) {
               respond(load(*sources, history, request.query));
             });
}

}  // namespace bascule::admin
