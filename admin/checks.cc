#include "admin/checks.h"

#include <algorithm>
#include <set>
#include <utility>

#include "admin/json.h"
#include "base/time_text.h"

namespace bascule::admin {
namespace {

struct Problem {
  std::string_view reason;
  std::string_view detail;  // Empty: none is known.
};

Problem parsed(std::string_view text) {
  const auto colon = text.find(": ");
  return {.reason = text.substr(0, colon),
          .detail = colon == std::string_view::npos ? std::string_view() : text.substr(colon + 2)};
}

std::string joined_details(const Health& health, std::string_view reason) {
  std::string all;
  for (const std::string& text : health.problems) {
    const Problem found = parsed(text);
    if (found.reason == reason && !found.detail.empty()) {
      all.append(all.empty() ? "" : "; ").append(found.detail);
    }
  }
  return all;
}

Json to_json(const KnownCheck& check, const Health& health, const CheckHistory& history) {
  const auto since = history.since(check.name);
  std::string detail(since ? check.wrong : check.good);
  if (since) {
    const std::string more = joined_details(health, check.name);
    detail += more.empty() ? "" : ": " + more;
  }
  return {{"check", check.name},         {"ok", !since},
          {"needed", check.is_needed},   {"since", since ? Json(to_text(*since)) : Json(nullptr)},
          {"detail", std::move(detail)}, {"help", "docs/operations.md#" + std::string(check.name)}};
}

HttpResponse readiness(const CheckSources& sources) {
  const Health health = sources.health();
  sources.history->look(health, sources.now());
  Json checks = Json::array();
  for (const KnownCheck& check : known_checks()) {
    checks.push_back(to_json(check, health, *sources.history));
  }
  return json_response({{"ready", health.ready}, {"checks", std::move(checks)}});
}

}  // namespace

const std::vector<KnownCheck>& known_checks() {
  static const std::vector<KnownCheck> kChecks = {
      {"client_link_down", true, "the client link is up",
       "the client link to the XMPP server is down"},
      {"service_link_down", true, "the service link is up",
       "the service link to the XMPP server is down"},
      {"requests_link_down", true, "the requests link is up, or not used",
       "the link that conference requests come by is down"},
      {"proxy_unaware", true, "the server's client proxy knows us, or is not used",
       "mod_client_proxy may not know us yet, and refuse requests"},
      {"not_in_brewery", true, "we are in the brewery",
       "the brewery room has not let us in: no bridge can be seen"},
      {"settling", true, "the bridges have settled", "bridges are still arriving"},
      {"no_bridge", true, "there are usable bridges", "not one bridge takes participants"},
      {"rooms_refused", true, "the server lets us create rooms",
       "the server refuses to let us create rooms"},
      {"commit_degraded", false, "changes are durable before they are acted upon",
       "the disk is too slow: what is done now may be lost in a crash"},
      {"stats_blind", false, "bridges tell their load",
       "most bridges tell no load: people are placed by our own counts"},
      {"shutting_down", true, "the process goes on", "the process ends"},
      {"conference_poisoned", false, "no conference is left out",
       "conferences that processes died of are left out"},
      {"store_stalled", false, "the disk answers", "the disk does not answer"},
      {"store_failing", false, "the store takes what is written", "the store cannot be written"},
      {"store_damaged", false, "nothing stored was found damaged", "damage was found in the store"},
      {"ha_alone", false, "a standby is in sync, or none is configured",
       "no standby could take over"},
  };
  return kChecks;
}

void CheckHistory::look(const Health& health, WallTime now) {
  std::set<std::string_view> wrong;
  for (const std::string& text : health.problems) {
    const std::string_view reason = parsed(text).reason;
    wrong.insert(reason);
    since_.try_emplace(std::string(reason), now);
  }
  std::erase_if(since_, [&wrong](const auto& entry) { return !wrong.contains(entry.first); });
}

std::optional<WallTime> CheckHistory::since(std::string_view check) const {
  const auto found = since_.find(check);
  return found == since_.end() ? std::nullopt : std::optional(found->second);
}

void add_readiness_route(Router& router, CheckSources sources) {
  router.add("GET", "/v1/readiness",
             [sources = std::move(sources)](const HttpRequest& request, const Respond& respond) {
               respond(request.query.empty() ? readiness(sources) : no_parameters());
             });
}

}  // namespace bascule::admin
