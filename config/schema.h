#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/field.h"

namespace bascule::config {

/// One configuration key. This table is the only place that knows the keys: loading, ranges,
/// `--print-config`, the environment and config/bascule.example.toml all follow it.
struct Key {
  std::string path;  ///< "links.client.host": section and name in the file.
  Field field;
  /// Variables of the stock Jicofo container image with the same meaning, separated by blanks; may
  /// be empty. The first that is set is used when the file says nothing.
  std::string container_variables;
  std::string help;     ///< One or more lines, without a final newline.
  std::string example;  ///< TOML value for keys that have no useful default; may be empty.
};

/// All keys, sections together, in the order of the example file.
const std::vector<Key>& keys();

/// The key with this path, or nullopt. The index counts in `keys()`.
std::optional<std::size_t> find_key(std::string_view path);

/// The variable that overrides a key: "links.client.host" is BASCULE_LINKS_CLIENT_HOST.
std::string environment_variable(const Key& key);

// The parts of the table.
void add_link_keys(std::vector<Key>& table);
void add_conference_keys(std::vector<Key>& table);
void add_selection_keys(std::vector<Key>& table);
void add_selection_rule_keys(std::vector<Key>& table);
void add_service_keys(std::vector<Key>& table);

}  // namespace bascule::config

/// `at` of the builders in field.h: the member of Config a key stands for.
#define BASCULE_CONFIG_AT(member) ([](auto& config) -> auto& { return config.member; })
