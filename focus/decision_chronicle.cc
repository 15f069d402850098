#include "focus/decision_chronicle.h"

#include <limits>
#include <string>
#include <utility>

#include "focus/memory_records.h"

namespace bascule::focus {
namespace {

void log_wait(const DecisionRecord& record, Turn& turn) {
  turn.info("bridge.wait", {{"room", record.ticket.room.to_string()},
                            {"endpoint", record.ticket.participant.jid().resource()},
                            {"class", std::string(to_string(record.ticket_class))},
                            {"reason", std::string(to_string(*record.wait))},
                            {"waited", record.waited},
                            {"candidates", static_cast<std::int64_t>(record.open_bridges)}});
}

constexpr std::size_t kBlindNamed = 5;
constexpr std::string_view kAction =
    "do these bridges publish their stats to the brewery (/v1/bridges says who told what, and "
    "when)? "
    "Until they do, people are placed by our own counts";

/// Bridges that are there and tell nothing that is believed.
std::string blind_bridges(const Placement& placement, Now now) {
  std::string nicks;
  std::size_t count = 0;
  for (const BridgeView& view : placement.bridges(now)) {
    if (view.present && level_of(view.confidence_permille) >= Confidence::kLow) {
      if (++count > kBlindNamed) {
        return nicks + " ...";
      }
      nicks += (nicks.empty() ? "" : " ") + view.bridge.jid().resource();
    }
  }
  return nicks;
}

std::string spares_in_use(const Placement& placement, Now now) {
  std::string nicks;
  for (const BridgeView& view : placement.bridges(now)) {
    if (view.activated) {
      nicks += (nicks.empty() ? "" : " ") + view.bridge.jid().resource();
    }
  }
  return nicks;
}

}  // namespace

std::vector<DecisionRecord> DecisionChronicle::take(Turn& turn) {
  std::vector<DecisionRecord> records =
      turn.shared.placement.decisions_since(told_, std::numeric_limits<std::size_t>::max());
  for (const DecisionRecord& record : records) {
    told_ = record.number;
    turn.persist(to_record(record, turn.now));
    if (record.wait) {
      log_wait(record, turn);
    } else if (record.reason == PlacementReason::kAlone) {
      turn.warn("conference.isolated",
                {{"room", record.ticket.room.to_string()}, {"bridge", record.bridge.to_string()}});
    }
  }
  return records;
}

void DecisionChronicle::notice(Turn& turn) {
  const Placement& placement = turn.shared.placement;
  const PlacementCounters& counters = placement.counters();
  if (const Mode mode = placement.mode(); mode != mode_) {
    const Mode before = std::exchange(mode_, mode);
    const auto log = mode == Mode::kBlind || mode == Mode::kFull ? &Turn::warn : &Turn::info;
    (turn.*log)("placement.mode", {{"mode", std::string(to_string(mode))},
                                   {"before", std::string(to_string(before))},
                                   {"waiting", static_cast<std::int64_t>(placement.queued())}});
  }
  notice_blindness(turn);
  if (std::exchange(spares_activated_, counters.spares_activated) != counters.spares_activated) {
    turn.info("bridge.spare_activated", {{"bridges", spares_in_use(placement, turn.now)}});
  }
  if (std::exchange(mass_drops_, counters.mass_drops) != counters.mass_drops) {
    turn.warn("placement.mass_drop", {{"waiting", static_cast<std::int64_t>(placement.queued())}});
  }
}

void DecisionChronicle::notice_blindness(Turn& turn) {
  const Blindness now = turn.shared.placement.blindness();
  const Blindness::Extent before = std::exchange(blindness_, now.extent());
  if (before == blindness_) {
    return;
  }
  if (blindness_ == Blindness::Extent::kNone) {
    turn.info("stats.trusted_again", {{"bridges", static_cast<std::int64_t>(now.working)},
                                      {"after", turn.now.mono - blind_since_}});
    return;
  }
  if (before == Blindness::Extent::kNone) {
    blind_since_ = turn.now.mono;
  }
  const Turn::Field extent{"extent", std::string(to_string(blindness_))};
  const Turn::Field blind{"blind", static_cast<std::int64_t>(now.blind)};
  const Turn::Field bridges{"bridges", static_cast<std::int64_t>(now.working)};
  const Turn::Field which{"which", blind_bridges(turn.shared.placement, turn.now)};
  if (blindness_ == Blindness::Extent::kPartly) {
    turn.warn("stats.blind", {extent, blind, bridges, which});
  } else {
    turn.error("stats.blind", {extent, blind, bridges, which, {"action", std::string(kAction)}});
  }
}

DecisionRecord record_of(const Decision& decision, const std::vector<DecisionRecord>& records,
                         std::size_t& next) {
  for (; next < records.size(); ++next) {
    const DecisionRecord& record = records[next];
    if (record.reason && record.ticket.participant == decision.ticket.participant &&
        record.ticket.generation == decision.ticket.generation) {
      ++next;
      return record;
    }
  }
  DecisionRecord record;
  record.ticket = decision.ticket;
  record.reason = decision.reason;
  record.bridge = decision.bridge;
  record.limit = decision.limit;
  record.waited = decision.waited;
  record.open_bridges = decision.candidates;
  return record;
}

}  // namespace bascule::focus
