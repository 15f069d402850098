#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/storm/fleet.h"
#include "sim/storm/ids.h"
#include "sim/storm/media.h"

namespace bascule::sim::storm {

/// Who is in which room, who waits since when, and how long each had no usable media. A conference
/// gets its first place when two people are there; who sits alone in a room wants none yet.
class People {
 public:
  explicit People(const std::vector<RoomId>& room_of, std::size_t rooms);

  /// Comes into the room. Appends who has to be requested now: nobody, the person, or the person
  /// after the one who sat there alone.
  void join(PersonId person, Duration now, std::vector<PersonId>& wanting);
  /// Leaves the room; its media, if any, was removed before.
  void leave(PersonId person, Duration now);
  /// Everybody is out; media was removed before.
  void drop_all(Duration now);

  void placed(PersonId person, BridgeId bridge, const Fleet& fleet, Duration now);
  /// Has no place any more; accounts for the time on the bridge.
  void unplaced(PersonId person, BridgeId bridge, const Fleet& fleet);
  /// Wants one (again).
  void waits(PersonId person, Duration now);

  [[nodiscard]] bool waiting(PersonId person) const {
    return people_[person].state == State::kWaiting;
  }
  [[nodiscard]] std::size_t waiting_count() const { return waiting_; }
  [[nodiscard]] RoomId room_of(PersonId person) const { return people_[person].room; }
  [[nodiscard]] std::size_t size() const { return people_.size(); }

  /// Forgets what was accounted; the clocks of people with a place start again.
  void begin_counting(const Media& media, const Fleet& fleet);
  /// Accounts for those who wait or have a place now.
  void finish(const Media& media, const Fleet& fleet, Duration now);

  /// Of everybody who wanted a place since counting began.
  [[nodiscard]] std::vector<double> down_seconds() const;
  [[nodiscard]] double over_seconds_per_user() const;
  /// Seconds from `event` to being served: first request after it, plus everything lost since. Of
  /// those who wanted a place after counting began; ascending.
  [[nodiscard]] std::vector<double> served_after(Duration event) const;

 private:
  enum class State : std::uint8_t { kAway, kAlone, kWaiting, kPlaced };
  struct Person {
    RoomId room = 0;
    State state = State::kAway;
    bool counted = false;  ///< Wanted a place while counting.
    bool requested = false;
    Duration since{};          ///< Of waiting.
    Duration first_request{};  ///< While counting.
    double down_before = 0;    ///< Lost until then.
    double down = 0, over = 0;
    Step down_mark = 0, over_mark = 0;  ///< Of the bridge, when placed.
  };
  void account(Person& person, BridgeId bridge, const Fleet& fleet);

  std::vector<Person> people_;
  struct Room {
    std::uint32_t present = 0;
    bool started = false;
    PersonId alone = 0;
  };
  std::vector<Room> rooms_;
  std::size_t waiting_ = 0;
};

}  // namespace bascule::sim::storm
