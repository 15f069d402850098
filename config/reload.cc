#include "config/reload.h"

#include <utility>

#include "config/schema.h"
#include "config/validate.h"

namespace bascule::config {
namespace {

bool is_same(const Field& field, const Config& a, const Config& b) {
  return field.is_same ? field.is_same(a, b) : field.print(a) == field.print(b);
}

bool is_default(const Origin& origin) {
  return origin.source == Origin::Source::kDefault;
}

}  // namespace

tl::expected<Merged, std::vector<ConfigError>> merge(const LoadedConfig& running,
                                                     const LoadedConfig& fresh) {
  Merged merged{.config = running, .changes = {}};
  for (std::size_t i = 0; i < keys().size(); ++i) {
    const Field& field = keys()[i].field;
    const bool same = is_same(field, running.config, fresh.config);
    if (!same && !field.reloadable) {
      if (!is_default(running.origins[i]) || !is_default(fresh.origins[i])) {
        merged.changes.needs_restart.push_back(keys()[i].path);
      }  // Otherwise it is derived from others, which are named.
      continue;
    }
    if (!same) {
      field.copy(merged.config.config, fresh.config);
      merged.changes.applied.push_back(keys()[i].path);
    }
    merged.config.origins[i] = fresh.origins[i];
  }
  if (!merged.changes.applied.empty()) {
    if (auto errors = validate(merged.config); !errors.empty()) {
      return tl::make_unexpected(std::move(errors));
    }
  }
  return merged;
}

}  // namespace bascule::config
