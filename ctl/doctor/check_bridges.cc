// The brewery, where bridges say that they are there, and the pubsub node that others tell of them.

#include <string>
#include <variant>

#include "ctl/doctor/checks.h"
#include "ctl/doctor/running.h"
#include "focus/stats_node_repair.h"

namespace bascule::ctl::doctor {
namespace {

/// A list of items that cannot be read is never answered; one that can, within milliseconds.
constexpr Duration kAnswer = std::chrono::seconds{3};

std::string add_name(const std::string& names, const std::string& name) {
  return names + (names.empty() ? "" : ", ") + name;
}

void judge_bridges(const SeenBrewery& seen, Duration stale_after, Finding& finding) {
  std::string silent;
  std::string old;
  for (const SeenBridge& bridge : seen.bridges) {
    if (!bridge.has_stats) {
      silent = add_name(silent, bridge.nick);
    } else if (bridge.age && *bridge.age > stale_after) {
      old = add_name(
          old, bridge.nick + " (" + std::to_string(*bridge.age / std::chrono::seconds{1}) + " s)");
    }
  }
  if (!silent.empty()) {
    finding.warn("in the brewery without stats, so not used: " + silent,
                 "does the bridge publish them to the room (videobridge.stats.transports, "
                 "muc)? Others than bridges do not belong there");
  }
  if (!old.empty()) {
    finding.warn("the last report is old: " + old,
                 "is the bridge overloaded, or its clock wrong? Its log says what it publishes");
  }
}

/// The node as somebody who is asked about it sees it.
struct NodeLook {
  Peer& peer;
  focus::NodePlace place;
  const config::ServiceLink& link;
  bool is_running;
};

bool service_works(const NodeLook& look, Finding& finding) {
  const auto answer = look.peer.ask(look.place.service, proto::DiscoInfoRequest{}, kAnswer);
  const auto* info = answer ? std::get_if<proto::DiscoInfo>(&*answer) : nullptr;
  if (info == nullptr) {
    finding.fail(look.place.service.to_string() + " does not answer: " +
                     (answer ? std::string("no disco#info") : describe(answer.error())),
                 advice_for_service_gone(look.place));
    return false;
  }
  for (const proto::DiscoIdentity& identity : info->identities) {
    if (identity.category == "pubsub") {
      return true;
    }
  }
  finding.fail(look.place.service.to_string() + " does not say that it is a pubsub service",
               advice_for_service_broken(look.place));
  return false;
}

/// True when the node is there and its items may be asked for.
bool configuration_is_right(const NodeLook& look, std::size_t bridges, Finding& finding) {
  const auto answer =
      look.peer.ask(look.place.service,
                    proto::PubsubRequest(proto::PubsubGetConfiguration{look.place.node}), kAnswer);
  const std::string node = "the node " + look.place.node;
  if (!answer && is(answer.error(), proto::Condition::kItemNotFound)) {
    finding.warn(node + " does not exist (item-not-found)",
                 look.is_running
                     ? "see pubsub.needs_operator in the log of bascule"
                     : "nothing: bascule makes it when it runs and is among the admins");
    return false;
  }
  if (!answer && is(answer.error(), proto::Condition::kForbidden)) {
    finding.warn(look.place.own.bare().to_string() + " may not configure " + node + " (forbidden)",
                 advice_for_refused(focus::NodeRepair::kConfigure, look.place));
    return true;
  }
  if (!answer) {
    finding.fail(node + " does not show its configuration: " + describe(answer.error()),
                 advice_for_service_broken(look.place));
    return false;
  }
  const auto* pubsub = std::get_if<proto::PubsubAnswer>(&*answer);
  const auto* shown = pubsub == nullptr ? nullptr : std::get_if<proto::PubsubConfiguration>(pubsub);
  if (shown == nullptr) {
    finding.fail(node + " answers with something else than its configuration",
                 advice_for_service_broken(look.place));
    return false;
  }
  for (const auto& wrong : focus::corrections_of(shown->form, look.link.pubsub_persist, bridges)) {
    finding.warn(node + " has " + wrong.var + " = " +
                     std::string(shown->form.value(wrong.var).value_or("")) + ", which is to be " +
                     wrong.values.front(),
                 "nothing while bascule runs as its owner: it configures the node; else do so");
  }
  return true;
}

void check_items(const NodeLook& look, Finding& finding) {
  const auto answer = look.peer.ask(look.place.service,
                                    proto::PubsubRequest(proto::PubsubGetItems{
                                        .node = look.place.node, .max_items = 1, .ids = {}}),
                                    kAnswer);
  if (!answer &&
      (is_timeout(answer.error()) || is(answer.error(), proto::Condition::kInternalServerError))) {
    finding.fail("the items of the node " + look.place.node + " cannot be read: " +
                     describe(answer.error()) + "; nothing that is published arrives then",
                 "bascule purges the node when it runs as its owner. By hand: " +
                     advice_for_no_effect(focus::NodeRepair::kPurge, look.place));
    return;
  }
  // A node that keeps nothing says feature-not-implemented, and is as it should be.
  finding.ok("the node " + look.place.node + " of " + look.place.service.to_string() +
             " is there, asked as " + look.place.own.bare().to_string());
}

/// What the running bascule found: its own subscription is what counts.
void check_running_node(Examination& examination, Finding& finding) {
  const auto metrics = examination.running().get_text("/metrics");
  constexpr std::string_view kName = "bascule_pubsub_state{state=\"";
  for (std::size_t at = metrics ? metrics->find(kName) : std::string::npos; at != std::string::npos;
       at = metrics->find(kName, at)) {
    at += kName.size();
    const std::size_t end = metrics->find('"', at);
    const std::string state = metrics->substr(at, end - at);
    if (metrics->compare(end, 4, "\"} 1") != 0) {
      continue;
    }
    if (state == "working") {
      finding.ok("the running bascule is subscribed, and events arrive");
    } else {
      finding.warn("the running bascule says of its subscription: " + state,
                   "see pubsub.fault and pubsub.needs_operator in its log");
    }
    return;
  }
}

}  // namespace

void check_brewery(Examination& examination, Finding& finding) {
  const SeenBrewery& seen = examination.brewery();
  const std::string room = examination.config().focus.brewery.to_string();
  if (!seen.unknown.empty()) {
    finding.skip(room + ": " + seen.unknown);
    return;
  }
  if (seen.refusal) {
    finding.fail(seen.source + " may not enter " + room + ": " + describe(*seen.refusal),
                 "add \"" + seen.source +
                     "\" to admins of Prosody, and to the list of who may "
                     "enter " +
                     examination.config().xmpp.internal_muc);
    return;
  }
  if (seen.bridges.empty()) {
    finding.fail("no bridge is in " + room + (seen.made ? ", which nobody had made yet" : "") +
                     " (" + seen.source + ")",
                 "start a bridge; its configuration must name this room, and its log says when it "
                 "has joined");
    return;
  }
  judge_bridges(seen, examination.config().focus.placement.stale_after, finding);
  finding.ok(std::to_string(seen.bridges.size()) + " bridge(s) in " + room + " (" + seen.source +
             ")");
}

void check_pubsub(Examination& examination, Finding& finding) {
  const config::ServiceLink& link = examination.config().service;
  if (link.pubsub_service.empty()) {
    finding.skip("no node is configured (links.service.pubsub-service)");
    return;
  }
  Peer* peer = examination.service();
  peer = peer == nullptr ? examination.need_client(finding) : peer;
  const auto service = Jid::parse(link.pubsub_service);
  if (peer == nullptr || !service) {
    return;
  }
  const Jid own = peer->send_from().empty() ? peer->up().bound_jid : peer->send_from();
  const NodeLook look{.peer = *peer,
                      .place = {.service = *service, .node = link.pubsub_node, .own = own},
                      .link = link,
                      .is_running = examination.is_running()};
  const std::size_t bridges = examination.brewery().bridges.size();
  if (service_works(look, finding) && configuration_is_right(look, bridges, finding)) {
    check_items(look, finding);
  }
  check_running_node(examination, finding);
}

}  // namespace bascule::ctl::doctor
