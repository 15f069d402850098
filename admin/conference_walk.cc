#include "admin/conference_walk.h"

#include <nlohmann/json.hpp>

namespace bascule::admin {
namespace {

/// Participants told in one slice: about a millisecond.
constexpr std::size_t kMembersPerSlice = 50;

std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

bool ConferenceWalk::start(Tell tell, Done done) {
  if (done_) {
    return false;
  }
  tell_ = std::move(tell);
  done_ = std::move(done);
  told_up_to_.reset();
  object_ = "{";
  step();
  return true;
}

void ConferenceWalk::step() {
  const focus::Focus& focus = sources_.focus();
  std::size_t told = 0;
  bool is_complete = true;
  focus.conferences_after(told_up_to_, [&](const focus::ConferenceSummary& summary) {
    if (told >= kMembersPerSlice) {
      is_complete = false;
      return false;
    }
    told += 1 + summary.participants;
    told_up_to_ = summary.room;
    if (const Member member = tell_(focus.details(summary.room).value())) {
      object_ += object_.size() > 1 ? "," : "";
      object_ += quoted(member->first) + ":" + member->second;
    }
    return true;
  });
  if (!is_complete) {
    sources_.later([self = shared_from_this()] { self->step(); });
    return;
  }
  object_ += "}";
  const Done done = std::exchange(done_, nullptr);
  done(std::exchange(object_, {}));
}

}  // namespace bascule::admin
