#pragma once

#include <string>

#include "config/layers.h"

namespace bascule::config {

/// The effective configuration in the file's syntax, each value with its origin. Secrets are
/// comments that say whether they are set and from where.
std::string print_config(const LoadedConfig& loaded);

/// The text of config/bascule.example.toml: every key with its default, its range and its help.
std::string print_example();

}  // namespace bascule::config
