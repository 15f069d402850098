#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/jid.h"
#include "base/stress.h"
#include "base/time.h"
#include "config/config.h"

namespace bascule::config {

/// A number with a fraction, in millionths: decisions never see floating point.
struct Millionths {
  std::int64_t value = 0;
  friend bool operator==(const Millionths&, const Millionths&) = default;
};
/// Text of an environment variable, whose type only the key knows.
struct Untyped {
  std::string text;
  friend bool operator==(const Untyped&, const Untyped&) = default;
};
/// A value as it was read; monostate is a type no key takes (a date, a list of lists).
using RawValue = std::variant<std::monostate, bool, std::int64_t, Millionths, std::string,
                              std::vector<std::string>, Untyped>;

/// As an error message shows it.
std::string to_string(const RawValue& value);

/// How one key is read, checked and shown.
struct Field {
  std::string allowed;  ///< For people: "1 s to 1 h", "one of: a, b".
  bool is_secret = false;
  /// False when the value has the wrong type or is outside of the range; the config is unchanged.
  std::function<bool(Config&, const RawValue&)> assign;
  /// The value in TOML syntax. Of a secret: whether it is set.
  std::function<std::string(const Config&)> print;
  /// Whether two configurations agree; empty when they do if they print the same.
  std::function<bool(const Config&, const Config&)> is_same = {};
  /// Whether SIGHUP applies a changed value; otherwise it needs a restart.
  bool reloadable = false;
  /// Of a reloadable one: takes the value over.
  std::function<void(Config& to, const Config& from)> copy = {};
};

// Conversions of one value; nullopt when it is something else.
std::optional<bool> as_bool(const RawValue& value);
std::optional<std::int64_t> as_integer(const RawValue& value);
std::optional<Millionths> as_fraction(const RawValue& value);
std::optional<std::string> as_text(const RawValue& value);
/// "15 s", "500 ms", "2 min", "1 h", "100 us"; the blank may be left out. An environment variable
/// may also use the units of Jicofo's file format, where a bare number means milliseconds.
std::optional<Duration> as_duration(const RawValue& value);
/// A list, or comma-separated text of an environment variable.
std::optional<std::vector<std::string>> as_list(const RawValue& value);

std::string print_duration(Duration value);
std::string print_fraction(Millionths value);
std::string print_text(std::string_view value);
std::string print_list(const std::vector<std::string>& values);

/// Range of an Integer, inclusive.
struct IntegerRange {
  std::int64_t min;
  std::int64_t max;
};
struct DurationRange {
  Duration min;
  Duration max;
};
/// In millionths, inclusive.
struct FractionRange {
  std::int64_t min;
  std::int64_t max;
};

std::string describe(IntegerRange range);
std::string describe(DurationRange range);
std::string describe(FractionRange range);

// Builders. `at` is a generic lambda that returns a reference to the member.

template <class At>
Field boolean(At at) {
  return {.allowed = "true or false",
          .assign =
              [at](Config& config, const RawValue& raw) {
                const auto value = as_bool(raw);
                if (value) {
                  at(config) = *value;
                }
                return value.has_value();
              },
          .print = [at](const Config& config) { return at(config) ? "true" : "false"; }};
}

template <class At>
Field integer(At at, IntegerRange range) {
  return {.allowed = describe(range),
          .assign =
              [at, range](Config& config, const RawValue& raw) {
                const auto value = as_integer(raw);
                if (!value || *value < range.min || *value > range.max) {
                  return false;
                }
                at(config) = static_cast<std::remove_cvref_t<decltype(at(config))>>(*value);
                return true;
              },
          .print = [at](const Config& config) { return std::to_string(at(config)); }};
}

template <class At>
Field duration(At at, DurationRange range) {
  return {.allowed = describe(range),
          .assign =
              [at, range](Config& config, const RawValue& raw) {
                const auto value = as_duration(raw);
                if (!value || *value < range.min || *value > range.max) {
                  return false;
                }
                at(config) = *value;
                return true;
              },
          .print = [at](const Config& config) { return print_duration(at(config)); }};
}

/// A Stress, written as a fraction of 1.
template <class At>
Field stress(At at, FractionRange range) {
  return {
      .allowed = describe(range),
      .assign =
          [at, range](Config& config, const RawValue& raw) {
            const auto value = as_fraction(raw);
            if (!value || value->value < range.min || value->value > range.max) {
              return false;
            }
            at(config) = Stress(value->value);
            return true;
          },
      .print = [at](const Config& config) { return print_fraction({at(config).millionths()}); }};
}

/// An integer in thousandths, written as a fraction of 1.
template <class At>
Field permille(At at, FractionRange range) {
  return {.allowed = describe(range),
          .assign =
              [at, range](Config& config, const RawValue& raw) {
                const auto value = as_fraction(raw);
                if (!value || value->value < range.min || value->value > range.max ||
                    value->value % 1000 != 0) {
                  return false;
                }
                at(config) = value->value / 1000;
                return true;
              },
          .print = [at](const Config& config) { return print_fraction({at(config) * 1000}); }};
}

/// Whether an empty text stands for "derived" or "none".
enum class Empty { kAllowed, kForbidden };

template <class At>
Field text(At at, Empty empty, const std::string& allowed = "text",
           bool (*is_valid)(std::string_view) = nullptr) {
  return {.allowed = allowed,
          .assign =
              [at, empty, is_valid](Config& config, const RawValue& raw) {
                auto value = as_text(raw);
                if (!value || (value->empty() && empty == Empty::kForbidden) ||
                    (!value->empty() && is_valid != nullptr && !is_valid(*value))) {
                  return false;
                }
                at(config) = std::move(*value);
                return true;
              },
          .print = [at](const Config& config) { return print_text(at(config)); }};
}

template <class At>
Field list(At at, const std::string& allowed, bool (*is_valid)(std::string_view)) {
  return {.allowed = allowed,
          .assign =
              [at, is_valid](Config& config, const RawValue& raw) {
                auto values = as_list(raw);
                if (!values) {
                  return false;
                }
                for (const auto& value : *values) {
                  if (!is_valid(value)) {
                    return false;
                  }
                }
                at(config) = std::move(*values);
                return true;
              },
          .print = [at](const Config& config) { return print_list(at(config)); }};
}

template <class At, class Enum>
Field choice(At at, std::vector<std::pair<std::string, Enum>> names) {
  std::string allowed = "one of:";
  for (const auto& name : names) {
    allowed += ' ';
    allowed += name.first;
  }
  return {.allowed = std::move(allowed),
          .assign =
              [at, names](Config& config, const RawValue& raw) {
                const auto value = as_text(raw);
                for (const auto& [name, meaning] : names) {
                  if (value == name) {
                    at(config) = meaning;
                    return true;
                  }
                }
                return false;
              },
          .print =
              [at, names](const Config& config) {
                for (const auto& [name, meaning] : names) {
                  if (at(config) == meaning) {
                    return print_text(name);
                  }
                }
                return std::string();  // Every enumerator has a name: the schema test prints all.
              }};
}

template <class At>
Field secret(At at) {
  return {.allowed = "text without line breaks",
          .is_secret = true,
          .assign =
              [at](Config& config, const RawValue& raw) {
                auto value = as_text(raw);
                if (!value || value->empty() || value->find('\n') != std::string::npos) {
                  return false;
                }
                at(config).value = std::move(*value);
                return true;
              },
          .print =
              [at](const Config& config) {
                return std::string(at(config).value.empty() ? "not set" : "set");
              },
          .is_same = [at](const Config& a, const Config& b) { return at(a) == at(b); }};
}

/// `field`, whose value takes effect without a restart.
template <class At>
Field reloadable(At at, Field field) {
  field.reloadable = true;
  field.copy = [at](Config& to, const Config& from) { at(to) = at(from); };
  return field;
}

}  // namespace bascule::config
