#pragma once

#include <nlohmann/json.hpp>

#include "stats/load_report.h"
#include "stats/sqlite/maintenance.h"
#include "stats/sqlite/rebuild.h"
#include "stats/sqlite/store.h"

namespace bascule::stats::sqlite {

// What is known of a store as JSON, the same over HTTP and from basculectl. Times are RFC 3339,
// loads are shares (1 is full), what is not known is null.

using Json = nlohmann::ordered_json;

[[nodiscard]] Json to_json(const Finding& finding);
[[nodiscard]] Json to_json(const DirectoryCheck& check);
[[nodiscard]] Json to_json(const History& history);
[[nodiscard]] Json to_json(const Rebuilt& rebuilt);
/// The running store and what its start found.
[[nodiscard]] Json to_json(const StoreStatus& status, const LoadReport& load);

}  // namespace bascule::stats::sqlite
