#include "admin/config_route.h"

#include <memory>
#include <utility>

#include "admin/json.h"
#include "config/print.h"

namespace bascule::admin {
namespace {

constexpr const char* kMasked = "***";

/// What keys hold (texts, numbers, flags and lists of texts) is written in TOML as in JSON.
Json from_toml(const std::string& text) {
  Json value = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  return value.is_discarded() ? Json(text) : value;
}

Json to_json(const config::EffectiveKey& key) {
  const bool is_set = key.value != key.fallback;
  return {
      {"key", key.key},
      {"value", key.is_secret ? (is_set ? Json(kMasked) : Json(nullptr)) : from_toml(key.value)},
      {"origin", key.origin},
      {"default", key.is_secret ? Json(nullptr) : from_toml(key.fallback)},
      {"secret", key.is_secret},
      {"reload", key.reloadable}};
}

HttpResponse effective(const ConfigSources& sources) {
  Json keys = Json::array();
  for (const config::EffectiveKey& key : config::effective_keys(sources.loaded())) {
    keys.push_back(to_json(key));
  }
  return json_response({{"file", sources.file}, {"keys", std::move(keys)}});
}

}  // namespace

void add_config_route(Router& router, ConfigSources given) {
  router.add(
      "GET", "/v1/config",
      [sources = std::make_shared<const ConfigSources>(std::move(given))](
          const HttpRequest& request, const Respond& respond) {
        respond(request.query.empty() ? with_etag(request, effective(*sources)) : no_parameters());
      });
}

}  // namespace bascule::admin
