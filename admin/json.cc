#include "admin/json.h"

#include <charconv>
#include <utility>

namespace bascule::admin {

HttpResponse json_text_response(std::string text) {
  HttpResponse response;
  response.content_type = "application/json";
  response.body = std::move(text);
  return response;
}

HttpResponse bad_request(std::string_view detail) {
  return problem(400, "Bad request", detail);
}

HttpResponse not_found(std::string_view detail) {
  return problem(404, "Not found", detail);
}

HttpResponse no_parameters() {
  return bad_request("there are no parameters");
}

tl::expected<std::size_t, std::string> number_of(const Query& query, const QueryNumber& number) {
  const auto given = query.find(std::string(number.name));
  if (given == query.end()) {
    return number.fallback;
  }
  const std::string& text = given->second;
  std::size_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = read.ec == std::errc() && read.ptr == text.data() + text.size();
  if (!whole || value < number.min || value > number.max) {
    return tl::make_unexpected(std::string(number.name) + " is a number from " +
                               std::to_string(number.min) + " to " + std::to_string(number.max));
  }
  return value;
}

std::optional<std::string> text_of(const Query& query, const std::string& name) {
  const auto given = query.find(name);
  return given == query.end() ? std::nullopt : std::optional(given->second);
}

}  // namespace bascule::admin
