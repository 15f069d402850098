#include "focus/bridge_report.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bascule::focus {
namespace {

constexpr std::size_t kTextMax = 200;
constexpr std::int64_t kStressMax = 10'000'000;
constexpr std::int64_t kCountMax = 1'000'000'000;
constexpr std::int64_t kFullPacketRate = 50'800;

std::optional<std::string> text(std::optional<std::string_view> value) {
  if (!value || value->empty()) {
    return std::nullopt;
  }
  return std::string(value->substr(0, kTextMax));
}

std::optional<Stress> stress(std::optional<Stress> value) {
  return value && *value >= Stress() && *value <= Stress(kStressMax) ? value : std::nullopt;
}

std::optional<std::int64_t> count(std::optional<std::int64_t> value) {
  return value && *value >= 0 && *value <= kCountMax ? value : std::nullopt;
}

}  // namespace

Result<stats::BridgeReport> to_report(const BridgeJid& bridge, const proto::ColibriStats& stats) {
  stats::BridgeReport report;
  report.bridge = bridge;
  report.stress = stress(stats.stress_level());
  report.average_participant_stress = stress(stats.average_participant_stress());
  report.healthy = stats.healthy();
  report.drain = stats.drain();
  report.graceful_shutdown = stats.graceful_shutdown();
  report.shutting_down = stats.shutting_down();
  report.version = text(stats.version());
  report.release = text(stats.release());
  report.region = text(stats.region());
  report.relay_id = text(stats.relay_id());
  report.local_endpoints = count(stats.local_endpoints());
  report.total_participants = count(stats.total_participants());
  report.bridge_timestamp = text(stats.current_timestamp()).value_or("");
  stats::BridgeReport nothing;
  nothing.bridge = bridge;
  if (report == nothing) {
    return fail(Errc::kMalformed, "no known figure in the report");
  }
  return report;
}

std::optional<Stress> stress_of_packet_rates(const proto::ColibriStats& stats) {
  const auto down = count(stats.integer("packet_rate_download"));
  const auto up = count(stats.integer("packet_rate_upload"));
  if (!down || !up) {
    return std::nullopt;
  }
  return stress(Stress((*down + *up) * Stress::full().millionths() / kFullPacketRate));
}

}  // namespace bascule::focus
