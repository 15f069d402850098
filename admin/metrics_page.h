#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "admin/http.h"
#include "admin/metrics.h"

namespace bascule::admin {

/// 200 with text in the Prometheus format.
HttpResponse metrics_response(std::string text);

/// GET /metrics. The text of a large fleet takes longer to make than the event loop may be away: it
/// is made part by part, and whatever else happened has its turn in between. Everybody who asks
/// while a text is being made gets that one.
///
/// What is served is the text format 0.0.4 whatever the request accepts: every version of
/// Prometheus takes it, and a client that wants something else is better served than refused.
class MetricsPage {
 public:
  /// `begin`: the parts of one scrape; they are carried out in order, on the loop thread.
  MetricsPage(boost::asio::io_context& io, std::function<MetricsParts()> begin);
  ~MetricsPage();
  MetricsPage(const MetricsPage&) = delete;
  MetricsPage& operator=(const MetricsPage&) = delete;

  void handle(const HttpRequest& request, Respond respond);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace bascule::admin
