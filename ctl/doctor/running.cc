#include "ctl/doctor/running.h"

#include <algorithm>
#include <utility>

namespace bascule::ctl::doctor {
namespace {

using Json = nlohmann::json;

}  // namespace

const Result<Json>& Running::health() {
  if (!health_) {
    const auto answer = get_("/readyz");
    Json body = answer ? Json::parse(answer->text, nullptr, /*allow_exceptions=*/false) : Json();
    if (!answer) {
      health_ = tl::make_unexpected(answer.error());
    } else if (!body.is_object() || !body.contains("ready")) {
      health_ = fail(Errc::kUnavailable, "whoever answers there is not bascule");
    } else {
      health_ = std::move(body);
    }
  }
  return *health_;
}

bool Running::has_problem(std::string_view name) {
  if (!health()) {
    return false;
  }
  const Json problems = health()->value("problems", Json::array());
  return std::any_of(problems.begin(), problems.end(), [name](const Json& problem) {
    return problem.is_string() && problem.get<std::string>().starts_with(name);
  });
}

std::optional<std::string> Running::get_text(const std::string& target) {
  const auto answer = health() ? get_(target) : fail(Errc::kUnavailable, "");
  return answer && answer->status == 200 ? std::optional(answer->text) : std::nullopt;
}

std::optional<Json> Running::get_json(const std::string& target) {
  const auto text = get_text(target);
  Json body = text ? Json::parse(*text, nullptr, /*allow_exceptions=*/false) : Json();
  return body.is_object() ? std::optional(std::move(body)) : std::nullopt;
}

}  // namespace bascule::ctl::doctor
