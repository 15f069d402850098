#include "stats/sqlite/migrations.h"

#include <array>
#include <string_view>

#include "stats/sqlite/minutes.h"
#include "stats/sqlite/report_file.h"

namespace bascule::stats::sqlite {
namespace {

struct Step {
  std::string_view file;
  std::int64_t from;  // To the next version.
  std::string sql;
};

const std::array<Step, 1>& steps() {
  static const std::array<Step, 1> kAll{{
      // 2: sums per minute outlive the reports. No index by bridge: with many bridges each report
      // would write a page of its own there, twelve times the report; ids ascend with time.
      {kStatsFileName, 1, std::string(kMinuteSchema) + "DROP INDEX ix_sample;"},
  }};
  return kAll;
}

}  // namespace

Result<std::string> migrate(Database& database, StateDirectory& directory, const char* name,
                            std::int64_t from, std::int64_t to) {
  auto folder = directory.make_quarantine("schema-" + std::to_string(from));
  if (!folder) {
    return folder;
  }
  if (auto copied = database.copy_to(*folder + "/" + name); !copied) {
    return tl::make_unexpected(to_error(copied.error()));
  }
  auto done = database.in_transaction([&]() -> SqlResult<> {
    for (std::int64_t version = from; version < to; ++version) {
      for (const Step& step : steps()) {
        if (step.file == name && step.from == version) {
          if (auto changed = database.execute(step.sql); !changed) {
            return changed;
          }
        }
      }
    }
    return database.execute("PRAGMA user_version=" + std::to_string(to));
  });
  if (!done) {
    return tl::make_unexpected(to_error(done.error()));
  }
  return folder;
}

}  // namespace bascule::stats::sqlite
