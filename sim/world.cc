#include "sim/world.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "xmpp/xml/writer.h"

namespace bascule::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Instant kStart{seconds{1'000}};

std::string to_text(const focus::Note& note) {
  std::string line(note.event);
  for (const auto& [key, value] : note.fields) {
    line += " " + std::string(key) + "=";
    if (const auto* text = std::get_if<std::string>(&value)) {
      line += *text;
    } else if (const auto* number = std::get_if<std::int64_t>(&value)) {
      line += std::to_string(*number);
    } else if (const auto* truth = std::get_if<bool>(&value)) {
      line += *truth ? "true" : "false";
    } else {
      line += std::to_string(std::get<Duration>(value) / milliseconds{1}) + "ms";
    }
  }
  return line;
}

}  // namespace

World::World(const WorldOptions& options)
    : options_(options), prng_(options.seed), schedule_(kStart) {
  draw();
}

void World::note(const std::string& line) {
  if (options_.journal) {
    const auto now = (schedule_.now() - kStart) / milliseconds{1};
    std::string fraction = std::to_string(now % 1'000);
    fraction.insert(0, 3 - fraction.size(), '0');
    options_.journal(std::to_string(now / 1'000) + "." + fraction + " " + line);
  }
}

Duration World::seconds_between(std::uint64_t low, std::uint64_t high) {
  return seconds{static_cast<std::int64_t>(low + prng_.below(high - low + 1))};
}

void World::on_log(const focus::Note& note) {
  links_ += note.event == "relay.linked" ? 1U : 0U;
  link_failures_ += note.event == "relay.failed" ? 1U : 0U;
  repairs_ += note.event == "audit.repaired" ? 1U : 0U;
  accepts_late_ += note.event == "invite.not_accepted" ? 1U : 0U;
  if (options_.journal) {
    this->note(to_text(note));
  }
}

/// Without drawing from the generator: the rest of the world is the same with and without relays.
void World::draw_relays() {
  const bool on = options_.relays == Relays::kAll ||
                  (options_.relays == Relays::kSome && options_.seed % 3 == 0);
  if (on) {
    focus_options_.placement.relays = true;
    focus_options_.placement.max_per_conference_bridge =
        static_cast<std::int64_t>(3 + options_.seed / 3 % 3);
  }
}

void World::draw() {
  focus_options_.focus_user = deployment_.focus_user;
  focus_options_.conference_service = deployment_.conference_service;
  focus_options_.brewery = deployment_.brewery;
  focus_options_.version = "sim";
  focus_options_.audit = options_.audit;
  focus_options_.placement.placement_interval =
      milliseconds{static_cast<std::int64_t>(20 + prng_.below(200))};
  focus_options_.placement.placement_burst = static_cast<std::uint32_t>(2 + prng_.below(19));

  draw_relays();
  // Bridges crash at random here, so that innocent conferences become suspects: they must be let in
  // again well within the time in which everybody is to be back.
  focus_options_.placement.poison_hold = seconds{60};
  deployment_.stream_management = options_.seed % kForgetfulServerEvery != 0;
  NetworkOptions network;
  network.wire = options_.wire;
  network.latency_max = milliseconds{static_cast<std::int64_t>(2 + prng_.below(80))};
  if (options_.journal && options_.journal_stanzas) {
    network.tap = [this](const Jid& from, const xml::Element& stanza) {
      note("stanza " + from.to_string() + " " + xml::to_string(stanza));
    };
  }
  server_ = std::make_unique<FakeProsody>(schedule_, Prng(prng_.next()), network, deployment_);
  pace_ = std::make_unique<PaceChecker>(focus_options_.placement);
  host_ =
      std::make_unique<FocusHost>(schedule_, *server_, Prng(prng_.next()), focus_options_,
                                  deployment_, [this](const focus::Action& action, Instant now) {
                                    pace_->observe(action, now);
                                    operator_->observe(action);
                                    if (const auto* log = std::get_if<focus::out::Log>(&action)) {
                                      on_log(log->note);
                                    }
                                  });

  rooms_ = 3 + prng_.below(18);
  std::int64_t load = 0;  // Thousandths of units, all rooms full.
  for (std::size_t room = 0; room < rooms_; ++room) {
    const auto jid = RoomJid(
        Jid::parse("room" + std::to_string(room) + "@" + deployment_.conference_service.domain())
            .value());
    const auto size = static_cast<std::int64_t>(1 + prng_.below(9));
    load += size * (400 + 60 * std::min<std::int64_t>(size, 20));
    for (std::int64_t i = 0; i < size; ++i) {
      clients_.push_back(
          std::make_unique<FakeClient>(schedule_, *server_, Prng(prng_.next()), jid, deployment_));
      clients_.back()->set_erratic(options_.faults);
    }
  }
  // Room for everybody on the fleet without its largest bridge, twice over: then "no bridge over
  // its limit" and "everybody is placed" must both hold.
  const std::size_t bridges = 3 + prng_.below(4);
  if (focus_options_.placement.relays) {
    load *= 2;  // Relays cost too.
  }
  const std::int64_t share = load / 1'000 / static_cast<std::int64_t>(bridges - 2) + 12;
  for (std::size_t i = 0; i < bridges; ++i) {
    BridgeOptions bridge;
    bridge.nick = "jvb" + std::to_string(i + 1);
    bridge.capacity = share * static_cast<std::int64_t>(100 + prng_.below(101)) / 100;
    BridgeMedia media = media_of(bridge.nick);
    bridges_.push_back(std::make_unique<FakeBridge>(
        schedule_, *server_, Prng(prng_.next()), std::move(bridge), deployment_, std::move(media)));
  }
  make_operator();
}

void World::make_operator() {
  FakeOperator::Fleet fleet;
  for (const auto& bridge : bridges_) {
    fleet.bridges.emplace_back(deployment_.brewery.jid().with_resource(bridge->nick()));
  }
  for (const auto& client : clients_) {
    if (fleet.rooms.empty() || fleet.rooms.back() != client->room()) {
      fleet.rooms.push_back(client->room());
    }
  }
  operator_ = std::make_unique<FakeOperator>(schedule_, *host_, std::move(fleet), options_.seed);
}

BridgeMedia World::media_of(const std::string& nick) {
  return {.arrives =
              [this](const std::string& ufrag) {
                return std::any_of(clients_.begin(), clients_.end(), [&ufrag](const auto& client) {
                  return client->media_target() == ufrag;
                });
              },
          .abandoned =
              [this, nick](const std::string& endpoint, Instant created) {
                // A focus that died may have died before it could expire; no other may forget.
                note("expired by itself: " + endpoint + " on " + nick);
                if (!host_->crashed_at() || *host_->crashed_at() < created) {
                  complaints_.push_back(nick + ": endpoint " + endpoint + " was left to expire");
                }
              }};
}

WorldResult World::run() {
  for (const auto& bridge : bridges_) {
    schedule_.after(milliseconds{static_cast<std::int64_t>(prng_.below(3'000))},
                    [&bridge = *bridge] { bridge.start(); });
  }
  schedule_.after(milliseconds{static_cast<std::int64_t>(prng_.below(2'000))},
                  [this] { host_->start(); });
  // One seed in three is a storm from the first second on.
  const std::uint64_t spread = prng_.below(3) == 0 ? 1'000 : 40'000;
  for (const auto& client : clients_) {
    schedule_.after(seconds{3} + milliseconds{static_cast<std::int64_t>(prng_.below(spread))},
                    [&client = *client] { client.arrive(); });
  }
  plan_churn();
  if (options_.faults) {
    plan_faults();
    plan_silent_faults();
    if (options_.orders) {
      operator_->plan(options_.fault_phase);
    }
  }
  WorldResult result;
  run_until(kStart + options_.fault_phase);
  heal();
  const Instant healed = schedule_.now();
  const Instant end = healed + options_.liveness_bound;
  std::string missing = what_is_missing();
  while (!missing.empty() && schedule_.now() < end) {
    run_until(schedule_.now() + seconds{1});
    missing = what_is_missing();
  }
  result.converged_after = schedule_.now() - healed;
  if (!missing.empty()) {
    result.complaints.push_back("liveness: " + missing);
  }
  collect(result);
  return result;
}

void World::run_until(Instant end) {
  std::uint64_t since_check = 0;
  while (schedule_.step(end)) {
    if (++since_check >= 200) {
      since_check = 0;
      check_safety();
    }
  }
  check_safety();
}

void World::check_safety() {
  if (const focus::Focus* focus = host_->focus()) {
    focus->check_invariants();
  }
}

std::size_t World::wanted_in(const RoomJid& room) const {
  return static_cast<std::size_t>(std::count_if(
      clients_.begin(), clients_.end(),
      [&room](const auto& client) { return client->room() == room && client->wants_in(); }));
}

std::string World::client_problem(const FakeClient& client) const {
  const std::string name = client.room().to_string() + "/" + client.endpoint();
  std::string why;
  if (const focus::Focus* focus = host_->focus()) {
    const auto reason = focus->placement().waiting_for(
        OccupantJid(client.room().jid().with_resource(client.endpoint())));
    why = reason ? ", its ticket waits: " + std::string(focus::to_string(*reason)) : "";
  }
  if (client.state() != ClientState::kActive) {
    return name + " is in state " + std::to_string(static_cast<int>(client.state())) + why;
  }
  std::size_t hosts = 0;
  bool reached = false;
  for (const auto& bridge : bridges_) {
    if (bridge->has_endpoint(client.endpoint())) {
      ++hosts;
      reached = reached || bridge->ufrag_of(client.endpoint()) == client.media_target();
    }
  }
  if (hosts != 1) {
    return name + " is on " + std::to_string(hosts) + " bridges" + why;
  }
  if (!reached) {
    return name + " sends its media to another bridge";
  }
  proto::SourceMap truth;
  for (const auto& other : clients_) {
    if (other.get() != &client && other->room() == client.room()) {
      auto told = as_told(other->published(), client.kind());
      if (!told.empty()) {
        truth.emplace(EndpointId(other->endpoint()), std::move(told));
      }
    }
  }
  if (forgotten_.contains(client.room())) {
    return "";  // A source-remove that nobody could deliver is not said again by any client.
  }
  const std::string problem = knowledge_problem(client.knowledge(), truth);
  return problem.empty() ? "" : name + " " + problem;
}

std::string World::what_is_missing() const {
  const focus::Focus* focus = host_->focus();
  if (focus == nullptr) {
    return "the focus is not running";
  }
  for (const auto& client : clients_) {
    if (client->wants_in() && wanted_in(client->room()) >= 2) {
      if (std::string problem = client_problem(*client); !problem.empty()) {
        return problem;
      }
    }
  }
  if (focus->placement().queued() != 0) {
    return std::to_string(focus->placement().queued()) + " tickets wait";
  }
  std::size_t on_bridges = 0;
  for (const auto& bridge : bridges_) {
    on_bridges += bridge->endpoints();
  }
  const auto active = std::count_if(clients_.begin(), clients_.end(), [](const auto& client) {
    return client->state() == ClientState::kActive;
  });
  if (on_bridges > static_cast<std::size_t>(active)) {
    return std::to_string(on_bridges) + " endpoints on bridges for " + std::to_string(active) +
           " sessions";
  }
  const auto may_be_forgotten = [this](const std::string& endpoint) {
    // A focus that died between its note that somebody left and the request to the bridges.
    return host_->crashed_at() &&
           std::none_of(clients_.begin(), clients_.end(), [&endpoint](const auto& client) {
             return client->endpoint() == endpoint && client->wants_in();
           });
  };
  if (std::string problem = relay_problem(bridges_, may_be_forgotten); !problem.empty()) {
    return problem;
  }
  const auto oldest = host_->oldest_unanswered();
  if (oldest && schedule_.now() - *oldest > seconds{20}) {
    return "a request is unanswered for more than 20 s";
  }
  return {};
}

void World::collect(WorldResult& result) const {
  result.seed = options_.seed;
  result.clients = clients_.size();
  result.bridges = bridges_.size();
  result.rooms = rooms_;
  result.links = links_;
  result.link_failures = link_failures_;
  result.accepts_late = accepts_late_;
  result.repairs = repairs_;
  result.orders = operator_->orders();
  result.faults = faults_;
  result.crashes = host_->crashes();
  result.placements = pace_->placements();
  result.window_max = pace_->window_max();
  result.window_limit = pace_->window_limit();
  result.events = schedule_.events_run();
  result.stanzas = server_->stanzas();
  result.action_hash = host_->action_hash();
  const auto add = [&result](const std::string& who, const std::vector<std::string>& complaints) {
    for (const std::string& complaint : complaints) {
      result.complaints.push_back(who + ": " + complaint);
    }
  };
  add("world", complaints_);
  add("pace", pace_->complaints());
  add("contract", host_->complaints());
  add("operator", operator_->complaints());
  for (const auto& bridge : bridges_) {
    add(bridge->nick(), bridge->complaints());
    result.max_settled_millionths =
        std::max(result.max_settled_millionths, bridge->max_settled_stress().millionths());
    if (bridge->max_settled_stress() > Stress::full()) {
      result.complaints.push_back(bridge->nick() + ": pushed over its limit");
    }
  }
  for (const auto& client : clients_) {
    // Nobody answers in a room that has lost the focus; in the end all has to be well there as
    // well.
    if (!forgotten_.contains(client->room())) {
      add(client->room().to_string(), client->complaints());
    }
    for (std::size_t ask = 0; ask < kAskCount; ++ask) {
      result.asks[ask] += client->asks()[ask];
    }
    result.sessions += client->sessions();
    result.reloads += client->reloads();
    result.fatal_answers += client->fatal_answers();
    result.unanswered += client->unanswered();
  }
}

}  // namespace bascule::sim
