#include "tests/peers/bridgesim/load_parameters.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <string>

#include "tests/peers/bridgesim/script.h"

namespace bascule::peers {
namespace {

constexpr std::string_view kStorm = "storm";
constexpr double kStormLost = 0.5;
constexpr Milliseconds kStormRestart{60'000};

bool read_number(std::string_view text, double most, double& target) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool good =
      error == std::errc{} && end == text.data() + text.size() && value >= 0 && value <= most;
  target = good ? value : target;
  return good;
}

bool read_duration(std::string_view text, Milliseconds& target) {
  const Result<Milliseconds> value = parse_duration(text);
  target = value.value_or(target);
  return value.has_value();
}

bool read_positive_duration(std::string_view text, Milliseconds& target) {
  return read_duration(text, target) && target.count() > 0;
}

/// `1.11:10s`
bool read_rule(std::string_view text, double& stress, Milliseconds& lasting) {
  const std::size_t colon = text.find(':');
  return colon != std::string_view::npos && read_number(text.substr(0, colon), 1000, stress) &&
         read_duration(text.substr(colon + 1), lasting);
}

bool set(LoadParameters& model, std::string_view key, std::string_view value) {
  constexpr double kUnitMax = 10;
  const std::map<std::string_view, double*> numbers = {
      {"base", &model.stress_per_unit}, {"noise", &model.noise}, {"join", &model.join_cost}};
  const std::map<std::string_view, Milliseconds*> durations = {
      {"ramp", &model.ramp}, {"sample", &model.sample}, {"publish", &model.publish}};
  if (const auto number = numbers.find(key); number != numbers.end()) {
    return read_number(value, kUnitMax, *number->second);
  }
  if (const auto duration = durations.find(key); duration != durations.end()) {
    return read_positive_duration(value, *duration->second);
  }
  if (key == "lost") {
    return read_number(value, 1, model.lost);
  }
  if (key == "death") {
    return read_rule(value, model.death, model.death_after);
  }
  if (key == "sudden") {
    return read_rule(value, model.sudden_death, model.sudden_death_after);
  }
  return key == "restart" && read_duration(value, model.restart);
}

}  // namespace

Result<LoadParameters> parse_overload_model(std::string_view text, LoadParameters defaults) {
  LoadParameters model = defaults;
  model.dies = true;
  model.lost = kStormLost;
  model.restart = kStormRestart;
  const std::size_t name_end = std::min(text.find(','), text.size());
  if (text.substr(0, name_end) != kStorm) {
    return fail(Errc::kInvalidArgument,
                "overload model '" + std::string(text.substr(0, name_end)) + "' is not known");
  }
  text.remove_prefix(name_end);
  while (!text.empty()) {
    text.remove_prefix(1);
    const std::string_view word = text.substr(0, std::min(text.find(','), text.size()));
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos ||
        !set(model, word.substr(0, equals), word.substr(equals + 1))) {
      return fail(Errc::kInvalidArgument, "overload model: '" + std::string(word) + "'");
    }
    text.remove_prefix(word.size());
  }
  return model;
}

}  // namespace bascule::peers
