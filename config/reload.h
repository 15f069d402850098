#pragma once

#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "config/layers.h"

namespace bascule::config {

/// What a process makes of a configuration that was read again; paths of keys, in the order of
/// `keys()`.
struct Changes {
  std::vector<std::string> applied;
  std::vector<std::string> needs_restart;
};

/// What `running` becomes when the reloadable keys of `fresh` are taken over. Of the others value
/// and origin stay as they are.
struct Merged {
  LoadedConfig config;
  Changes changes;
};

/// Errors: new and old values contradict each other, although those in the file do not; never
/// empty.
tl::expected<Merged, std::vector<ConfigError>> merge(const LoadedConfig& running,
                                                     const LoadedConfig& fresh);

}  // namespace bascule::config
