#include "tests/peers/bridgesim/stats.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/peers/common/stanza.h"

namespace bascule::peers {
namespace {

using Stats = std::vector<std::pair<std::string, std::string>>;

std::string number(double value) {
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} ? std::string(text.data(), end) : "0";
}

std::string number(std::uint64_t value) {
  return std::to_string(value);
}

/// stats-filter.whitelist of jitsi-videobridge's reference.conf.
constexpr std::array<std::string_view, 12> kWhitelist = {"average_participant_stress",
                                                         "colibri2",
                                                         "current_timestamp",
                                                         "drain",
                                                         "graceful_shutdown",
                                                         "healthy",
                                                         "region",
                                                         "relay_id",
                                                         "release",
                                                         "shutting_down",
                                                         "stress_level",
                                                         "version"};

std::string lying_stress(double stress, Faults::Lie lie) {
  switch (lie) {
    case Faults::Lie::kZero:
      return "0.0";
    case Faults::Lie::kNegative:
      return "-0.3";
    case Faults::Lie::kNan:
      return "NaN";
    case Faults::Lie::kTiny:
      return "1.0E-4";
    default:
      return number(stress);
  }
}

void add_gauges(Stats& stats, const Colibri& colibri) {
  std::uint64_t largest = 0;
  std::uint64_t visitors = 0;
  std::uint64_t senders = 0;
  std::uint64_t remote = 0;
  std::uint64_t relayed = 0;
  for (const auto& [meeting, conference] : colibri.conferences()) {
    largest = std::max<std::uint64_t>(largest, conference.endpoints.size());
    relayed += conference.relays.empty() ? 0U : 1U;
    for (const auto& [id, relay] : conference.relays) {
      remote += relay.endpoints.size();
    }
    for (const auto& [id, endpoint] : conference.endpoints) {
      visitors += endpoint.visitor ? 1U : 0U;
      senders += endpoint.sends ? 1U : 0U;
    }
  }
  const auto endpoints = static_cast<std::uint64_t>(colibri.endpoint_count());
  const std::uint64_t conferences = colibri.conferences().size();
  const std::uint64_t created = colibri.conferences_created();
  const std::pair<std::string_view, std::uint64_t> gauges[] = {
      {"conferences", conferences},
      {"local_endpoints", endpoints},
      {"endpoints", endpoints},
      {"participants", endpoints},
      {"local_active_endpoints", endpoints},
      {"visitors", visitors},
      {"octo_endpoints", remote},
      {"octo_conferences", relayed},
      {"inactive_conferences", 0},
      {"inactive_endpoints", 0},
      {"receive_only_endpoints", endpoints - senders},
      {"endpoints_sending_audio", endpoints},
      {"endpoints_sending_video", senders},
      {"largest_conference", largest},
      {"bit_rate_download", senders * 2500},
      {"bit_rate_upload", endpoints * 2000},
      {"packet_rate_download", senders * 490},
      {"packet_rate_upload", endpoints * 500},
      {"endpoints_with_high_outgoing_loss", 0},
      {"num_eps_oversending", 0},
      {"muc_clients_configured", 1},
      {"muc_clients_connected", 1},
      {"mucs_configured", 1},
      {"mucs_joined", 1},
      {"threads", 60},
      {"total_conferences_created", created},
      {"total_conferences_completed", created - std::min(created, conferences)},
      {"total_participants", colibri.endpoints_created()},
      {"total_ice_failed", 0},
      {"total_ice_succeeded", colibri.endpoints_created()},
  };
  for (const auto& [name, value] : gauges) {
    stats.emplace_back(name, number(value));
  }
}

Stats honest(const StatsInput& input, const Colibri& colibri, const Faults& faults) {
  Stats stats = {{"stress_level", lying_stress(input.stress, faults.lie)},
                 {"average_participant_stress", number(input.participant_stress)},
                 {"healthy", faults.unhealthy_stats ? "false" : "true"},
                 {"graceful_shutdown", faults.graceful ? "true" : "false"},
                 {"shutting_down", faults.shutting_down ? "true" : "false"},
                 {"version", input.version},
                 {"current_timestamp", input.timestamp},
                 {"rtt_aggregate", "24.7"},
                 {"overall_loss", "0.0012"}};
  if (faults.drain != Faults::Drain::kAbsent) {
    stats.emplace_back("drain", faults.drain == Faults::Drain::kOn ? "true" : "false");
  }
  if (!input.relay_id.empty()) {
    stats.emplace_back("relay_id", input.relay_id);
  }
  if (!input.region.empty()) {
    stats.emplace_back("region", input.region);
  }
  add_gauges(stats, colibri);
  return stats;
}

void distort(Stats& stats, Faults::Lie lie) {
  if (lie == Faults::Lie::kMissing) {
    std::erase_if(stats, [](const auto& stat) {
      return stat.first == "stress_level" || stat.first == "healthy" || stat.first == "version";
    });
  } else if (lie == Faults::Lie::kDuplicate) {
    stats.emplace_back("stress_level", "0.99");
    stats.emplace_back("healthy", "false");
  } else if (lie == Faults::Lie::kExtra) {
    for (int i = 0; i < 200; ++i) {
      stats.emplace_back("unknown_stat_" + std::to_string(i),
                         "text & <markup> '" + std::to_string(i) + "'");
    }
  }
}

}  // namespace

xml::Element stats_extension(const StatsInput& input, const Colibri& colibri,
                             const Faults& faults) {
  Stats stats = honest(input, colibri, faults);
  distort(stats, faults.lie);
  if (input.whitelist_only || faults.lie == Faults::Lie::kWhitelist) {
    std::erase_if(stats, [](const auto& stat) {
      return std::find(kWhitelist.begin(), kWhitelist.end(), stat.first) == kWhitelist.end();
    });
  }
  xml::Element extension = element("stats", ns::kColibri);
  for (const auto& [name, value] : stats) {
    extension.add(element("stat", ns::kColibri, {{"name", name}, {"value", value}}));
  }
  return extension;
}

std::string utc_timestamp(Milliseconds offset) {
  const auto now = std::chrono::system_clock::now() + offset;
  const std::time_t whole = std::chrono::system_clock::to_time_t(now);
  const auto since_epoch = std::chrono::duration_cast<Milliseconds>(now.time_since_epoch());
  std::tm parts{};
  gmtime_r(&whole, &parts);
  std::array<char, 32> date{};
  std::array<char, 48> text{};
  std::strftime(date.data(), date.size(), "%Y-%m-%d %H:%M:%S", &parts);
  std::snprintf(text.data(), text.size(), "%s.%03d", date.data(),
                static_cast<int>(since_epoch.count() % 1000));
  return text.data();
}

}  // namespace bascule::peers
