#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/storm/metrics.h"

namespace bascule::sim::storm {

/// Columns in their order, shared by table, CSV and JSON.
struct Column {
  std::string_view name;     ///< In files.
  std::string_view heading;  ///< For people.
};
[[nodiscard]] const std::vector<Column>& columns();
enum class Precision { kForPeople, kExact };
/// A row as text, by column; "" where a value is undefined.
[[nodiscard]] std::vector<std::string> cells(const Row& row, Precision precision);

[[nodiscard]] std::string table_of(const std::vector<Row>& rows);
[[nodiscard]] std::string csv_of(const std::vector<Row>& rows);
/// {"rows":[{...}]}; an undefined value is null.
[[nodiscard]] std::string json_of(const std::vector<Row>& rows);

/// What the page shows besides the table, of the first seed.
struct Plot {
  std::string scenario, title, policy;
  std::vector<LoadPoint> load;
  std::vector<double> down_s;  ///< Ascending.
};
/// A page of its own: no external parts, light and dark.
[[nodiscard]] std::string html_of(const std::vector<Row>& rows, const std::vector<Plot>& plots);

}  // namespace bascule::sim::storm
