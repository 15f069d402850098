#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/layers.h"
#include "config/schema.h"

namespace bascule::config {

/// The least that is in order.
inline std::vector<Entry> minimal() {
  return {{.path = "xmpp.domain", .value = std::string("meet.test"), .line = 1},
          {.path = "links.requests.secret", .value = std::string("r"), .line = 2},
          {.path = "links.client.password", .value = std::string("c"), .line = 3},
          {.path = "links.service.secret", .value = std::string("s"), .line = 4}};
}

/// `minimal` with more entries, numbered on from line 10.
inline std::vector<Entry> minimal_and(const std::vector<std::pair<std::string, RawValue>>& more) {
  auto entries = minimal();
  int line = 10;
  for (const auto& [path, value] : more) {
    entries.push_back({.path = path, .value = value, .line = line++});
  }
  return entries;
}

inline Result<std::string> no_files(const std::string& path) {
  return fail(Errc::kNotFound, "cannot be read: no file " + path);
}

/// The errors as an operator reads them.
inline std::vector<std::string> errors_of(const std::vector<Entry>& entries,
                                          const Environment& environment = {}) {
  const auto loaded = assemble(entries, environment, no_files);
  std::vector<std::string> lines;
  if (!loaded) {
    for (const auto& error : loaded.error()) {
      lines.push_back(to_string(error, "f.toml"));
    }
  }
  return lines;
}

}  // namespace bascule::config
