#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace bascule::ctl {

using Json = nlohmann::ordered_json;

/// What the reader can see: colours, letters beyond ASCII, and how wide a line may be.
struct Style {
  bool colour = false;
  bool unicode = false;
  std::size_t columns = 0;  ///< 0: no limit.
};

enum class Tint { kNone, kGood, kWarn, kBad, kDim, kBold };
std::string tinted(const Style& style, Tint tint, std::string_view text);

// ---- what an answer says -----------------------------------------------------------------------
// An answer may come from another version, and what it quotes from strangers: nothing here throws,
// and no text reaches a terminal with its control characters.

/// Control characters (C0, DEL, C1) become '?', and so do bytes that are not UTF-8.
std::string printable(std::string_view text);
/// A member, or null.
const Json& member(const Json& object, const char* key);
/// A text as it is, `absent` for null or a missing member, everything else as JSON says it.
std::string text_at(const Json& object, const char* key, std::string_view absent = "-");
double number_at(const Json& object, const char* key, double absent = 0);
std::int64_t count_at(const Json& object, const char* key);
bool flag_at(const Json& object, const char* key);
bool has(const Json& object, const char* key);  ///< And it is not null.

// ---- values for people -------------------------------------------------------------------------

/// A share: 0.734 is "73 %".
std::string percent(double share);
/// "80 ms", "1.4 s", "14 s", "3 min 20 s", "2 h 5 min", "3 d 4 h".
std::string duration_text(double milliseconds);
/// RFC 3339 with its fraction cut and blanks around the time: "2026-11-29 12:01:09 UTC".
std::string time_text(const std::string& rfc3339);
/// "1 conference", "3 conferences".
std::string counted(std::int64_t number, std::string_view one, std::string_view many = {});
/// The nick of a bridge in the brewery: what stands behind the '/'; other texts as they are.
std::string nick_of(const std::string& address);
/// How many columns it takes.
std::size_t width_of(std::string_view text);
/// Not wider than `columns`; what is cut shows an ellipsis.
std::string cut(std::string_view text, std::size_t columns, const Style& style);
/// `share` of 1 as a bar of `columns` columns, with a line at `limit` (above 1: none).
std::string bar(double share, double limit, std::size_t columns, const Style& style);
/// Lines of at most `style.columns` (80 when unlimited), broken at blanks; all but the first start
/// with `indent` blanks.
std::string wrapped(std::string_view text, std::size_t indent, const Style& style);

struct Cell {
  std::string text;
  Tint tint = Tint::kNone;
};

/// Columns as wide as their widest cell; the last one is cut at the edge of the screen.
class Table {
 public:
  enum class Align { kLeft, kRight };
  struct Column {
    std::string title;
    Align align = Align::kLeft;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  /// Title line and rows, each with a line break.
  [[nodiscard]] std::string text(const Style& style) const;

 private:
  void append_row(std::string& out, const std::vector<Cell>& row,
                  const std::vector<std::size_t>& widths, const Style& style) const;
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace bascule::ctl
