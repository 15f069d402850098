#include "base/time_text.h"

#include <array>
#include <charconv>
#include <cstdio>

namespace bascule {
namespace {

/// The number of exactly `width` digits at `at`.
std::optional<int> digits(std::string_view text, std::size_t at, std::size_t width) {
  int value = 0;
  const char* first = text.data() + at;
  const auto read = std::from_chars(first, first + width, value);
  return read.ec == std::errc() && read.ptr == first + width && *first != '-' ? std::optional(value)
                                                                              : std::nullopt;
}

}  // namespace

std::string to_text(WallTime time) {
  using namespace std::chrono;
  const sys_time<milliseconds> utc(floor<milliseconds>(time.time_since_epoch()));
  const auto day = floor<days>(utc);
  const year_month_day date(day);
  const hh_mm_ss clock(utc - day);
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()),
                static_cast<int>(clock.subseconds().count()));
  return text.data();
}

std::optional<WallTime> wall_time_from(std::string_view text) {
  using namespace std::chrono;
  constexpr std::string_view kPattern = "0000-00-00T00:00:00";
  const bool has_fraction = text.size() == kPattern.size() + 5;
  if ((!has_fraction && text.size() != kPattern.size() + 1) || text.back() != 'Z' ||
      (has_fraction && text[kPattern.size()] != '.')) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < kPattern.size(); ++i) {
    if (kPattern[i] != '0' && text[i] != kPattern[i]) {
      return std::nullopt;
    }
  }
  const auto y = digits(text, 0, 4);
  const auto mo = digits(text, 5, 2);
  const auto d = digits(text, 8, 2);
  const auto h = digits(text, 11, 2);
  const auto mi = digits(text, 14, 2);
  const auto s = digits(text, 17, 2);
  const auto ms = has_fraction ? digits(text, 20, 3) : 0;
  if (!y || !mo || !d || !h || !mi || !s || !ms || *h > 23 || *mi > 59 || *s > 60) {
    return std::nullopt;
  }
  const year_month_day date{year(*y), month(static_cast<unsigned>(*mo)),
                            day(static_cast<unsigned>(*d))};
  if (!date.ok()) {
    return std::nullopt;
  }
  return WallTime(sys_days(date).time_since_epoch() + hours(*h) + minutes(*mi) + seconds(*s) +
                  milliseconds(*ms));
}

}  // namespace bascule
