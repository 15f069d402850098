#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "stats/sqlite/database.h"
#include "stats/sqlite/directory.h"

namespace bascule::stats::sqlite {

/// The oldest version of each file that can still be brought up to date.
inline constexpr std::int64_t kOldestSchemaVersion = 1;

/// Brings an open database of ours from schema version `from` to `to` in one transaction: after a
/// crash it has one version or the other. A copy as it was goes to `quarantine/` first; returns
/// where. A new version of a schema needs a step here and a fixture in tests/unit/stats/fixtures.
/// Errors: kUnavailable when it cannot be done; the database is as it was.
Result<std::string> migrate(Database& database, StateDirectory& directory, const char* name,
                            std::int64_t from, std::int64_t to);

}  // namespace bascule::stats::sqlite
