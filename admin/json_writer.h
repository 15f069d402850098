#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace bascule::admin {

/// Writes JSON as text, piece by piece. For answers with thousands of values: as a tree, the list
/// of 1 000 bridges would hold the event loop for ten milliseconds. Objects and arrays are to be
/// closed as they were opened, and every member of an object is named.
class JsonWriter {
 public:
  JsonWriter();
  ~JsonWriter();
  JsonWriter(const JsonWriter&) = delete;
  JsonWriter& operator=(const JsonWriter&) = delete;

  void begin_object();
  void end_object();
  void begin_array();
  void end_array();
  void key(std::string_view name);

  void null();
  void value(std::string_view text);
  /// Up to six digits behind the point.
  void value(double number);
  void value(bool flag);
  template <std::integral Number>
  void value(Number number) {
    integer(static_cast<std::int64_t>(number));
  }
  void value(const char* text) { value(std::string_view(text)); }
  void value(const std::string& text) { value(std::string_view(text)); }
  template <class T>
  void value(const std::optional<T>& maybe) {
    if (maybe) {
      value(*maybe);
    } else {
      null();
    }
  }
  /// A value that is JSON already.
  void raw(std::string_view json);

  template <class T>
  void member(std::string_view name, const T& its_value) {
    key(name);
    value(its_value);
  }

  /// What was written, with a line break; once.
  [[nodiscard]] std::string take();

 private:
  class Impl;
  void integer(std::int64_t number);
  std::unique_ptr<Impl> impl_;
};

}  // namespace bascule::admin
