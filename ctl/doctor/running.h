#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/result.h"

namespace bascule::ctl::doctor {

/// GET of one path of the running bascule: status and text. Errors: nobody answers.
struct HttpText {
  unsigned status = 0;
  std::string text;
};
using Get = std::function<Result<HttpText>(const std::string& target)>;

/// What the running bascule says of itself; asked for when the first check wants to know.
class Running {
 public:
  explicit Running(Get get) : get_(std::move(get)) {}

  /// `/readyz`: {ready, problems}. Errors: why nobody answers.
  const Result<nlohmann::json>& health();
  /// Whether it says that this problem is there.
  bool has_problem(std::string_view name);
  /// A JSON object of it; nullopt when it does not answer with one.
  std::optional<nlohmann::json> get_json(const std::string& target);
  std::optional<std::string> get_text(const std::string& target);

 private:
  Get get_;
  std::optional<Result<nlohmann::json>> health_;
};

}  // namespace bascule::ctl::doctor
