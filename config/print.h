#pragma once

#include <string>
#include <vector>

#include "config/layers.h"

namespace bascule::config {

/// The effective configuration in the file's syntax, each value with its origin. Secrets are
/// comments that say whether they are set and from where.
std::string print_config(const LoadedConfig& loaded);

/// One key as it is in force, for people and programs.
struct EffectiveKey {
  std::string key;       ///< Its path.
  std::string value;     ///< In TOML syntax; of a secret: whether it is set.
  std::string fallback;  ///< The same of the default.
  std::string origin;    ///< As `to_string(Origin)`.
  bool is_secret = false;
  bool reloadable = false;
};
/// All keys, in the order of the example file.
std::vector<EffectiveKey> effective_keys(const LoadedConfig& loaded);

/// The text of config/bascule.example.toml: every key with its default, its range and its help.
std::string print_example();

}  // namespace bascule::config
