#include "ctl/text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cwchar>

namespace bascule::ctl {
namespace {

/// One character of UTF-8. `length` 0: no valid one begins here.
struct Letter {
  char32_t code = 0;
  std::size_t length = 0;
};

Letter letter_at(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) {
    return {byte(0), 1};
  }
  const std::size_t length = byte(0) >= 0xF0 ? 4 : byte(0) >= 0xE0 ? 3 : 2;
  if (byte(0) < 0xC2 || byte(0) > 0xF4 || text.size() < length) {
    return {};
  }
  char32_t code = byte(0) & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) {
      return {};
    }
    code = (code << 6U) | (byte(i) & 0x3FU);
  }
  constexpr std::array<char32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = code >= 0xD800 && code < 0xE000;
  return code < kSmallest.at(length) || code > 0x10FFFF || is_surrogate ? Letter{}
                                                                        : Letter{code, length};
}

/// Depends on the locale; in one that does not know the letter: one column.
std::size_t columns_of(char32_t code) {
  const int columns = code < 0x80 ? 1 : ::wcwidth(static_cast<wchar_t>(code));
  return columns < 0 ? 1 : static_cast<std::size_t>(columns);
}

std::string number(double value, int digits) {
  std::array<char, 32> out{};
  std::snprintf(out.data(), out.size(), "%.*f", digits, value);
  return out.data();
}

void append_padded(std::string& out, const Cell& cell, std::size_t width, Table::Align align,
                   const Style& style) {
  const std::size_t taken = width_of(cell.text);
  const std::string blanks(width > taken ? width - taken : 0, ' ');
  out += align == Table::Align::kRight ? blanks : "";
  out += tinted(style, cell.tint, cell.text);
  out += align == Table::Align::kLeft ? blanks : "";
}

}  // namespace

std::string tinted(const Style& style, Tint tint, std::string_view text) {
  constexpr std::array<const char*, 6> kCodes = {"", "32", "33", "1;31", "2", "1"};
  if (!style.colour || tint == Tint::kNone || text.empty()) {
    return std::string(text);
  }
  return std::string("\x1b[") + kCodes.at(static_cast<std::size_t>(tint)) + "m" +
         std::string(text) + "\x1b[0m";
}

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Letter letter = letter_at(text);
    const bool is_control = letter.code < 0x20 || (letter.code >= 0x7F && letter.code < 0xA0);
    if (letter.length == 0 || is_control) {
      out += '?';
    } else {
      out += text.substr(0, letter.length);
    }
    text.remove_prefix(std::max<std::size_t>(letter.length, 1));
  }
  return out;
}

const Json& member(const Json& object, const char* key) {
  static const Json nothing;
  if (!object.is_object()) {
    return nothing;
  }
  const auto found = object.find(key);
  return found == object.end() ? nothing : *found;
}

std::string text_at(const Json& object, const char* key, std::string_view absent) {
  const Json& value = member(object, key);
  if (value.is_null()) {
    return std::string(absent);
  }
  return printable(value.is_string() ? value.get<std::string>()
                                     : value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

double number_at(const Json& object, const char* key, double absent) {
  const Json& value = member(object, key);
  return value.is_number() ? value.get<double>() : absent;
}

std::int64_t count_at(const Json& object, const char* key) {
  return static_cast<std::int64_t>(std::llround(number_at(object, key)));
}

bool flag_at(const Json& object, const char* key) {
  const Json& value = member(object, key);
  return value.is_boolean() && value.get<bool>();
}

bool has(const Json& object, const char* key) {
  return !member(object, key).is_null();
}

std::string percent(double share) {
  return number(share * 100, 0) + " %";
}

std::string duration_text(double milliseconds) {
  const auto pair = [](std::int64_t big, const char* big_unit, std::int64_t small,
                       const char* small_unit) {
    return std::to_string(big) + big_unit +
           (small == 0 ? std::string() : " " + std::to_string(small) + small_unit);
  };
  const double seconds = milliseconds / 1000;
  if (milliseconds < 995) {
    return number(milliseconds, 0) + " ms";
  }
  if (seconds < 9.95) {
    return number(seconds, 1) + " s";
  }
  const auto whole = static_cast<std::int64_t>(seconds);
  if (whole < 60) {
    return std::to_string(whole) + " s";
  }
  if (whole < 3600) {
    return pair(whole / 60, " min", whole % 60, " s");
  }
  return whole < 86'400 ? pair(whole / 3600, " h", whole % 3600 / 60, " min")
                        : pair(whole / 86'400, " d", whole % 86'400 / 3600, " h");
}

std::string time_text(const std::string& rfc3339) {
  constexpr std::size_t kSeconds = 19;  // 2026-11-29T12:01:09
  if (rfc3339.size() <= kSeconds || rfc3339[10] != 'T' || rfc3339.back() != 'Z') {
    return rfc3339;
  }
  return rfc3339.substr(0, 10) + " " + rfc3339.substr(11, 8) + " UTC";
}

std::string counted(std::int64_t number, std::string_view one, std::string_view many) {
  std::string text = std::to_string(number) + " ";
  if (number == 1) {
    return text.append(one);
  }
  return many.empty() ? text.append(one).append("s") : text.append(many);
}

std::string nick_of(const std::string& address) {
  const auto slash = address.find('/');
  return slash == std::string::npos ? address : address.substr(slash + 1);
}

std::size_t width_of(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const Letter letter = letter_at(text);
    width += letter.length == 0 ? 1 : columns_of(letter.code);
    text.remove_prefix(std::max<std::size_t>(letter.length, 1));
  }
  return width;
}

std::string cut(std::string_view text, std::size_t columns, const Style& style) {
  if (columns == 0 || width_of(text) <= columns) {
    return std::string(text);
  }
  std::string out;
  std::size_t width = 0;
  while (!text.empty()) {
    const Letter letter = letter_at(text);
    width += letter.length == 0 ? 1 : columns_of(letter.code);
    if (width >= columns) {
      break;
    }
    const std::size_t length = std::max<std::size_t>(letter.length, 1);
    out += text.substr(0, length);
    text.remove_prefix(length);
  }
  return out + (style.unicode ? "…" : "~");
}

std::string bar(double share, double limit, std::size_t columns, const Style& style) {
  const auto place = [columns](double value) {
    const double at = std::clamp(value, 0.0, 1.0) * static_cast<double>(columns);
    return static_cast<std::size_t>(std::llround(at));
  };
  const std::size_t full = place(share);
  const std::size_t line = limit <= 1 && limit > 0 ? place(limit) : columns + 1;
  std::string out;
  for (std::size_t i = 0; i < columns; ++i) {
    if (i == line || (i + 1 == columns && line == columns)) {
      out += style.unicode ? "┃" : "|";
    } else if (i < full) {
      out += style.unicode ? "█" : "#";
    } else {
      out += style.unicode ? "░" : ".";
    }
  }
  return out;
}

std::string wrapped(std::string_view text, std::size_t indent, const Style& style) {
  const std::size_t columns = style.columns == 0 ? 80 : style.columns;
  std::string out;
  std::size_t width = 0;
  while (!text.empty()) {
    const auto end = text.find(' ');
    const std::string_view word = text.substr(0, end);
    if (width > indent && width + 1 + width_of(word) > columns) {
      out += '\n' + std::string(indent, ' ');
      width = indent;
    } else if (!out.empty()) {
      out += ' ';
      ++width;
    }
    out += word;
    width += width_of(word);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return out;
}

std::string Table::text(const Style& style) const {
  std::vector<std::size_t> widths;
  std::vector<Cell> titles;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    titles.push_back({columns_[i].title, Tint::kDim});
    std::size_t width = width_of(columns_[i].title);
    for (const auto& row : rows_) {
      width = std::max(width, i < row.size() ? width_of(row[i].text) : 0);
    }
    widths.push_back(width);
  }
  std::string out;
  append_row(out, titles, widths, style);
  for (const auto& row : rows_) {
    append_row(out, row, widths, style);
  }
  return out;
}

void Table::append_row(std::string& out, const std::vector<Cell>& row,
                       const std::vector<std::size_t>& widths, const Style& style) const {
  std::size_t used = 0;
  for (std::size_t i = 0; i + 1 < columns_.size(); ++i) {
    append_padded(out, i < row.size() ? row[i] : Cell{}, widths[i], columns_[i].align, style);
    out += "  ";
    used += widths[i] + 2;
  }
  if (row.size() == columns_.size()) {
    Cell last = row.back();
    const bool is_right = columns_.back().align == Align::kRight;
    if (style.columns > 0) {
      last.text = cut(last.text, style.columns > used + 1 ? style.columns - used : 1, style);
    }
    append_padded(out, last, is_right ? widths.back() : 0, columns_.back().align, style);
  }
  out.erase(out.find_last_not_of(' ') + 1);
  out += '\n';
}

}  // namespace bascule::ctl
