#include "daemon/link_metrics.h"

#include <string>

#include "focus/links.h"

namespace bascule::daemon {
namespace {

void add_link(const LinkRuntime& runtime, const std::string& name, admin::Metrics& metrics) {
  const focus::LinkCounters& counters = runtime.link().counters();
  const admin::MetricLabels labels{{"link", name}};
  metrics.gauges({
      {"bascule_link_up", "1 while the link is up.", runtime.is_up(), labels},
      {"bascule_link_queued_bytes", "Bytes not written to the server yet.", runtime.queued_bytes(),
       labels},
      {"bascule_link_outstanding_iqs", "Requests without an answer yet.",
       runtime.link().outstanding(), labels},
  });
  metrics.counter("bascule_link_stanzas_sent_total", "Stanzas sent.", counters.sent, labels);
  const auto received = [&metrics, &name](const char* result, std::uint64_t value) {
    metrics.counter("bascule_link_stanzas_received_total",
                    "Stanzas received, by what became of them.", value,
                    {{"link", name}, {"result", result}});
  };
  received("delivered", counters.delivered);
  received("malformed", counters.malformed);
  received("over_limit", counters.over_limit);
  received("unpaired", counters.unpaired);
  received("ignored", counters.ignored);
  received("refused", counters.refused);
  metrics.counter("bascule_link_iq_timeouts_total", "Requests nobody answered in time.",
                  runtime.link().iq_counters().timeouts, labels);
}

}  // namespace

void add_links(const std::array<std::unique_ptr<LinkRuntime>, kStreamCount>& links,
               admin::Metrics& metrics) {
  for (std::size_t i = 0; i < links.size(); ++i) {
    if (links.at(i)) {
      add_link(*links.at(i), std::string(focus::name_of(static_cast<StreamId>(i))), metrics);
    }
  }
}

}  // namespace bascule::daemon
