#include "admin/bridge_json.h"

#include "admin/drain_json.h"
#include "admin/json.h"

namespace bascule::admin {
namespace {

using focus::BridgeView;

void write_flags(const BridgeView& view, JsonWriter& json) {
  const auto flag = [&json](bool is_set, std::string_view name) {
    if (is_set) {
      json.value(name);
    }
  };
  json.key("flags");
  json.begin_array();
  flag(view.drain, "drain");
  flag(view.cordoned, "cordoned");
  flag(view.graceful_shutdown, "graceful_shutdown");
  flag(view.shutting_down, "shutting_down");
  flag(!view.healthy, "unhealthy");
  flag(view.suspect, "suspect");
  flag(view.ice_failing, "ice_failing");
  flag(view.standby, "standby");
  flag(view.activated, "activated");
  json.end_array();
}

std::optional<std::int64_t> milliseconds_of(const std::optional<Duration>& duration) {
  return duration ? std::optional(milliseconds(*duration)) : std::nullopt;
}

}  // namespace

void write_members(const BridgeView& view, const focus::op::BridgeDrain* drain, Now now,
                   JsonWriter& json) {
  json.member("bridge", view.bridge.to_string());
  json.member("nick", view.bridge.jid().resource());
  json.member("state", focus::to_string(view.state));
  json.member("present", view.present);
  write_flags(view, json);
  json.member("quarantine_left_ms",
              view.quarantined_until
                  ? std::optional(milliseconds(*view.quarantined_until - now.mono))
                  : std::nullopt);
  json.member("reported", share(view.reported));
  json.member("report_age_ms", milliseconds_of(view.report_age));
  json.member("report_source",
              view.report_age ? std::optional(focus::to_string(view.report_origin)) : std::nullopt);
  json.member("confidence", units(view.confidence_permille));
  json.member("confidence_level", focus::to_string(focus::level_of(view.confidence_permille)));
  json.member("caution", units(view.caution_permille));
  json.member("expected", share(view.expected));
  json.member("reserved", share(view.reserved));
  json.member("limit", share(view.limit));
  json.member("capacity", share(view.capacity));
  json.member("cost_per_unit", share(view.cost_per_unit));
  json.member("confirmations", view.confirmations);
  json.member("load_units", units(view.load));
  json.member("unaccounted_units", units(view.unaccounted));
  json.member("foreign_units", units(view.foreign));
  json.member("participants", view.participants);
  json.member("conferences", view.conferences);
  json.member("in_flight", view.in_flight);
  json.member("version", view.version);
  json.member("region", view.region);
  json.member("relay_id", view.relay_id);
  json.key("drain");
  if (drain != nullptr) {
    write(*drain, &view, json);
  } else {
    json.null();
  }
}

void write_bridges(const focus::Placement& placement, const focus::Orders::Drains& drains, Now now,
                   JsonWriter& json) {
  json.begin_array();
  for (const BridgeView& view : placement.bridges(now)) {
    const auto drain = drains.find(view.bridge);
    json.begin_object();
    write_members(view, drain == drains.end() ? nullptr : &drain->second, now, json);
    json.end_object();
  }
  json.end_array();
}

}  // namespace bascule::admin
