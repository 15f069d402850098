#pragma once

#include <string>
#include <string_view>

#include "admin/http.h"
#include "admin/jicofo_figures.h"

namespace bascule::admin {

/// Jicofo's metrics, name by name, for dashboards and alerts that know them. Names, types and
/// labels are Jicofo's also where they break Prometheus's own rules (`..._count` of gauges); our
/// own are at `/metrics`.
///
/// The form follows `accept`, the value of that header (jicoco: MetricsContainer.kt):
/// `application/openmetrics-text` is OpenMetrics 1.0.0, `application/json` one object of those
/// without labels, everything else the text format 0.0.4.
[[nodiscard]] HttpResponse jicofo_metrics(const JicofoFigures& figures, std::string_view accept);

}  // namespace bascule::admin
