#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "base/result.h"
#include "config/config.h"
#include "config/field.h"

namespace bascule::config {

/// One value of the file.
struct Entry {
  std::string path;
  RawValue value;
  int line = 0;  ///< From 1; 0 when unknown.
};

using Environment = std::map<std::string, std::string>;

/// Reads a secret from a file. Given by the caller, because core code reads no files.
using SecretReader = std::function<Result<std::string>(const std::string& path)>;

/// Where the value of a key comes from.
struct Origin {
  enum class Source { kDefault, kFile, kEnvironment };
  Source source = Source::kDefault;
  int line = 0;             ///< Of the file.
  std::string variable;     ///< Of the environment.
  std::string secret_file;  ///< The file that holds the secret, if one does.
  friend bool operator==(const Origin&, const Origin&) = default;
};

/// "default", "line 12", "environment XMPP_DOMAIN", "file /run/secret".
std::string to_string(const Origin& origin);

struct ConfigError {
  std::string key;
  std::string value;    ///< As it was read; empty for secrets and missing values.
  std::string message;  ///< What is wrong, and what is allowed.
  Origin origin;
  friend bool operator==(const ConfigError&, const ConfigError&) = default;
};

/// One line: `file:line: key = value: message`.
std::string to_string(const ConfigError& error, const std::string& file_name);

struct LoadedConfig {
  Config config;
  std::vector<Origin> origins;  ///< Of each key, as in `keys()`.
};

/// Puts the layers together and checks the result. A value comes from, first match wins: the
/// variable BASCULE_<KEY>, the file, the variables of the stock Jicofo container image, the
/// default. Empty variables count as not set. A secret `x` may also be given as `x-file` or `x-env`
/// (in the file) and BASCULE_<KEY>_FILE.
///
/// Errors: all there are, those of the file first; never empty.
tl::expected<LoadedConfig, std::vector<ConfigError>> assemble(const std::vector<Entry>& file,
                                                              const Environment& environment,
                                                              const SecretReader& read_secret);

}  // namespace bascule::config
