#include "tests/peers/clientsim/crowd.h"

#include <algorithm>
#include <charconv>
#include <sstream>

#include "tests/peers/common/control.h"

namespace bascule::peers {
namespace {

constexpr Milliseconds kTick{1000};

}  // namespace

Crowd::Crowd(World& world, Shape shape)
    : world_(world), shape_(std::move(shape)), tick_timer_(world.io) {
}

void Crowd::start() {
  if (shape_.room_sizes.empty()) {
    add(shape_.rooms * shape_.per_room);
  } else {
    shape_.rooms = static_cast<int>(shape_.room_sizes.size());  // For those who come later.
  }
  for (std::size_t room = 0; room < shape_.room_sizes.size(); ++room) {
    for (int seat = 0; seat < shape_.room_sizes[room]; ++seat) {
      add(static_cast<int>(room), seat);
    }
  }
  tick();
}

void Crowd::stop() {
  tick_timer_.stop();
  for (const auto& participant : participants_) {
    participant->leave();
  }
}

void Crowd::add(int count) {
  for (int i = 0; i < count; ++i) {
    const int number = static_cast<int>(participants_.size());
    add(number % shape_.rooms, number / shape_.rooms);
  }
}

void Crowd::add(int room, int seat) {
  ParticipantOptions options;
  options.number = static_cast<int>(participants_.size());
  options.room = shape_.room_prefix + std::to_string(room) + "@conference." + world_.options.domain;
  options.json_sources = static_cast<int>(world_.random.below(100)) < shape_.json_percent;
  options.sends = shape_.senders_per_room < 0 || seat < shape_.senders_per_room;
  participants_.push_back(std::make_unique<Participant>(world_, options));
  participants_.back()->start(random_between(world_.random, Milliseconds(0), shape_.spread));
}

void Crowd::leave(int count) {
  std::vector<Participant*> present;
  for (const auto& participant : participants_) {
    if (participant->state() == Participant::State::kInRoom) {
      present.push_back(participant.get());
    }
  }
  for (; count > 0 && !present.empty(); --count) {
    Participant*& chosen = present[world_.random.below(present.size())];
    chosen->leave();
    chosen = present.back();
    present.pop_back();
  }
}

void Crowd::mute(int count) {
  std::vector<Participant*> moderators;
  for (const auto& participant : participants_) {
    if (participant->can_mute()) {
      moderators.push_back(participant.get());
    }
  }
  for (; count > 0 && !moderators.empty(); --count) {
    moderators[world_.random.below(moderators.size())]->mute_somebody();
  }
}

void Crowd::tick() {
  tick_timer_.start(kTick, [this] { tick(); });
  visibility_ = visibility();
  world_.log.write("crowd", status());
}

Crowd::Visibility Crowd::visibility() const {
  Visibility result;
  const SteadyTime now = std::chrono::steady_clock::now();
  for (const auto& [room, members] : world_.rooms) {
    for (const auto& [other_id, other] : members) {
      if (!other->is_active() || !other->options().sends || world_.options.ssrc_rewriting) {
        continue;
      }
      const std::vector<std::uint32_t> required = required_ssrcs(other->published());
      for (const auto& [viewer_id, viewer] : members) {
        if (viewer == other || !viewer->is_active()) {
          continue;
        }
        ++result.expected;
        if (viewer->knows(other_id, required)) {
          ++result.seen;
        } else if (now - std::max(viewer->settled_since(), other->settled_since()) >
                   shape_.visibility_grace) {
          ++result.overdue;
          result.example = viewer_id;
          result.example.append(" does not see ").append(other_id).append(" in ").append(room);
        }
      }
    }
  }
  return result;
}

void Crowd::check_visibility() {
  const Visibility now = visibility();
  visibility_ = now;
  if (now.overdue > 0) {
    world_.log.violation("visibility", std::to_string(now.overdue) +
                                           " pairs miss sources, for example " + now.example);
  }
}

Json Crowd::status() const {
  int present = 0;
  int in_room = 0;
  int sessions = 0;
  int active = 0;
  int media = 0;
  for (const auto& participant : participants_) {
    present += participant->state() != Participant::State::kGone ? 1 : 0;
    in_room += participant->state() == Participant::State::kInRoom ? 1 : 0;
    sessions += participant->has_session() ? 1 : 0;
    active += participant->is_active() ? 1 : 0;
    media += participant->has_media() ? 1 : 0;
  }
  const Visibility& pairs = visibility_;
  const Figures& figures = world_.figures;
  return {{"participants", present},
          {"in_room", in_room},
          {"sessions", sessions},
          {"active", active},
          {"with_media", media},
          {"pairs_expected", pairs.expected},
          {"pairs_seen", pairs.seen},
          {"pairs_overdue", pairs.overdue},
          {"requests", figures.requests},
          {"deferred", figures.deferred},
          {"refused", figures.refused},
          {"invites", figures.invites},
          {"accepts", figures.accepts},
          {"moved", figures.moved},
          {"reloads", figures.reloads},
          {"restarts", figures.restarts},
          {"source_messages", figures.source_messages},
          {"screen_changes", figures.screen_changes},
          {"mutes_asked", figures.mutes_asked},
          {"mutes_done", figures.mutes_done},
          {"mutes_received", figures.mutes_received},
          {"since_mark", world_.answers.status()},
          {"phase", world_.samples.phase()},
          {"violations", world_.log.violations()}};
}

Json Crowd::sessions() const {
  Json list = Json::array();
  for (const auto& participant : participants_) {
    if (participant->state() != Participant::State::kGone) {
      list.push_back({{"id", participant->endpoint()},
                      {"room", participant->options().room},
                      {"port", participant->bridge_port()},
                      {"active", participant->is_active()},
                      {"media", participant->has_media()}});
    }
  }
  return list;
}

void Crowd::media_arrived(std::string_view text) {
  const std::size_t space = text.find(' ');
  std::size_t number = participants_.size();
  if (space != std::string_view::npos) {
    std::from_chars(text.data() + space + 1, text.data() + text.size(), number);
  }
  if (number < participants_.size()) {
    participants_[number]->media_arrived(text.substr(0, space));
  }
}

void Crowd::command(const std::string& line) {
  std::istringstream stream(line);
  std::string verb;
  std::string word;
  stream >> verb >> word;
  Json reply = {{"answer", verb}};
  const int number = word.empty() ? 0 : std::atoi(word.c_str());
  if (verb == "status") {
    reply.update(status());
  } else if (verb == "sessions") {
    reply["sessions"] = sessions();
  } else if (verb == "phase" && !word.empty()) {
    world_.samples.set_phase(word);
  } else if (verb == "join" && number > 0) {
    add(number);
  } else if (verb == "leave" && number > 0) {
    leave(number);
  } else if (verb == "mute" && number > 0) {
    mute(number);
  } else if (verb == "mark") {
    world_.answers.begin(std::chrono::steady_clock::now());
  } else if (verb == "bridge-dead" && number > 0) {
    for (const auto& participant : participants_) {
      participant->bridge_died(number);
    }
  } else {
    reply = {{"answer", "error"}, {"text", "cannot do '" + line + "'"}};
  }
  answer(reply.dump());
}

Json Crowd::summary() const {
  Json result = status();
  result["answer"] = "summary";
  result["latency_ms"] = world_.samples.summary();
  return result;
}

}  // namespace bascule::peers
