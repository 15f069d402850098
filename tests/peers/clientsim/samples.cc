#include "tests/peers/clientsim/samples.h"

#include <algorithm>
#include <cmath>

namespace bascule::peers {
namespace {

/// Nearest-rank percentile of sorted, non-empty values.
double percentile(const std::vector<double>& sorted, double fraction) {
  const double rank = std::ceil(fraction * static_cast<double>(sorted.size()));
  return sorted[static_cast<std::size_t>(std::max(1.0, rank)) - 1];
}

Json describe(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return {{"n", values.size()},
          {"p50", percentile(values, 0.50)},
          {"p99", percentile(values, 0.99)},
          {"max", values.back()}};
}

}  // namespace

void Samples::add(const std::string& kind, double milliseconds) {
  values_[kind][phase_].push_back(milliseconds);
}

Json Samples::summary() const {
  Json result = Json::object();
  for (const auto& [kind, phases] : values_) {
    std::vector<double> all;
    for (const auto& [phase, values] : phases) {
      result[kind][phase] = describe(values);
      all.insert(all.end(), values.begin(), values.end());
    }
    result[kind]["all"] = describe(all);
  }
  return result;
}

void AnswerWatch::begin(Time now) {
  *this = AnswerWatch();
  since_ = now;
}

void AnswerWatch::answered(Time asked, Time now) {
  const auto milliseconds = [now](Time from) {
    return std::chrono::duration<double, std::milli>(now - from).count();
  };
  ++answers_;
  slowest_ms_ = std::max(slowest_ms_, milliseconds(asked));
  if (!first_ms_ && asked >= since_) {
    first_ms_ = milliseconds(since_);
  }
}

Json AnswerWatch::status() const {
  return {{"answers", answers_},
          {"first_answer_ms", first_ms_ ? Json(*first_ms_) : Json()},
          {"slowest_answer_ms", slowest_ms_}};
}

}  // namespace bascule::peers
