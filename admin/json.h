#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "admin/http_json.h"
#include "base/stress.h"
#include "base/time.h"

/// What all routes say, and read, in the same way. Answers of thousands of values are written with
/// admin/json_writer.h.
namespace bascule::admin {

using Json = nlohmann::ordered_json;

[[nodiscard]] inline HttpResponse json_response(const Json& body) {
  return json_response(200, body);
}
/// `text` is JSON already.
[[nodiscard]] HttpResponse json_text_response(std::string text);
/// 400; `detail` says what is expected.
[[nodiscard]] HttpResponse bad_request(std::string_view detail);
[[nodiscard]] HttpResponse not_found(std::string_view detail);

/// 400 for a route that has none.
[[nodiscard]] HttpResponse no_parameters();

/// A whole number of the query.
struct QueryNumber {
  std::string_view name;
  std::size_t fallback;  ///< When it is not given.
  std::size_t min;
  std::size_t max;
};
/// Errors are the detail of a problem.
[[nodiscard]] tl::expected<std::size_t, std::string> number_of(const Query& query,
                                                               const QueryNumber& number);
/// nullopt when it is not given.
[[nodiscard]] std::optional<std::string> text_of(const Query& query, const std::string& name);

/// 1 is full.
[[nodiscard]] inline double share(Stress stress) {
  return static_cast<double>(stress.millionths()) / 1e6;
}
/// Load units: 0.7 is one participant of a meeting of five.
[[nodiscard]] inline double units(std::int64_t thousandths) {
  return static_cast<double>(thousandths) / 1e3;
}
[[nodiscard]] inline std::int64_t milliseconds(Duration duration) {
  return duration / std::chrono::milliseconds{1};
}
template <class T>
[[nodiscard]] Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

}  // namespace bascule::admin
