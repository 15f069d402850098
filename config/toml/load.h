#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "config/layers.h"

namespace bascule::config {

/// The values of a TOML text in file order. Errors: what is wrong with the syntax, with its line.
tl::expected<std::vector<Entry>, std::vector<ConfigError>> parse_toml(std::string_view text);

/// The whole way: reads the file (an empty path means none), the secret files it names, and puts
/// the layers together. Errors: all of them; see `to_string(ConfigError, file_name)`.
tl::expected<LoadedConfig, std::vector<ConfigError>> load(const std::string& path,
                                                          const Environment& environment);

/// The environment of this process.
Environment process_environment();

}  // namespace bascule::config
