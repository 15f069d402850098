#include "sim/storm/media.h"

#include <algorithm>

#include "base/check.h"

namespace bascule::sim::storm {
namespace {

constexpr Step kSetup = 10;      // ICE and DTLS: a second before media flows.
constexpr Step kMoveLasts = 50;  // A conference that moves as a whole is on two bridges meanwhile.
constexpr std::int64_t kRelayHundredths = 10;
constexpr std::int64_t kRelayPeopleMax = 20;

}  // namespace

Media::Media(const TruthOptions& options, Sizes sizes)
    : shape_(options.shape),
      ramp_steps_(std::max<Step>(1, options.ramp / kStep)),
      people_(sizes.people),
      rooms_(sizes.rooms),
      bridges_(sizes.bridges) {
}

void Media::count(const Room& room, std::int64_t sign) {
  for (const Session& session : room.sessions) {
    Bridge& bridge = bridges_[session.bridge];
    const auto add = [&](const Count& people, std::int64_t weight) {
      bridge.fixed += sign * weight * (people.settled * ramp_steps_ - people.ramp_starts);
      bridge.slope += sign * weight * people.ramping;
    };
    add(session.members, weight_hundredths(shape_, room.members));
    add(session.visitors, visitor_weight_hundredths(room.members));
    if (room.sessions.size() > 1) {
      const std::int64_t remote = std::min(room.people - session.people, kRelayPeopleMax);
      bridge.fixed += sign * kRelayHundredths * remote * ramp_steps_;
    }
  }
}

Media::Session& Media::session(Room& room, BridgeId bridge, Step now) {
  for (Session& session : room.sessions) {
    if (session.bridge == bridge) {
      return session;
    }
  }
  room.sessions.push_back({.bridge = bridge});
  if (room.sessions.size() == 2) {
    room.apart_since = now;
  }
  return room.sessions.back();
}

void Media::drop_session(Room& room, BridgeId bridge, Step now) {
  std::erase_if(room.sessions, [&](const Session& session) { return session.bridge == bridge; });
  if (room.sessions.size() == 1 && now - room.apart_since > kMoveLasts) {
    room.split = true;
  }
}

void Media::place(PersonId person, RoomId room_id, BridgeId bridge_id, Step now) {
  Stay& stay = people_[person];
  BASCULE_CHECK(stay.phase == Phase::kNone);
  Bridge& bridge = bridges_[bridge_id];
  stay = {.bridge = bridge_id,
          .room = room_id,
          .ramp_start = now + kSetup,
          .serial = stay.serial + 1,
          .slot = static_cast<std::uint32_t>(bridge.people.size()),
          .phase = Phase::kConnecting,
          .visitor = stay.visitor};
  bridge.people.push_back(person);
  ++bridge.joining;
  ++bridge.total_joins;
  Room& room = rooms_[room_id];
  count(room, -1);
  ++session(room, bridge_id, now).people;
  ++room.people;
  room.members += stay.visitor ? 0 : 1;
  count(room, 1);
  starting_.push_back({.due = stay.ramp_start,
                       .person = person,
                       .serial = stay.serial,
                       .bridge = bridge_id,
                       .life = bridge.life});
}

void Media::remove(PersonId person, Step now) {
  Stay& stay = people_[person];
  BASCULE_CHECK(stay.phase != Phase::kNone);
  Bridge& bridge = bridges_[stay.bridge];
  const PersonId last = bridge.people.back();
  bridge.people[stay.slot] = last;
  people_[last].slot = stay.slot;
  bridge.people.pop_back();

  Room& room = rooms_[stay.room];
  count(room, -1);
  Session& from = session(room, stay.bridge, now);
  --from.people;
  --room.people;
  room.members -= stay.visitor ? 0 : 1;
  Count& counted = count_of(from, stay);
  counted.settled -= stay.phase == Phase::kSettled ? 1 : 0;
  if (stay.phase == Phase::kRamping) {
    --counted.ramping;
    counted.ramp_starts -= stay.ramp_start;
  }
  if (from.people == 0) {
    drop_session(room, stay.bridge, now);
  }
  count(room, 1);
  stay.phase = Phase::kNone;
}

void Media::restart(BridgeId bridge_id) {
  Bridge& bridge = bridges_[bridge_id];
  BASCULE_CHECK(bridge.people.empty() && bridge.fixed == 0 && bridge.slope == 0);
  ++bridge.life;
  bridge.joining = 0;
  bridge.total_joins = 0;
}

void Media::begin_ramp(const Ramp& ramp) {
  Bridge& bridge = bridges_[ramp.bridge];
  bridge.joining -= bridge.life == ramp.life ? 1 : 0;
  Stay& stay = people_[ramp.person];
  if (stay.serial != ramp.serial || stay.phase != Phase::kConnecting) {
    return;
  }
  stay.phase = Phase::kRamping;
  Room& room = rooms_[stay.room];
  count(room, -1);
  Count& on = count_of(session(room, stay.bridge, ramp.due), stay);
  ++on.ramping;
  on.ramp_starts += stay.ramp_start;
  count(room, 1);
  ending_.push_back({.due = ramp.due + ramp_steps_, .person = ramp.person, .serial = ramp.serial});
}

void Media::end_ramp(const Ramp& ramp) {
  Stay& stay = people_[ramp.person];
  if (stay.serial != ramp.serial || stay.phase != Phase::kRamping) {
    return;
  }
  stay.phase = Phase::kSettled;
  Room& room = rooms_[stay.room];
  count(room, -1);
  Count& on = count_of(session(room, stay.bridge, ramp.due), stay);
  --on.ramping;
  on.ramp_starts -= stay.ramp_start;
  ++on.settled;
  count(room, 1);
}

void Media::advance(Step now) {
  while (!starting_.empty() && starting_.front().due <= now) {
    begin_ramp(starting_.front());
    starting_.pop_front();
  }
  while (!ending_.empty() && ending_.front().due <= now) {
    end_ramp(ending_.front());
    ending_.pop_front();
  }
}

double Media::units(BridgeId bridge_id, Step now) const {
  const Bridge& bridge = bridges_[bridge_id];
  return static_cast<double>(bridge.fixed + bridge.slope * now) /
         (100.0 * static_cast<double>(ramp_steps_));
}

std::vector<BridgeId> Media::bridges_of(RoomId room) const {
  std::vector<BridgeId> bridges;
  for (const Session& session : rooms_[room].sessions) {
    bridges.push_back(session.bridge);
  }
  return bridges;
}

std::size_t Media::splits(Step now) const {
  return static_cast<std::size_t>(std::count_if(rooms_.begin(), rooms_.end(), [&](const Room& r) {
    return r.split || (r.sessions.size() > 1 && now - r.apart_since > kMoveLasts);
  }));
}

void Media::forget_splits(Step now) {
  for (Room& room : rooms_) {
    room.split = false;
    room.apart_since = now;
  }
}

}  // namespace bascule::sim::storm
