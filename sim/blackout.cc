#include "sim/blackout.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace bascule::sim {
namespace {

using focus::Confidence;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Instant kStart{seconds{1'000}};
constexpr Duration kLook = seconds{1};
constexpr Duration kDecades = std::chrono::hours{24 * 365 * 30};
// Millionths. Rooms are placed as wholes, each up to a fifth of a bridge, and nobody is moved to
// even out who left.
constexpr std::int64_t kSpreadMax = 400'000;
constexpr std::int64_t kSmall = 30'000;
constexpr std::int64_t kSizeMin = 3;
constexpr std::uint64_t kSizes = 7;
// Per bridge. Before the lights go out there must be enough to learn what a bridge costs.
constexpr std::size_t kRoomsAtFirst = 4;
constexpr std::size_t kRoomsLater = 1;
constexpr std::size_t kRoomsInAll = kRoomsAtFirst + 5 * kRoomsLater;
constexpr std::int64_t kUsedPermille = 650;  // Of the fleet, when everybody is there.

std::int64_t load_of(std::int64_t people) {
  return people * (400 + 60 * std::min<std::int64_t>(people, 20));
}

}  // namespace

Blackout::Blackout(const BlackoutOptions& options)
    : options_(options), prng_(options.seed), schedule_(kStart) {
  draw();
}

void Blackout::draw() {
  focus_options_.focus_user = deployment_.focus_user;
  focus_options_.conference_service = deployment_.conference_service;
  focus_options_.brewery = deployment_.brewery;
  focus_options_.pubsub_service = deployment_.pubsub_service;
  focus_options_.pubsub_node = deployment_.pubsub_node;
  focus_options_.version = "sim";
  server_ =
      std::make_unique<FakeProsody>(schedule_, Prng(prng_.next()), NetworkOptions{}, deployment_);
  pubsub_ =
      std::make_unique<FakePubsub>(*server_, deployment_.pubsub_service, deployment_.pubsub_node);
  pace_ = std::make_unique<PaceChecker>(focus_options_.placement);
  host_ =
      std::make_unique<FocusHost>(schedule_, *server_, Prng(prng_.next()), focus_options_,
                                  deployment_, [this](const focus::Action& action, Instant now) {
                                    pace_->observe(action, now);
                                    if (const auto* log = std::get_if<focus::out::Log>(&action)) {
                                      on_log(log->note);
                                    }
                                  });
  const std::size_t bridges = 4 + prng_.below(5);
  std::int64_t load = 0;
  for (std::size_t room = 0; room < kRoomsInAll * bridges; ++room) {
    sizes_.push_back(kSizeMin + static_cast<std::int64_t>(prng_.below(kSizes)));
    load += load_of(sizes_.back());
  }
  const std::int64_t share = load / kUsedPermille / static_cast<std::int64_t>(bridges);  // Units.
  const std::int64_t largest_room = load_of(kSizeMin + static_cast<std::int64_t>(kSizes) - 1);
  for (std::size_t i = 0; i < bridges; ++i) {
    BridgeOptions bridge;
    bridge.nick = "jvb" + std::to_string(i + 1);
    bridge.publishes_to_pubsub = true;
    // Five of the largest rooms at least: whole rooms are what can be placed.
    bridge.capacity = std::max(share * static_cast<std::int64_t>(80 + prng_.below(61)) / 100,
                               5 * largest_room / 1'000);
    const auto arrives = [this](const std::string& ufrag) {
      return std::any_of(clients_.begin(), clients_.end(),
                         [&ufrag](const auto& client) { return client->media_target() == ufrag; });
    };
    const auto abandoned = [this](const std::string& endpoint, Instant /*created*/) {
      complain("endpoint " + endpoint + " was left to expire");
    };
    bridges_.push_back(std::make_unique<FakeBridge>(schedule_, *server_, Prng(prng_.next()),
                                                    std::move(bridge), deployment_,
                                                    BridgeMedia{arrives, abandoned}));
  }
}

void Blackout::note(const std::string& line) {
  if (options_.journal) {
    options_.journal(std::to_string((schedule_.now() - kStart) / milliseconds{1}) + " ms " + line);
  }
}

void Blackout::complain(const std::string& text) {
  note("COMPLAINT " + text);
  result_.complaints.push_back(std::to_string((schedule_.now() - kStart) / seconds{1}) +
                               " s: " + text);
}

void Blackout::on_log(const focus::Note& note) {
  std::string event(note.event);
  if (event == "stats.blind") {
    event += " " + std::get<std::string>(note.fields.at(0).second);
  }
  ++told_[event];
  told_at_[event] = schedule_.now();
  this->note(event);
}

void Blackout::tell(std::size_t first_silent, bool in_brewery, bool by_pubsub) {
  for (std::size_t i = 0; i < bridges_.size(); ++i) {
    const bool silent = i >= first_silent;
    bridges_[i]->set_tells(!silent && in_brewery, !silent && by_pubsub);
  }
}

void Blackout::open_rooms(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto room = RoomJid(Jid::parse("room" + std::to_string(++rooms_) + "@" +
                                         deployment_.conference_service.domain())
                                  .value());
    const std::int64_t size = sizes_.at(rooms_ - 1);
    const auto begins = milliseconds{static_cast<std::int64_t>(prng_.below(40'000))};
    for (std::int64_t person = 0; person < size; ++person) {
      clients_.push_back(
          std::make_unique<FakeClient>(schedule_, *server_, Prng(prng_.next()), room, deployment_));
      const auto later = milliseconds{static_cast<std::int64_t>(prng_.below(10'000))};
      schedule_.after(begins + later, [&client = *clients_.back()] { client.arrive(); });
    }
  }
}

/// Counts that no report corrects have to follow those who leave as well.
void Blackout::some_leave() {
  for (const auto& client : clients_) {
    if (client->wants_in() && prng_.below(24) == 0) {
      client->leave();
    }
  }
}

void Blackout::begin_part(std::size_t rooms_per_bridge) {
  for (const auto& bridge : bridges_) {
    watched_[bridge->nick()].created = bridge->endpoints_created();
  }
  open_rooms(rooms_per_bridge * bridges_.size());
}

void Blackout::pass(Duration time) {
  const Instant end = schedule_.now() + time;
  while (schedule_.now() < end) {
    const Instant next = std::min(end, schedule_.now() + kLook);
    while (schedule_.step(next)) {
    }
    look();
  }
}

focus::BridgeView Blackout::view(const FakeBridge& bridge) const {
  const BridgeJid jid(deployment_.brewery.jid().with_resource(bridge.nick()));
  return host_->focus()
      ->placement()
      .bridge(jid, schedule_.both_clocks())
      .value_or(focus::BridgeView{});
}

void Blackout::look() {
  host_->focus()->check_invariants();
  for (const auto& bridge : bridges_) {
    Watched& watched = watched_[bridge->nick()];
    const focus::BridgeView seen = view(*bridge);
    // A report may have been under way at the last look.
    if (seen.confidence_permille > watched.confidence &&
        bridge->reports() == watched.reports_before) {
      complain(bridge->nick() + " is trusted more without having said anything new: " +
               std::to_string(watched.confidence) + " to " +
               std::to_string(seen.confidence_permille));
    }
    watched.confidence = seen.confidence_permille;
    watched.reports_before = std::exchange(watched.reports, bridge->reports());
    if (seen.participants > 0 && seen.expected <= Stress()) {
      complain(bridge->nick() + " has people and counts as idle");
    }
  }
}

std::size_t Blackout::wanted_in(const RoomJid& room) const {
  return static_cast<std::size_t>(std::count_if(
      clients_.begin(), clients_.end(),
      [&room](const auto& client) { return client->room() == room && client->wants_in(); }));
}

bool Blackout::is_trusted_everywhere() const {
  return std::all_of(bridges_.begin(), bridges_.end(), [this](const auto& bridge) {
    return view(*bridge).confidence_permille == focus::kFullConfidence;
  });
}

void Blackout::expect_told(const std::string& event, std::uint64_t times, const std::string& when) {
  if (told_[event] != times) {
    complain(when + ": " + event + " was told " + std::to_string(told_[event]) + " times, not " +
             std::to_string(times));
  }
}

void Blackout::end_part(const std::string& name, std::size_t first_silent, Expected expected) {
  BlackoutPart part;
  part.name = name;
  part.confidence_low = focus::kFullConfidence;
  std::int64_t least = Stress::full().millionths();
  std::int64_t most_new = 0;
  std::int64_t all_new = 0;
  for (std::size_t i = 0; i < bridges_.size(); ++i) {
    const FakeBridge& bridge = *bridges_[i];
    const focus::BridgeView seen = view(bridge);
    const Confidence level = focus::level_of(seen.confidence_permille);
    if (level != (i >= first_silent ? expected.silent : expected.others)) {
      complain(name + ": confidence in " + bridge.nick() + " is " + std::string(to_string(level)));
    }
    const std::int64_t load = bridge.settled_stress().millionths();
    if (seen.expected.millionths() < load * 8 / 10 - kSmall) {
      complain(name + ": " + bridge.nick() + " counts as much emptier than it is");
    }
    part.confidence_low = std::min(part.confidence_low, seen.confidence_permille);
    part.confidence_high = std::max(part.confidence_high, seen.confidence_permille);
    least = std::min(least, load);
    part.largest = std::max(part.largest, load);
    const auto fresh =
        static_cast<std::int64_t>(bridge.endpoints_created() - watched_[bridge.nick()].created);
    most_new = std::max(most_new, fresh);
    all_new += fresh;
  }
  part.spread = part.largest - least;
  part.share = all_new > 0 ? most_new * 1000 / all_new : 0;
  for (const auto& client : clients_) {
    const bool served = client->state() == ClientState::kActive;
    part.people += served ? 1U : 0U;
    if (client->wants_in() && !served && wanted_in(client->room()) >= 2) {
      const auto wait = host_->focus()->placement().waiting_for(
          OccupantJid(client->room().jid().with_resource(client->endpoint())));
      complain(name + ": " + client->endpoint() + " in " + client->room().to_string() +
               " has no session" + (wait ? ", waits: " + std::string(to_string(*wait)) : ""));
    }
  }
  check_load(part);
  note("end of part " + name);
  result_.parts.push_back(std::move(part));
}

void Blackout::check_load(const BlackoutPart& part) {
  for (const auto& bridge : bridges_) {
    if (bridge->max_settled_stress() > Stress::full()) {
      complain(part.name + ": " + bridge->nick() + " was pushed over its capacity");
    }
  }
  if (part.spread > kSpreadMax) {
    complain(part.name + ": loads differ by " + std::to_string(part.spread / 1000) + " permille");
  }
}

void Blackout::all_tell() {
  begin_part(kRoomsAtFirst);
  pass(seconds{180});
  const auto is_learned = [this](const auto& bridge) { return view(*bridge).confirmations == 3; };
  const Instant latest = schedule_.now() + minutes{3};
  while (!std::all_of(bridges_.begin(), bridges_.end(), is_learned) && schedule_.now() < latest) {
    pass(kLook);
  }
  end_part("all tell", bridges_.size(), {Confidence::kHigh, Confidence::kHigh});
  expect_told("stats.blind partly", 0, "all tell");
  if (!std::all_of(bridges_.begin(), bridges_.end(), is_learned)) {
    complain("a cost was not learned while there was light");
  }
}

void Blackout::half_are_silent() {
  const std::size_t first_silent = bridges_.size() - bridges_.size() / 2;
  begin_part(kRoomsLater);
  tell(first_silent, true, true);
  pass(seconds{90});
  end_part("half silent", first_silent, {Confidence::kLow, Confidence::kHigh});
  expect_told("stats.blind partly", 1, "half silent");
}

void Blackout::all_are_silent() {
  begin_part(kRoomsLater);
  tell(0, false, false);
  const Instant dark_since = schedule_.now();
  for (int minute = 0; minute < 4; ++minute) {
    pass(seconds{30});
    some_leave();
    pass(seconds{25});
    for (const auto& bridge : bridges_) {
      bridge->repeat_presence();
    }
    pass(seconds{5});
    if (minute == 1) {
      open_rooms(kRoomsLater * bridges_.size());
    }
  }
  end_part("all silent", 0, {Confidence::kLow, Confidence::kLow});
  if (result_.parts.back().share > 600) {
    complain("all silent: " + std::to_string(result_.parts.back().share) +
             " permille of those who came went to one bridge");
  }
  expect_told("stats.blind wholly", 1, "all silent");
  expect_told("stats.trusted_again", 0, "all silent");
  result_.told_after = told_at_["stats.blind wholly"] - dark_since;
  const focus::Readiness readiness = host_->focus()->readiness(schedule_.both_clocks());
  if (!readiness.ready() || readiness.reasons != std::vector{focus::NotReady::kStatsBlind}) {
    complain("all silent: readiness does not say so, or refuses service because of it");
  }
}

void Blackout::pubsub_is_back() {
  begin_part(kRoomsLater);
  tell(bridges_.size(), false, true);
  pass(seconds{60});
  end_part("pubsub only", bridges_.size(), {Confidence::kMedium, Confidence::kMedium});
  expect_told("stats.trusted_again", 1, "pubsub only");
}

void Blackout::all_tell_again() {
  begin_part(kRoomsLater);
  for (const auto& bridge : bridges_) {
    bridge->set_clock_offset(-kDecades);
  }
  tell(bridges_.size(), true, true);
  const Instant light_since = schedule_.now();
  while (!is_trusted_everywhere() && schedule_.now() < light_since + minutes{1}) {
    pass(kLook);
  }
  result_.trusted_after = schedule_.now() - light_since;
  if (result_.trusted_after > seconds{7}) {
    complain("full trust needed more than a publish period and what is under way");
  }
  pass(seconds{90});
  end_part("all tell again", bridges_.size(), {Confidence::kHigh, Confidence::kHigh});
}

BlackoutResult Blackout::run() {
  pubsub_->start();
  for (const auto& bridge : bridges_) {
    schedule_.after(milliseconds{static_cast<std::int64_t>(prng_.below(3'000))},
                    [&bridge = *bridge] { bridge.start(); });
  }
  host_->start();
  pass(seconds{10});
  all_tell();
  half_are_silent();
  all_are_silent();
  pubsub_is_back();
  all_tell_again();

  result_.seed = options_.seed;
  result_.bridges = bridges_.size();
  result_.rooms = rooms_;
  result_.clients = clients_.size();
  result_.events = schedule_.events_run();
  result_.action_hash = host_->action_hash();
  const auto add = [this](const std::vector<std::string>& complaints) {
    result_.complaints.insert(result_.complaints.end(), complaints.begin(), complaints.end());
  };
  add(pace_->complaints());
  add(host_->complaints());
  for (const auto& bridge : bridges_) {
    add(bridge->complaints());
  }
  for (const auto& client : clients_) {
    add(client->complaints());
  }
  return std::move(result_);
}

}  // namespace bascule::sim
