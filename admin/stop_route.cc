#include "admin/stop_route.h"

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "admin/http_json.h"

namespace bascule::admin {
namespace {

std::optional<StopMode> mode_named(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, StopMode>, 3> kModes = {{
      {"suspend", StopMode::kSuspend},
      {"leave", StopMode::kLeave},
      {"leave-when-empty", StopMode::kLeaveWhenEmpty},
  }};
  for (const auto& [known, mode] : kModes) {
    if (known == name) {
      return mode;
    }
  }
  return std::nullopt;
}

}  // namespace

void add_stop_route(Router& router, StopSources sources) {
  router.add(
      "POST", "/v1/stop",
      [sources = std::move(sources)](const HttpRequest& request, const Respond& respond) {
        const auto query = parse_query(request.query, {"mode"});
        const auto given =
            query && query->contains("mode") ? mode_named(query->at("mode")) : std::nullopt;
        if (!given) {
          respond(problem(400, "Bad query",
                          query ? "mode is suspend, leave or leave-when-empty" : query.error()));
          return;
        }
        respond(json_response(202, nlohmann::json{{"mode", query->at("mode")},
                                                  {"conferences", sources.conferences()}}));
        sources.stop(*given, request.principal.name);
      });
}

}  // namespace bascule::admin
