#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "admin/http.h"
#include "base/jid.h"
#include "focus/focus.h"

namespace bascule::admin {

/// Writes a JSON object with a member for each conference. With thousands of people that takes
/// longer than anybody may wait for the event loop, so it is done a slice at a time; conferences
/// that end meanwhile are left out. Only one walk at once: it keeps what it has written in memory.
class ConferenceWalk : public std::enable_shared_from_this<ConferenceWalk> {
 public:
  /// Name and value (as JSON) of a conference's member of the object; nullopt leaves it out.
  using Member = std::optional<std::pair<std::string, std::string>>;
  using Tell = std::function<Member(const focus::ConferenceDetails&)>;
  using Done = std::function<void(std::string object)>;
  struct Sources {
    std::function<const focus::Focus&()> focus;
    std::function<void(std::function<void()>)> later;
  };

  explicit ConferenceWalk(Sources sources) : sources_(std::move(sources)) {}

  /// False when one is under way. `done` is called once.
  [[nodiscard]] bool start(Tell tell, Done done);

 private:
  void step();

  Sources sources_;
  Tell tell_;
  Done done_;  // Set while a walk is under way.
  std::optional<RoomJid> told_up_to_;
  std::string object_;
};

}  // namespace bascule::admin
