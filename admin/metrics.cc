#include "admin/metrics.h"

#include <limits>
#include <map>

#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>
#include <prometheus/metric_type.h>
#include <prometheus/text_serializer.h>

#include "base/check.h"

namespace bascule::admin {

class Metrics::Impl {
 public:
  prometheus::ClientMetric& sample(std::string_view name, std::string_view help,
                                   prometheus::MetricType type, const MetricLabels& labels) {
    const auto found = index_.find(name);
    std::size_t position = families_.size();
    if (found == index_.end()) {
      prometheus::MetricFamily family;
      family.name = name;
      family.help = help;
      family.type = type;
      families_.push_back(std::move(family));
      index_.emplace(std::string(name), position);
    } else {
      position = found->second;
    }
    prometheus::ClientMetric& metric = families_[position].metric.emplace_back();
    for (const auto& [label, value] : labels) {
      metric.label.push_back({label, value});
    }
    return metric;
  }

  std::vector<prometheus::MetricFamily> take_families() {
    index_.clear();
    return std::exchange(families_, {});
  }

 private:
  std::vector<prometheus::MetricFamily> families_;
  std::map<std::string, std::size_t, std::less<>> index_;
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {
}

Metrics::~Metrics() = default;

void Metrics::counter(std::string_view name, std::string_view help, MetricValue value,
                      const MetricLabels& labels) {
  impl_->sample(name, help, prometheus::MetricType::Counter, labels).counter.value = value.number();
}

void Metrics::gauge(std::string_view name, std::string_view help, MetricValue value,
                    const MetricLabels& labels) {
  impl_->sample(name, help, prometheus::MetricType::Gauge, labels).gauge.value = value.number();
}

void Metrics::counters(std::initializer_list<MetricSample> samples) {
  for (const MetricSample& sample : samples) {
    counter(sample.name, sample.help, sample.value, sample.labels);
  }
}

void Metrics::gauges(std::initializer_list<MetricSample> samples) {
  for (const MetricSample& sample : samples) {
    gauge(sample.name, sample.help, sample.value, sample.labels);
  }
}

void Metrics::histogram(std::string_view name, std::string_view help,
                        const std::vector<double>& edges, const std::vector<std::uint64_t>& counts,
                        double sum, const MetricLabels& labels) {
  BASCULE_CHECK(counts.size() == edges.size() + 1);
  prometheus::ClientMetric::Histogram& histogram =
      impl_->sample(name, help, prometheus::MetricType::Histogram, labels).histogram;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    histogram.sample_count += counts[i];
    const double edge = i < edges.size() ? edges[i] : std::numeric_limits<double>::infinity();
    histogram.bucket.push_back({histogram.sample_count, edge});
  }
  histogram.sample_sum = sum;
}

void Metrics::histogram(std::string_view name, std::string_view help,
                        const focus::LatencyHistogram& histogram, const MetricLabels& labels) {
  std::vector<double> edges;
  for (const Duration edge : histogram.edges()) {
    edges.push_back(MetricValue(edge).number());
  }
  this->histogram(name, help, edges, {histogram.counts().begin(), histogram.counts().end()},
                  MetricValue(histogram.sum()).number(), labels);
}

std::string Metrics::take_text() {
  return prometheus::TextSerializer{}.Serialize(impl_->take_families());
}

}  // namespace bascule::admin
