#include "admin/log_level_route.h"

#include <array>
#include <memory>
#include <string>
#include <utility>

#include <tl/expected.hpp>

#include "admin/json.h"
#include "base/check.h"

namespace bascule::admin {
namespace {

using focus::NoteLevel;

constexpr std::array<std::pair<NoteLevel, std::string_view>, 4> kLevels = {{
    {NoteLevel::kDebug, "debug"},
    {NoteLevel::kInfo, "info"},
    {NoteLevel::kWarn, "warn"},
    {NoteLevel::kError, "error"},
}};

tl::expected<NoteLevel, HttpResponse> level_in(const HttpRequest& request) {
  const auto body = json_object_body(request);
  if (!body) {
    return tl::make_unexpected(body.error());
  }
  const auto given = body->find("level");
  if (body->size() == 1 && given != body->end() && given->is_string()) {
    for (const auto& [level, name] : kLevels) {
      if (given->get_ref<const std::string&>() == name) {
        return level;
      }
    }
  }
  return tl::make_unexpected(
      bad_request(R"(the body is {"level": "debug"}, or with "info", "warn" or "error")"));
}

HttpResponse told(NoteLevel level) {
  return json_response({{"level", name_of(level)}});
}

}  // namespace

std::string_view name_of(NoteLevel level) {
  for (const auto& [known, name] : kLevels) {
    if (known == level) {
      return name;
    }
  }
  check_failed("level is one of NoteLevel", __FILE__, __LINE__);
}

void add_log_level_routes(Router& router, LogLevelSources given) {
  const auto sources = std::make_shared<const LogLevelSources>(std::move(given));
  router.add("GET", "/v1/log-level", [sources](const HttpRequest& request, const Respond& respond) {
    respond(request.query.empty() ? told(sources->level()) : no_parameters());
  });
  router.add("PUT", "/v1/log-level", Role::kAdmin,
             [sources](const HttpRequest& request, const Respond& respond) {
               const auto level = level_in(request);
               if (!level) {
                 respond(level.error());
                 return;
               }
               sources->set_level(*level, request.principal.name,
                                  [sources, respond](const Result<>& done) {
                                    respond(done ? told(sources->level())
                                                 : problem(503, "Not recorded", done.error().what));
                                  });
             });
}

}  // namespace bascule::admin
