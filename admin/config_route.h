#pragma once

#include <functional>
#include <string>

#include "admin/http.h"
#include "config/layers.h"

namespace bascule::admin {

struct ConfigSources {
  std::string file;
  std::function<const config::LoadedConfig&()> loaded;
};

///   GET /v1/config   every key with its value, where that comes from, its default, and whether
///                    SIGHUP applies a change; of secrets only whether they are set. ETag.
void add_config_route(Router& router, ConfigSources sources);

}  // namespace bascule::admin
