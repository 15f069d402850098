#include "daemon/http_metrics.h"

#include <array>
#include <string>
#include <utility>

namespace bascule::daemon {
namespace {

using admin::Denial;
using admin::HttpRefusal;

constexpr const char* kRefused = "bascule_http_refused_total";
constexpr const char* kRefusedHelp = "Connections and requests refused, by reason.";

constexpr std::array<std::pair<HttpRefusal, const char*>, admin::kHttpRefusals> kRefusals = {{
    {HttpRefusal::kConnections, "connections"},
    {HttpRefusal::kHandshake, "handshake"},
    {HttpRefusal::kMalformed, "malformed"},
    {HttpRefusal::kHeader, "header"},
    {HttpRefusal::kBody, "body"},
    {HttpRefusal::kSlowRequest, "slow_request"},
    {HttpRefusal::kSlowReader, "slow_reader"},
    {HttpRefusal::kStreams, "streams"},
    {HttpRefusal::kMemory, "memory"},
    {HttpRefusal::kLate, "late"},
}};
constexpr std::array<Denial, admin::kDenials> kDenials = {
    Denial::kHost, Denial::kOrigin, Denial::kUnauthenticated, Denial::kForbidden};

}  // namespace

void add_http(const admin::HttpServer& server, admin::Metrics& metrics) {
  const admin::HttpCounters& counters = server.counters();
  metrics.counter("bascule_http_requests_total", "HTTP requests served.",
                  static_cast<double>(counters.requests));
  for (std::size_t status = 1; status < counters.answers_by_class.size(); ++status) {
    metrics.counter("bascule_http_answers_total", "HTTP answers, by class of their status.",
                    static_cast<double>(counters.answers_by_class[status]),
                    {{"class", std::to_string(status) + "xx"}});
  }
  for (const auto& [refusal, reason] : kRefusals) {
    metrics.counter(kRefused, kRefusedHelp, static_cast<double>(counters.refused_for(refusal)),
                    {{"reason", reason}});
  }
  for (const Denial denial : kDenials) {
    metrics.counter(kRefused, kRefusedHelp, static_cast<double>(server.access().denied(denial)),
                    {{"reason", std::string(name_of(denial))}});
  }
  metrics.gauge("bascule_http_connections", "Open HTTP connections.",
                static_cast<double>(counters.connections_open));
  metrics.gauge("bascule_http_streams", "Peers that listen to events (GET /v1/events).",
                static_cast<double>(counters.streams_open));
  metrics.gauge("bascule_http_unread_bytes", "Of answers that peers have not read yet.",
                static_cast<double>(counters.answer_bytes));
  if (server.access().uses_tls()) {
    metrics.gauge("bascule_http_certificate_end_timestamp_seconds",
                  "When the certificate that is served ends, seconds since 1970.",
                  static_cast<double>(server.access().certificate().not_after));
  }
}

}  // namespace bascule::daemon
