#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/time.h"
#include "focus/latency_histogram.h"

namespace bascule::admin {

using MetricLabels = std::vector<std::pair<std::string, std::string>>;

/// A number; times are told in seconds.
class MetricValue {
 public:
  template <class T, std::enable_if_t<std::is_arithmetic_v<T>, int> = 0>
  MetricValue(T number) : number_(static_cast<double>(number)) {}
  MetricValue(Duration time) : number_(static_cast<double>(time.count()) / 1e6) {}

  [[nodiscard]] double number() const { return number_; }

 private:
  double number_;
};

struct MetricSample {
  std::string_view name;
  std::string_view help;
  MetricValue value;
  MetricLabels labels = {};
};

/// A counter that is a plain integer of some struct.
template <class Struct>
struct CounterRow {
  const char* name;
  const char* help;
  std::uint64_t Struct::*value;
};

/// Collects samples and renders them with prometheus-cpp. The core keeps plain integers; nothing is
/// registered.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  /// A sample of a counter named `..._total`. `help` is kept from the first sample of a name.
  void counter(std::string_view name, std::string_view help, MetricValue value,
               const MetricLabels& labels = {});
  void gauge(std::string_view name, std::string_view help, MetricValue value,
             const MetricLabels& labels = {});
  void counters(std::initializer_list<MetricSample> samples);
  void gauges(std::initializer_list<MetricSample> samples);
  template <class Struct, std::size_t N>
  void counters(const CounterRow<Struct> (&rows)[N], const Struct& counted) {
    for (const CounterRow<Struct>& row : rows) {
      counter(row.name, row.help, counted.*row.value);
    }
  }
  /// A counter per value of a closed list, which `name_of_index` names.
  template <std::size_t N, class NameOfIndex>
  void counters_by(std::string_view name, std::string_view help, const char* label,
                   const std::array<std::uint64_t, N>& counts, NameOfIndex name_of_index) {
    for (std::size_t i = 0; i < N; ++i) {
      counter(name, help, counts.at(i), {{label, std::string(name_of_index(i))}});
    }
  }
  /// A gauge per value of a closed list of `size`: 1 for the one that is, 0 for the others.
  template <class NameOfIndex>
  void state(std::string_view name, std::string_view help, const char* label, std::size_t current,
             std::size_t size, NameOfIndex name_of_index) {
    for (std::size_t i = 0; i < size; ++i) {
      gauge(name, help, i == current ? 1 : 0, {{label, std::string(name_of_index(i))}});
    }
  }
  /// `counts`: of samples up to each of `edges`, and last of those above all; not cumulative.
  void histogram(std::string_view name, std::string_view help, const std::vector<double>& edges,
                 const std::vector<std::uint64_t>& counts, double sum,
                 const MetricLabels& labels = {});
  void histogram(std::string_view name, std::string_view help,
                 const focus::LatencyHistogram& histogram, const MetricLabels& labels = {});

  /// Prometheus text format 0.0.4 of everything collected since the last call.
  [[nodiscard]] std::string take_text();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// Some families of a scrape, whole: what it adds must take less than a millisecond or two.
using MetricsPart = std::function<void(Metrics&)>;
using MetricsParts = std::vector<MetricsPart>;

}  // namespace bascule::admin
