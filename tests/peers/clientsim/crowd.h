#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/peers/clientsim/participant.h"
#include "tests/peers/clientsim/world.h"

namespace bascule::peers {

/// All participants of one process.
class Crowd {
 public:
  struct Shape {
    int rooms = 1;
    int per_room = 2;
    std::vector<int> room_sizes;  ///< People of each room, in the place of `rooms` and `per_room`.
    std::string room_prefix = "room";
    int json_percent = 50;  ///< Participants that take sources as JSON.
    int senders_per_room =
        -1;                  ///< The first so many of a room have camera and microphone; -1: all.
    Milliseconds spread{0};  ///< Arrivals are uniform within this time.
    Milliseconds visibility_grace{10'000};
  };

  Crowd(World& world, Shape shape);

  void start();
  /// Everybody leaves.
  void stop();
  /// A line of standard input: `status`, `sessions`, `join N`, `leave N`, `mute N`, `mark`,
  /// `bridge-dead PORT`, `phase NAME`.
  /// A packet of a bridge: `<ufrag> <number of the participant>`.
  void media_arrived(std::string_view text);
  void command(const std::string& line);
  /// Reports pairs that should see each other's sources and do not.
  void check_visibility();
  [[nodiscard]] Json summary() const;

 private:
  struct Visibility {
    int expected = 0;
    int seen = 0;
    int overdue = 0;
    std::string example;
  };

  void add(int count);
  void add(int room, int seat);
  void leave(int count);
  /// So many moderators mute somebody of their room.
  void mute(int count);
  void tick();
  [[nodiscard]] Json status() const;
  [[nodiscard]] Json sessions() const;
  [[nodiscard]] Visibility visibility() const;

  World& world_;
  Shape shape_;
  Visibility visibility_;  ///< As of the last tick: it is too much work for every question.
  std::vector<std::unique_ptr<Participant>> participants_;
  Timer tick_timer_;
};

}  // namespace bascule::peers
