#include "sim/storm/people.h"

#include <algorithm>

#include "base/check.h"

namespace bascule::sim::storm {

People::People(const std::vector<RoomId>& room_of, std::size_t rooms)
    : people_(room_of.size()), rooms_(rooms) {
  for (PersonId person = 0; person < people_.size(); ++person) {
    people_[person].room = room_of[person];
  }
}

void People::waits(PersonId id, Duration now) {
  Person& person = people_[id];
  person.state = State::kWaiting;
  person.since = now;
  if (!person.requested) {
    person.requested = person.counted = true;
    person.first_request = now;
    person.down_before = person.down;
  }
  ++waiting_;
}

void People::join(PersonId id, Duration now, std::vector<PersonId>& wanting) {
  Person& person = people_[id];
  BASCULE_CHECK(person.state == State::kAway);
  Room& room = rooms_[person.room];
  ++room.present;
  if (!room.started && room.present == 1) {
    person.state = State::kAlone;
    room.alone = id;
    return;
  }
  if (!room.started) {
    room.started = true;
    waits(room.alone, now);
    wanting.push_back(room.alone);
  }
  waits(id, now);
  wanting.push_back(id);
}

void People::leave(PersonId id, Duration now) {
  Person& person = people_[id];
  BASCULE_CHECK(person.state != State::kAway);
  if (person.state == State::kWaiting) {
    person.down += seconds(now - person.since);
    --waiting_;
  }
  person.state = State::kAway;
  Room& room = rooms_[person.room];
  room.started = --room.present > 0 && room.started;
}

void People::drop_all(Duration now) {
  for (PersonId id = 0; id < people_.size(); ++id) {
    if (people_[id].state != State::kAway) {
      leave(id, now);
    }
  }
}

void People::placed(PersonId id, BridgeId bridge, const Fleet& fleet, Duration now) {
  Person& person = people_[id];
  if (person.state == State::kAway) {  // Before the run: in the room from the start.
    Room& room = rooms_[person.room];
    ++room.present;
    room.started = true;
    person.counted = true;
  } else if (person.state == State::kWaiting) {
    person.down += seconds(now - person.since);
    --waiting_;
  }
  person.state = State::kPlaced;
  person.down_mark = fleet.steps_down(bridge);
  person.over_mark = fleet.steps_over(bridge);
}

void People::account(Person& person, BridgeId bridge, const Fleet& fleet) {
  person.down += kStepSeconds * static_cast<double>(fleet.steps_down(bridge) - person.down_mark);
  person.over += kStepSeconds * static_cast<double>(fleet.steps_over(bridge) - person.over_mark);
  person.down_mark = fleet.steps_down(bridge);
  person.over_mark = fleet.steps_over(bridge);
}

void People::unplaced(PersonId id, BridgeId bridge, const Fleet& fleet) {
  account(people_[id], bridge, fleet);
}

/// The warm phase ended: this is time zero.
void People::begin_counting(const Media& media, const Fleet& fleet) {
  for (PersonId id = 0; id < people_.size(); ++id) {
    Person& person = people_[id];
    person.requested = person.state == State::kWaiting;
    person.since = person.first_request = Duration::zero();
    person.down_before = 0;
    if (media.placed(id)) {
      account(person, media.bridge_of(id), fleet);
    }
    person.down = person.over = 0;
  }
}

void People::finish(const Media& media, const Fleet& fleet, Duration now) {
  for (PersonId id = 0; id < people_.size(); ++id) {
    Person& person = people_[id];
    if (person.state == State::kWaiting) {
      person.down += seconds(now - person.since);
      person.since = now;
    } else if (person.state == State::kPlaced) {
      account(person, media.bridge_of(id), fleet);
    }
  }
}

std::vector<double> People::down_seconds() const {
  std::vector<double> down;
  for (const Person& person : people_) {
    if (person.counted) {
      down.push_back(person.down);
    }
  }
  std::sort(down.begin(), down.end());
  return down;
}

double People::over_seconds_per_user() const {
  double sum = 0;
  std::size_t users = 0;
  for (const Person& person : people_) {
    sum += person.over;
    users += person.counted ? 1U : 0U;
  }
  return users == 0 ? 0 : sum / static_cast<double>(users);
}

std::vector<double> People::served_after(Duration event) const {
  std::vector<double> served;
  for (const Person& person : people_) {
    if (person.requested) {
      served.push_back(seconds(person.first_request - event) + person.down - person.down_before);
    }
  }
  std::sort(served.begin(), served.end());
  return served;
}

}  // namespace bascule::sim::storm
