#include "focus/orders.h"

#include <algorithm>

#include "base/time_text.h"

namespace bascule::focus {
namespace {

constexpr std::size_t kVersionMax = 100;

/// Cut at a character, not inside one.
std::string shortened(std::string text) {
  if (text.size() > kOrderTextMax) {
    std::size_t end = kOrderTextMax;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
      --end;
    }
    text.resize(end);
  }
  return text;
}

std::string text_of(const op::BridgeDrain* drain) {
  if (drain == nullptr) {
    return "in use";
  }
  std::string text = drain->evacuate ? "evacuated" : "drained";
  return drain->reason.empty() ? text : text + ": " + drain->reason;
}

std::string text_of(const op::PinSet* pin) {
  return pin == nullptr ? "any version" : pin->version + " until " + to_text(pin->until);
}

template <class Rows, class Key>
const typename Rows::mapped_type* find(const Rows& rows, const Key& key) {
  const auto found = rows.find(key);
  return found == rows.end() ? nullptr : &found->second;
}

std::string counted(std::size_t count, const char* noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace

void Orders::restore(const Tables& earlier, Turn& turn) {
  drains_ = earlier.drains;
  pins_ = earlier.pins;
  audit_ = earlier.audit;
  for (const auto& [bridge, drain] : drains_) {
    turn.shared.placement.set_cordoned(bridge, true, turn.now);
    turn.shared.placement.set_evacuating(bridge, drain.evacuate, turn.now);
  }
  for (const auto& [room, pin] : pins_) {
    const Duration left = std::min(pin.until - turn.now.wall, kPinMax);
    if (left > Duration::zero()) {
      turn.shared.placement.pin(room, pin.version, left, turn.now);
    }
  }
}

void Orders::on_order(const in::OperatorOrder& input, Turn& turn) {
  const std::string by = shortened(input.by);
  const Result<Change> change =
      std::visit([&](const auto& order) { return carry_out(order, by, turn); }, input.what);
  if (!change) {
    ++turn.counters().orders_refused;
    turn.info("operator.refused", {{"by", by}, {"reason", change.error().what}});
    turn.act(out::AnswerOrder{input.order, tl::make_unexpected(change.error())});
    return;
  }
  ++turn.counters().orders;
  if (change->done.changed) {
    record(*change, by, turn);
  }
  turn.act(out::AnswerOrder{input.order, change->done});
}

Result<Orders::Change> Orders::carry_out(const order::Drain& drain, const std::string& by,
                                         Turn& turn) {
  Placement& placement = turn.shared.placement;
  const op::BridgeDrain* before = find(drains_, drain.bridge);
  if (before == nullptr && !placement.bridge(drain.bridge, turn.now)) {
    return fail(Errc::kNotFound, "no bridge is known as " + drain.bridge.to_string());
  }
  if (before == nullptr && drains_.size() >= kBridgesMax) {
    return fail(Errc::kConflict, "too many bridges are drained");
  }
  op::BridgeDrain after{.bridge = drain.bridge,
                        .drained = true,
                        .evacuate = drain.evacuate,
                        .reason = shortened(drain.reason),
                        .by = by,
                        .since = before == nullptr ? turn.now.wall : before->since};
  Change change{.what = drain.evacuate ? "evacuate" : "drain",
                .target = drain.bridge.to_string(),
                .before = text_of(before),
                .after = text_of(&after),
                .done = {}};
  change.done.changed = change.before != change.after;
  if (change.done.changed) {
    turn.persist(after);
    drains_.insert_or_assign(drain.bridge, std::move(after));
    placement.set_cordoned(drain.bridge, true, turn.now);
    placement.set_evacuating(drain.bridge, drain.evacuate, turn.now);
  }
  return change;
}

Result<Orders::Change> Orders::carry_out(const order::Undrain& undrain, const std::string& /*by*/,
                                         Turn& turn) {
  const op::BridgeDrain* before = find(drains_, undrain.bridge);
  Change change{.what = "undrain",
                .target = undrain.bridge.to_string(),
                .before = text_of(before),
                .after = text_of(static_cast<const op::BridgeDrain*>(nullptr)),
                .done = {}};
  if (before != nullptr) {
    change.done.changed = true;
    turn.persist(op::BridgeDrain{.bridge = undrain.bridge});
    drains_.erase(undrain.bridge);
    turn.shared.placement.set_evacuating(undrain.bridge, false, turn.now);
    turn.shared.placement.set_cordoned(undrain.bridge, false, turn.now);
  }
  return change;
}

Result<Orders::Change> Orders::carry_out(const order::Pin& pin, const std::string& by, Turn& turn) {
  if (pin.version.empty() || pin.version.size() > kVersionMax) {
    return fail(Errc::kInvalidArgument,
                "a version has 1 to " + std::to_string(kVersionMax) + " characters");
  }
  if (pin.for_time < std::chrono::seconds{1} || pin.for_time > kPinMax) {
    return fail(Errc::kInvalidArgument, "a pin lasts from a second to a week");
  }
  drop_expired_pins(turn);
  const op::PinSet* before = find(pins_, pin.room);
  if (before == nullptr && pins_.size() >= kPinsMax) {
    return fail(Errc::kConflict, "too many conferences are pinned");
  }
  op::PinSet after{
      .room = pin.room, .version = pin.version, .until = turn.now.wall + pin.for_time, .by = by};
  Change change{.what = "pin",
                .target = pin.room.to_string(),
                .before = text_of(before),
                .after = text_of(&after),
                .done = {.changed = true}};
  turn.persist(after);
  pins_.insert_or_assign(pin.room, std::move(after));
  turn.shared.placement.pin(pin.room, pin.version, pin.for_time, turn.now);
  return change;
}

Result<Orders::Change> Orders::carry_out(const order::Unpin& unpin, const std::string& /*by*/,
                                         Turn& turn) {
  drop_expired_pins(turn);
  const op::PinSet* before = find(pins_, unpin.room);
  Change change{.what = "unpin",
                .target = unpin.room.to_string(),
                .before = text_of(before),
                .after = text_of(static_cast<const op::PinSet*>(nullptr)),
                .done = {}};
  if (before != nullptr) {
    change.done.changed = true;
    turn.persist(op::PinSet{.room = unpin.room});
    pins_.erase(unpin.room);
    turn.shared.placement.unpin(unpin.room);
  }
  return change;
}

void Orders::drop_expired_pins(Turn& turn) {
  for (auto next = pins_.begin(); next != pins_.end();) {
    const auto pin = next++;
    if (pin->second.until <= turn.now.wall) {
      turn.persist(op::PinSet{.room = pin->first});
      pins_.erase(pin);
    }
  }
}

Result<Orders::Change> Orders::carry_out(const order::Move& move, const std::string& /*by*/,
                                         Turn& turn) {
  const auto done = turn.shared.placement.order_move(move, turn.now);
  if (!done) {
    return tl::make_unexpected(done.error());
  }
  Change change{.what = "move", .target = {}, .before = {}, .after = {}, .done = *done};
  if (move.room) {
    change.target = move.room->to_string() + (move.endpoint ? "/" + move.endpoint->value() : "");
  }
  change.before = move.from ? "on " + move.from->to_string() : "";
  change.after = counted(done->participants, "participant") + " of " +
                 counted(done->conferences, "conference") + " asked to move" +
                 (move.to ? " to " + move.to->to_string() : "");
  return change;
}

Result<Orders::Change> Orders::carry_out(const order::Record& record, const std::string& /*by*/,
                                         Turn& /*turn*/) {
  return Change{.what = shortened(record.what),
                .target = shortened(record.target),
                .before = shortened(record.before),
                .after = shortened(record.after),
                .done = {.changed = true}};
}

void Orders::record(const Change& change, const std::string& by, Turn& turn) {
  op::AuditEntry entry{.at = turn.now.wall,
                       .number = ++last_number_,
                       .by = by,
                       .what = change.what,
                       .target = change.target,
                       .before = change.before,
                       .after = change.after};
  turn.info("operator.changed", {{"by", by},
                                 {"what", entry.what},
                                 {"target", entry.target},
                                 {"before", entry.before},
                                 {"after", entry.after}});
  turn.persist(entry);
  audit_.insert_or_assign({entry.at, entry.number}, std::move(entry));
  if (audit_.size() > kAuditMax) {
    audit_.erase(audit_.begin());
  }
}

}  // namespace bascule::focus
