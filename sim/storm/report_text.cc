#include <algorithm>
#include <array>
#include <cstdio>

#include "base/check.h"
#include "sim/storm/report.h"

namespace bascule::sim::storm {
namespace {

constexpr std::size_t kTextColumns =
    2;  // Scenario and policy come first; the fleet is text as well.
constexpr std::string_view kFleetColumn = "fleet";

std::string format(double value, int digits, Precision precision) {
  std::array<char, 40> text{};
  const bool exact = precision == Precision::kExact;
  std::snprintf(text.data(), text.size(), exact ? "%.*g" : "%.*f", exact ? 9 : digits, value);
  return text.data();
}

bool is_text(std::size_t column) {
  return column < kTextColumns || columns()[column].name == kFleetColumn;
}

}  // namespace

const std::vector<Column>& columns() {
  static const std::vector<Column> kColumns = {
      {"scenario", "Sc."},
      {"policy", "policy"},
      {"bridges", "B"},
      {"fleet", "fleet"},
      {"seeds", "seeds"},
      {"kills", "kills"},
      {"bridges_killed", "br. killed"},
      {"max_stress", "max S"},
      {"over_s_per_user", "over-s/user"},
      {"down_p50_s", "down p50"},
      {"down_p99_s", "p99"},
      {"down_max_s", "max"},
      {"jain", "Jain"},
      {"splits", "split"},
      {"moves", "moved"},
      {"unplaced", "unplaced"},
      {"optimum_ratio", "/optimum"},
  };
  return kColumns;
}

std::vector<std::string> cells(const Row& row, Precision precision) {
  const auto number = [&](double value, int digits) { return format(value, digits, precision); };
  return {row.scenario,
          row.policy,
          std::to_string(row.bridges),
          row.fleet,
          std::to_string(row.seeds),
          number(row.kills, 1),
          number(row.bridges_killed, 1),
          number(row.max_stress, 2),
          number(row.over_s_per_user, 1),
          number(row.down_p50_s, 1),
          number(row.down_p99_s, 1),
          number(row.down_max_s, 0),
          number(row.jain, 2),
          number(row.splits, 0),
          number(row.moves, 0),
          number(row.unplaced, 0),
          row.optimum_ratio ? number(*row.optimum_ratio, 2) : ""};
}

std::string table_of(const std::vector<Row>& rows) {
  std::vector<std::vector<std::string>> lines(1);
  for (const Column& column : columns()) {
    lines[0].emplace_back(column.heading);
  }
  for (const Row& row : rows) {
    lines.push_back(cells(row, Precision::kForPeople));
  }
  std::string text;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    for (std::size_t column = 0; column < columns().size(); ++column) {
      std::size_t width = 0;
      for (const auto& line : lines) {
        width = std::max(width, line[column].size());
      }
      const std::string& cell = lines[i][column];
      const std::string padding(width - cell.size(), ' ');
      text += column == 0 ? "" : "  ";
      text += is_text(column) ? cell + padding : padding + cell;
    }
    text += '\n';
  }
  return text;
}

std::string csv_of(const std::vector<Row>& rows) {
  std::string text;
  const auto add = [&](const auto& line, const auto& cell_of) {
    bool first = true;
    for (const auto& cell : line) {
      text += first ? "" : ",";
      text += cell_of(cell);
      first = false;
    }
    text += '\n';
  };
  add(columns(), [](const Column& column) { return column.name; });
  for (const Row& row : rows) {
    add(cells(row, Precision::kExact), [](const std::string& cell) { return cell; });
  }
  return text;
}

std::string json_of(const std::vector<Row>& rows) {
  std::string text = "{\"rows\":[";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto line = cells(rows[i], Precision::kExact);
    BASCULE_CHECK(line.size() == columns().size());
    text += i == 0 ? "\n{" : ",\n{";
    for (std::size_t column = 0; column < line.size(); ++column) {
      // Names and numbers only: nothing needs escaping.
      const std::string value = is_text(column)        ? '"' + line[column] + '"'
                                : line[column].empty() ? "null"
                                                       : line[column];
      text += column == 0 ? "" : ",";
      text += '"' + std::string(columns()[column].name) + "\":" + value;
    }
    text += '}';
  }
  return text + "\n]}\n";
}

}  // namespace bascule::sim::storm
