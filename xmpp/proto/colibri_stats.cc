#include "xmpp/proto/colibri_stats.h"

#include <cstddef>
#include <limits>

#include "xmpp/proto/codec.h"

namespace bascule::proto {
namespace {

constexpr std::string_view kStatsName = "stats";
constexpr std::string_view kStatName = "stat";
constexpr std::string_view kNameName = "name";
constexpr std::string_view kValueName = "value";
constexpr int kDecimals = 6;  // Of a millionth.
/// Java writes exponents of at most three digits; more cannot change a value that fits.
constexpr int kExponentMax = 999;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// The parts of a decimal number: sign, digits without the point, how many of them stand behind
/// the point, exponent.
struct Decimal {
  bool is_negative = false;
  std::string digits;
  int fraction_digits = 0;
  int exponent = 0;
};

std::optional<Decimal> split_decimal(std::string_view text) {
  Decimal decimal;
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    decimal.is_negative = text.front() == '-';
    text.remove_prefix(1);
  }
  bool has_point = false;
  while (!text.empty() && (is_digit(text.front()) || (text.front() == '.' && !has_point))) {
    if (text.front() == '.') {
      has_point = true;
    } else {
      decimal.digits += text.front();
      decimal.fraction_digits += has_point ? 1 : 0;
    }
    text.remove_prefix(1);
  }
  if (decimal.digits.empty() || decimal.digits.size() > kExponentMax) {
    return std::nullopt;
  }
  if (!text.empty() && (text.front() == 'e' || text.front() == 'E')) {
    text.remove_prefix(1);
    if (!text.empty() && text.front() == '+') {
      text.remove_prefix(1);
    }
    const auto exponent = parse_integer<int>(text);
    if (!exponent || *exponent > kExponentMax || *exponent < -kExponentMax) {
      return std::nullopt;
    }
    decimal.exponent = *exponent;
    text = {};
  }
  return text.empty() ? std::optional<Decimal>(std::move(decimal)) : std::nullopt;
}

}  // namespace

std::optional<std::string_view> ColibriStats::text(std::string_view name) const {
  const auto found = values.find(std::string(name));
  if (found == values.end()) {
    return std::nullopt;
  }
  return found->second;
}

std::optional<bool> ColibriStats::flag(std::string_view name) const {
  const auto value = text(name);
  if (!value) {
    return std::nullopt;
  }
  const std::string lower = to_lower(*value);
  if (lower != "true" && lower != "false") {
    return std::nullopt;
  }
  return lower == "true";
}

std::optional<std::int64_t> ColibriStats::integer(std::string_view name) const {
  const auto value = text(name);
  return value ? parse_integer<std::int64_t>(*value) : std::nullopt;
}

std::optional<std::int64_t> ColibriStats::millionths(std::string_view name) const {
  const auto value = text(name);
  if (!value) {
    return std::nullopt;
  }
  const auto parsed = parse_millionths(*value);
  return parsed ? std::optional<std::int64_t>(*parsed) : std::nullopt;
}

std::optional<Stress> ColibriStats::stress_level() const {
  const auto value = millionths("stress_level");
  return value ? std::optional<Stress>(Stress(*value)) : std::nullopt;
}

std::optional<Stress> ColibriStats::average_participant_stress() const {
  const auto value = millionths("average_participant_stress");
  return value ? std::optional<Stress>(Stress(*value)) : std::nullopt;
}

Result<std::int64_t> parse_millionths(std::string_view text) {
  const auto decimal = split_decimal(text);
  if (!decimal) {
    return fail(Errc::kMalformed, "not a decimal number");
  }
  // The value is digits * 10^shift millionths: a negative shift cuts digits off.
  const int shift = decimal->exponent - decimal->fraction_digits + kDecimals;
  const std::string_view digits = decimal->digits;
  const int kept = static_cast<int>(digits.size()) + std::min(shift, 0);
  std::int64_t value = 0;
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  for (int i = 0; i < kept + std::max(shift, 0); ++i) {
    const bool is_given = i < static_cast<int>(digits.size());
    const int digit = is_given ? digits[static_cast<std::size_t>(i)] - '0' : 0;
    if (value > (kMax - digit) / 10) {
      return fail(Errc::kMalformed, "number too large");
    }
    value = value * 10 + digit;
  }
  return decimal->is_negative ? -value : value;
}

std::string format_millionths(std::int64_t millionths) {
  constexpr std::uint64_t kOne = 1'000'000;
  const bool is_negative = millionths < 0;
  const auto magnitude = is_negative ? 0 - static_cast<std::uint64_t>(millionths)
                                     : static_cast<std::uint64_t>(millionths);
  std::string text = (is_negative ? "-" : "") + std::to_string(magnitude / kOne);
  if (magnitude % kOne != 0) {
    std::string fraction = std::to_string(kOne + magnitude % kOne);
    fraction.front() = '.';
    fraction.erase(fraction.find_last_not_of('0') + 1);
    text += fraction;
  }
  return text;
}

bool is_colibri_stats(const xml::Element& element) {
  return element.is(kStatsName, kColibriNamespace);
}

xml::Element encode(const ColibriStats& stats) {
  xml::Element element = make_element(kStatsName, kColibriNamespace);
  for (const auto& [name, value] : stats.values) {
    element.add(make_element(kStatName, kColibriNamespace))
        .set(kNameName, name)
        .set(kValueName, value);
  }
  return element;
}

Result<ColibriStats> decode_colibri_stats(const xml::Element& stats) {
  Reader reader(stats);
  reader.expect(kStatsName, kColibriNamespace);
  ColibriStats decoded;
  for (const xml::Element& child : stats.children) {
    const auto name = child.attribute(kNameName);
    const auto value = child.attribute(kValueName);
    if (child.is(kStatName, kColibriNamespace) && name && value) {
      decoded.values.emplace(*name, *value);
    }
  }
  return reader.finish(std::move(decoded));
}

}  // namespace bascule::proto
