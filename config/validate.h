#pragma once

#include <vector>

#include "config/layers.h"

namespace bascule::config {

/// What no key can tell alone: missing values and values that contradict each other. All errors.
std::vector<ConfigError> validate(const LoadedConfig& loaded);

/// Fills in what is derived: empty domains, ports and addresses, and the deployment part of
/// `Config::focus`. Only for a config that `validate` found in order.
void derive(Config& config);

}  // namespace bascule::config
