#include "sim/fake_operator.h"

#include <utility>

#include "focus/input.h"

namespace bascule::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kOrders = 0x0fde'4d3a;
constexpr Duration kAskAgain = seconds{2};

}  // namespace

FakeOperator::FakeOperator(Schedule& schedule, FocusHost& host, Fleet fleet, std::uint64_t seed)
    : schedule_(schedule), host_(host), fleet_(std::move(fleet)), prng_(seed ^ kOrders) {
}

void FakeOperator::plan(Duration end) {
  const std::uint64_t count = prng_.below(5);
  const auto latest =
      static_cast<std::uint64_t>(std::chrono::duration_cast<milliseconds>(end).count());
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto when = milliseconds{static_cast<std::int64_t>(8'000 + prng_.below(latest - 10'000))};
    const std::uint64_t what = prng_.below(4);
    schedule_.after(when, [this, what] {
      if (what < 2) {
        drain();
      } else if (what == 2) {
        move();
      } else {
        pin();
      }
    });
  }
}

void FakeOperator::drain() {
  // The others must be able to carry everybody.
  if (fleet_.bridges.size() < 4 || !given_.empty()) {
    return;
  }
  const BridgeJid bridge = fleet_.bridges[prng_.below(fleet_.bridges.size())];
  given_.insert(bridge);
  give(focus::order::Drain{.bridge = bridge, .evacuate = prng_.below(2) == 0, .reason = "sim"});
  schedule_.after(seconds{static_cast<std::int64_t>(5 + prng_.below(40))},
                  [this, bridge] { undrain(bridge); });
}

/// A focus that is down, or dies before it answers, is asked again.
void FakeOperator::undrain(const BridgeJid& bridge) {
  if (!given_.contains(bridge)) {
    return;
  }
  in_force_.erase(bridge);
  give(focus::order::Undrain{bridge});
  schedule_.after(kAskAgain, [this, bridge] { undrain(bridge); });
}

void FakeOperator::move() {
  focus::order::Move move;
  if (prng_.below(3) == 0) {
    move.from = fleet_.bridges[prng_.below(fleet_.bridges.size())];
    move.people_max = 1 + prng_.below(10);
  } else {
    move.room = fleet_.rooms[prng_.below(fleet_.rooms.size())];
  }
  if (prng_.below(2) == 0) {
    move.to = fleet_.bridges[prng_.below(fleet_.bridges.size())];
  }
  give(move);
}

void FakeOperator::pin() {
  give(focus::order::Pin{.room = fleet_.rooms[prng_.below(fleet_.rooms.size())],
                         .version = "another",
                         .for_time = seconds{5}});
}

void FakeOperator::give(focus::Order order) {
  if (!host_.is_running()) {
    return;
  }
  const focus::OrderId id{++last_};
  asked_.emplace(id, order);
  host_.give(focus::in::OperatorOrder{id, "sim", std::move(order)});
}

void FakeOperator::retire() {
  for (const BridgeJid& bridge : std::set(given_)) {
    undrain(bridge);
  }
}

void FakeOperator::observe(const focus::Action& action) {
  if (const auto* answer = std::get_if<focus::out::AnswerOrder>(&action)) {
    const auto found = asked_.find(answer->order);
    if (found == asked_.end()) {
      complaints_.push_back("an order was answered twice, or never given");
      return;
    }
    const auto* drain = std::get_if<focus::order::Drain>(&found->second);
    const auto* undrain = std::get_if<focus::order::Undrain>(&found->second);
    if (drain != nullptr && !answer->outcome) {
      given_.erase(drain->bridge);
    } else if (drain != nullptr && given_.contains(drain->bridge)) {
      in_force_.insert(drain->bridge);
    } else if (undrain != nullptr) {
      given_.erase(undrain->bridge);
    }
    asked_.erase(found);
    return;
  }
  const auto* iq = std::get_if<focus::out::SendIq>(&action);
  const auto* modify = iq == nullptr ? nullptr : std::get_if<proto::ConferenceModify>(&iq->payload);
  if (modify != nullptr && modify->create && in_force_.contains(BridgeJid(iq->to))) {
    complaints_.push_back("a new meeting on " + iq->to.resource() + ", which is drained");
  }
}

}  // namespace bascule::sim
