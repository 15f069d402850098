#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bascule::admin {

using MetricLabels = std::vector<std::pair<std::string, std::string>>;

/// Collects the samples of one scrape and renders them with prometheus-cpp. The core keeps plain
/// integers; nothing is registered, so a bridge that is gone leaves no series behind.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  /// A sample of a counter named `..._total`. `help` is kept from the first sample of a name.
  void counter(std::string_view name, std::string_view help, double value,
               const MetricLabels& labels = {});
  void gauge(std::string_view name, std::string_view help, double value,
             const MetricLabels& labels = {});
  /// `counts`: of samples up to each of `edges`, and last of those above all; not cumulative.
  void histogram(std::string_view name, std::string_view help, const std::vector<double>& edges,
                 const std::vector<std::uint64_t>& counts, double sum);
  /// Prometheus text format 0.0.4.
  [[nodiscard]] std::string text() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bascule::admin
