#include "config/schema.h"

#include <algorithm>

namespace bascule::config {

const std::vector<Key>& keys() {
  static const std::vector<Key> table = [] {
    std::vector<Key> all;
    add_link_keys(all);
    add_conference_keys(all);
    add_selection_keys(all);
    add_service_keys(all);
    return all;
  }();
  return table;
}

std::optional<std::size_t> find_key(std::string_view path) {
  const auto& table = keys();
  const auto found =
      std::find_if(table.begin(), table.end(), [path](const Key& key) { return key.path == path; });
  if (found == table.end()) {
    return std::nullopt;
  }
  return static_cast<std::size_t>(found - table.begin());
}

std::string environment_variable(const Key& key) {
  std::string name = "BASCULE_" + key.path;
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    if (c == '.' || c == '-') {
      return '_';
    }
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return name;
}

}  // namespace bascule::config
