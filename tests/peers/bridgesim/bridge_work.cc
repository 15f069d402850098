// The colibri2 side of a simulated bridge, and what faults do to it.

#include <algorithm>
#include <cmath>
#include <utility>

#include "tests/peers/bridgesim/bridge.h"
#include "tests/peers/bridgesim/schema.h"
#include "tests/peers/bridgesim/stun.h"
#include "tests/peers/common/stanza.h"

namespace bascule::peers {
namespace {

// Log-normal service time: p99 is 15 times the median.
constexpr double kServiceSigma = 1.164;
constexpr std::size_t kQueueMax = 10'000;

double normal(Prng& random) {
  double sum = -6;
  for (int i = 0; i < 12; ++i) {
    sum += static_cast<double>(random.below(1U << 30U)) / (1U << 30U);
  }
  return sum;
}

}  // namespace

void Bridge::wrong(const std::string& text) {
  log_.violation(options_.identity.nick, text);
}

void Bridge::on_media(std::string_view packet, const MediaSocket::Endpoint& from) {
  if (hanging_ || faults_.deaf) {
    return;
  }
  if (stun::is_message(packet)) {
    on_check(packet, from);
    return;
  }
  const std::string_view ufrag = packet.substr(0, packet.find(' '));
  if (colibri_.media_arrived(ufrag, std::chrono::steady_clock::now())) {
    media_.send(packet, from);
  }
}

void Bridge::on_check(std::string_view packet, const MediaSocket::Endpoint& from) {
  const auto check = stun::parse_check(packet);
  if (!check) {
    return;  // The answer to a check of ours.
  }
  const std::size_t colon = std::min(check->username.find(':'), check->username.size());
  const BridgeEndpoint* endpoint = colibri_.endpoint_of(check->username.substr(0, colon));
  if (endpoint == nullptr || !endpoint->has_transport) {
    return;  // Of a transport that has gone, or before the focus has told us of the other side.
  }
  const std::string expected = endpoint->ours.ufrag + ":" + endpoint->theirs.ufrag;
  if (check->username != expected || !stun::is_intact(packet, *check, endpoint->ours.pwd)) {
    wrong("a client was given other credentials than ours, or we than its: check of " +
          check->username + ", expected " + expected);
    return;
  }
  colibri_.media_arrived(endpoint->ours.ufrag, std::chrono::steady_clock::now());
  const stun::Address address{from.address().to_v4().to_uint(), from.port()};
  media_.send(stun::answer(*check, address, endpoint->ours.pwd), from);
  media_.send(stun::nominate(endpoint->theirs.ufrag + ":" + endpoint->ours.ufrag,
                             endpoint->theirs.pwd, random_),
              from);
}

void Bridge::on_modify(const xml::Element& stanza) {
  ++requests_;
  const xml::Element& modify = *stanza.child("conference-modify", ns::kColibri2);
  const std::string meeting(modify.attribute_or_empty("meeting-id"));
  const std::vector<std::string> problems = schema_problems(modify);
  if (!problems.empty()) {
    for (const std::string& problem : problems) {
      wrong("malformed conference-modify: " + problem);
    }
    return;
  }
  if (faults_.zombie) {
    colibri_.mark_uncertain(meeting);
    return;
  }
  if (const auto injected = faults_.inject(modify, random_)) {
    colibri_.mark_uncertain(meeting);
    if (!injected->condition.empty()) {
      refuse(stanza, *injected);
    }
    return;
  }
  const auto refused = colibri_.admit(modify, faults_.graceful, std::chrono::steady_clock::now());
  if (refused) {
    log_.write("bridge-refused", {{"bridge", id()},
                                  {"meeting", meeting},
                                  {"reason", refused->reason},
                                  {"text", refused->text}});
    refuse(stanza, *refused);
    return;
  }
  if (faults_.slow) {
    colibri_.mark_uncertain(meeting);
  }
  Queue& queue = queues_[meeting];
  if (queue.waiting.size() >= kQueueMax) {
    wrong("more than " + std::to_string(kQueueMax) + " requests of one conference are waiting");
    return;
  }
  queue.waiting.push_back(stanza);
  if (!queue.timer) {
    work(meeting);
  }
}

Milliseconds Bridge::service_time() {
  const double median = static_cast<double>(options_.service_median.count());
  const double time = median * std::exp(kServiceSigma * normal(random_)) * load_.slowdown();
  return Milliseconds(static_cast<std::int64_t>(std::min(time, 60'000.0)));
}

void Bridge::work(const std::string& meeting) {
  Queue& queue = queues_[meeting];
  queue.timer = std::make_unique<Timer>(io_);
  queue.timer->start(service_time(), [this, meeting] { finish(meeting); });
}

void Bridge::finish(const std::string& meeting) {
  const auto found = queues_.find(meeting);
  const xml::Element stanza = std::move(found->second.waiting.front());
  found->second.waiting.pop_front();
  const xml::Element& modify = *stanza.child("conference-modify", ns::kColibri2);
  const auto processed = colibri_.process(modify, std::chrono::steady_clock::now());
  if (!processed) {
    // The queue of an expired conference is closed: a real bridge says nothing.
    wrong("request for meeting " + meeting + " queued behind the one that expired it");
  } else {
    for (const std::string& rule : processed->wrong) {
      wrong(std::string(rule).append(" (meeting ").append(meeting).append(")"));
    }
    reply(stanza, *processed);
    if (processed->expires) {
      colibri_.expire(meeting);
    }
  }
  if (found->second.waiting.empty()) {
    queues_.erase(found);
  } else {
    work(meeting);
  }
}

void Bridge::reply(const xml::Element& request, const ColibriReply& reply) {
  if (reply.error) {
    refuse(request, *reply.error);
    return;
  }
  xml::Element stanza = result_of(request);
  stanza.add(reply.modified);
  if (!faults_.slow) {
    answer(stanza);
    return;
  }
  const std::uint64_t key = next_late_++;
  auto& timer = late_answers_[key];
  timer = std::make_unique<Timer>(io_);
  timer->start(*faults_.slow, [this, key, stanza] {
    const std::unique_ptr<Timer> done = std::move(late_answers_[key]);
    late_answers_.erase(key);
    answer(stanza);
  });
}

void Bridge::refuse(const xml::Element& request, const ColibriError& error) {
  xml::Element stanza = error_of(request, {error.type, error.condition, error.text});
  xml::Element& body = stanza.children.back();
  if (!error.reason.empty()) {
    body.add(element("error", ns::kColibri2, {{"reason", error.reason}}));
  }
  if (!error.endpoint.empty()) {
    body.add(element("endpoint", ns::kColibri2, {{"id", error.endpoint}}));
  }
  answer(stanza);
}

void Bridge::apply(const FaultAction& action) {
  std::string arguments;
  for (const std::string& argument : action.arguments) {
    arguments += (arguments.empty() ? "" : " ") + argument;
  }
  log_.write("fault", {{"bridge", id()}, {"verb", action.verb}, {"arguments", arguments}});
  if (!faults_.apply(action)) {
    happen(action);
    return;
  }
  if (action.verb == "flap") {
    set_flapping();
  }
  if (action.duration) {
    auto& timer = fault_ends_[action.verb];
    timer = std::make_unique<Timer>(io_);
    timer->start(*action.duration, [this, verb = action.verb] {
      faults_.end(verb);
      log_.write("fault-over", {{"bridge", id()}, {"verb", verb}});
    });
  }
}

void Bridge::happen(const FaultAction& action) {
  if (action.verb == "kill") {
    die(action.duration);
  } else if (action.verb == "clear") {
    faults_.clear();
    fault_ends_.clear();
  } else if (action.verb == "amnesia") {
    colibri_.clear();
    queues_.clear();
  } else if (action.verb == "lose-endpoints") {
    colibri_.lose_endpoints(std::stoi(action.arguments.front()));
  } else if (action.verb == "hang" && client_) {
    colibri_.mark_all_uncertain();
    client_->freeze(true);
    hanging_ = true;
    if (action.duration) {
      reconnect_timer_.start(*action.duration, [this] {
        hanging_ = false;
        if (client_) {
          client_->freeze(false);
        }
      });
    }
  } else if (action.verb == "partition" && client_) {
    client_->abort();
    client_.reset();
    joined_ = false;
    publish_timer_.stop();
    colibri_.mark_all_uncertain();
    reconnect_timer_.start(action.duration.value_or(Milliseconds(1000)), [this] { connect(); });
  }
}

void Bridge::die(std::optional<Milliseconds> back_after) {
  log_.write("bridge-dead", {{"bridge", id()},
                             {"endpoints", colibri_.endpoint_count()},
                             {"stress", load_.true_stress()},
                             {"deaths", deaths_}});
  if (client_) {
    client_->abort();
    client_.reset();
  }
  dead_ = true;
  hanging_ = false;
  joined_ = false;
  colibri_.clear();
  queues_.clear();
  late_answers_.clear();
  faults_.clear();
  fault_ends_.clear();
  publish_timer_.stop();
  flap_timer_.stop();
  load_.reset(std::chrono::steady_clock::now());
  overloaded_ = false;
  if (back_after) {
    reconnect_timer_.start(*back_after, [this] {
      dead_ = false;
      connect();
    });
  } else {
    reconnect_timer_.stop();
  }
}

void Bridge::set_flapping() {
  const Milliseconds period = faults_.flap.value_or(Milliseconds(0));
  flap_timer_.start(period, [this] {
    const bool goes_on = faults_.flap.has_value();
    if (goes_on && joined_) {
      leave();
    } else if (!joined_) {
      join();  // Also when flapping ended while we were away.
    }
    if (goes_on) {
      set_flapping();
    }
  });
}

}  // namespace bascule::peers
