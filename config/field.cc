#include "config/field.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <limits>
#include <span>

namespace bascule::config {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t micros;
};
/// Largest first: printing takes the first that divides.
constexpr std::array<Unit, 5> kUnits = {
    {{"h", 3'600'000'000}, {"min", 60'000'000}, {"s", 1'000'000}, {"ms", 1'000}, {"us", 1}}};
constexpr std::int64_t kMillion = 1'000'000;
constexpr std::int64_t kIntegerMax = std::numeric_limits<std::int64_t>::max();

/// Further spellings in the environment (HOCON, "Duration format").
constexpr std::array<Unit, 12> kHoconUnits = {{{"", 1'000},
                                               {"milliseconds", 1'000},
                                               {"millisecond", 1'000},
                                               {"millis", 1'000},
                                               {"seconds", 1'000'000},
                                               {"second", 1'000'000},
                                               {"minutes", 60'000'000},
                                               {"minute", 60'000'000},
                                               {"m", 60'000'000},
                                               {"hours", 3'600'000'000},
                                               {"hour", 3'600'000'000},
                                               {"d", 86'400'000'000}}};

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') {
    text.remove_prefix(1);
  }
  while (!text.empty() && text.back() == ' ') {
    text.remove_suffix(1);
  }
  return text;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc{} || result.ptr != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

/// "0.85", "1", ".5" is refused; at most six decimals.
std::optional<Millionths> parse_fraction(std::string_view text) {
  const auto point = text.find('.');
  const auto whole = parse_integer(text.substr(0, point));
  if (text.substr(0, 1) == "-" || !whole || *whole > kIntegerMax / kMillion - 1) {
    return std::nullopt;
  }
  std::string decimals(point == std::string_view::npos ? "0" : text.substr(point + 1));
  if (decimals.empty() || decimals.size() > 6 ||
      decimals.find_first_not_of("0123456789") != std::string::npos) {
    return std::nullopt;
  }
  decimals.resize(6, '0');
  return Millionths{*whole * kMillion + *parse_integer(decimals)};
}

std::optional<Duration> parse_duration(std::string_view text, std::span<const Unit> units) {
  text = trim(text);
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto count = parse_integer(text.substr(0, digits));
  const auto name = trim(text.substr(digits));
  for (const auto& unit : units) {
    if (count && unit.name == name && *count <= kIntegerMax / unit.micros) {
      return Duration(*count * unit.micros);
    }
  }
  return std::nullopt;
}

std::string bare_duration(Duration value) {
  for (const auto& unit : kUnits) {
    if (value.count() != 0 && value.count() % unit.micros == 0) {
      return std::to_string(value.count() / unit.micros) + " " + std::string(unit.name);
    }
  }
  return "0 s";
}

template <class T>
std::optional<T> held(const RawValue& value) {
  const auto* found = std::get_if<T>(&value);
  return found == nullptr ? std::nullopt : std::optional<T>(*found);
}

}  // namespace

std::optional<bool> as_bool(const RawValue& value) {
  if (const auto* untyped = std::get_if<Untyped>(&value)) {
    // As container templates and Jicofo's file format spell it.
    std::string text = untyped->text;
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    const auto is_one_of = [&text](std::initializer_list<std::string_view> words) {
      return std::find(words.begin(), words.end(), text) != words.end();
    };
    if (is_one_of({"true", "1", "yes", "on", "t"})) {
      return true;
    }
    return is_one_of({"false", "0", "no", "off", "f"}) ? std::optional(false) : std::nullopt;
  }
  return held<bool>(value);
}

std::optional<std::int64_t> as_integer(const RawValue& value) {
  if (const auto* untyped = std::get_if<Untyped>(&value)) {
    return parse_integer(untyped->text);
  }
  return held<std::int64_t>(value);
}

std::optional<Millionths> as_fraction(const RawValue& value) {
  if (const auto* untyped = std::get_if<Untyped>(&value)) {
    return parse_fraction(untyped->text);
  }
  if (const auto* whole = std::get_if<std::int64_t>(&value)) {
    return parse_fraction(std::to_string(*whole));
  }
  return held<Millionths>(value);
}

std::optional<std::string> as_text(const RawValue& value) {
  if (const auto* untyped = std::get_if<Untyped>(&value)) {
    return untyped->text;
  }
  return held<std::string>(value);
}

std::optional<Duration> as_duration(const RawValue& value) {
  const auto text = as_text(value);
  auto parsed = text ? parse_duration(*text, kUnits) : std::nullopt;
  if (!parsed && text && std::holds_alternative<Untyped>(value)) {
    parsed = parse_duration(*text, kHoconUnits);
  }
  return parsed;
}

std::optional<std::vector<std::string>> as_list(const RawValue& value) {
  const auto* untyped = std::get_if<Untyped>(&value);
  if (untyped == nullptr) {
    return held<std::vector<std::string>>(value);
  }
  std::vector<std::string> values;
  std::string_view rest = trim(untyped->text);
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    values.emplace_back(trim(rest.substr(0, comma)));
    rest = comma == std::string_view::npos ? std::string_view() : trim(rest.substr(comma + 1));
  }
  return values;
}

std::string print_duration(Duration value) {
  return print_text(bare_duration(value));
}

std::string print_fraction(Millionths value) {
  std::string decimals = std::to_string(kMillion + value.value % kMillion).substr(1);
  while (decimals.size() > 1 && decimals.back() == '0') {
    decimals.pop_back();
  }
  return std::to_string(value.value / kMillion) + "." + decimals;
}

std::string print_text(std::string_view value) {
  std::string text = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      text += '\\';
    }
    if (static_cast<unsigned char>(c) < 0x20) {  // TOML wants control characters escaped.
      constexpr std::string_view kHex = "0123456789ABCDEF";
      text += "\\u00";
      text += kHex[static_cast<unsigned char>(c) >> 4U];
      text += kHex[static_cast<unsigned char>(c) & 15U];
    } else {
      text += c;
    }
  }
  return text + "\"";
}

std::string print_list(const std::vector<std::string>& values) {
  std::string text = "[";
  for (const auto& value : values) {
    text += text.size() > 1 ? ", " : "";
    text += print_text(value);
  }
  return text + "]";
}

std::string to_string(const RawValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) {
    return *flag ? "true" : "false";
  }
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    return std::to_string(*number);
  }
  if (const auto* fraction = std::get_if<Millionths>(&value)) {
    return (fraction->value < 0 ? "-" : "") +
           print_fraction({fraction->value < 0 ? -fraction->value : fraction->value});
  }
  if (const auto* values = std::get_if<std::vector<std::string>>(&value)) {
    return print_list(*values);
  }
  const auto text = as_text(value);
  return text ? print_text(*text) : "a value of another type";
}

std::string describe(IntegerRange range) {
  return std::to_string(range.min) + " to " + std::to_string(range.max);
}

std::string describe(DurationRange range) {
  return "\"" + bare_duration(range.min) + "\" to \"" + bare_duration(range.max) + "\"";
}

std::string describe(FractionRange range) {
  return print_fraction({range.min}) + " to " + print_fraction({range.max});
}

}  // namespace bascule::config
