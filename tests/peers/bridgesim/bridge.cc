#include "tests/peers/bridgesim/bridge.h"

#include <algorithm>
#include <utility>

#include "tests/peers/bridgesim/stats.h"
#include "tests/peers/common/stanza.h"

namespace bascule::peers {
namespace {

// JVB: Smack's fixed reconnection delay, and the pause before a refused join is tried again.
constexpr Milliseconds kReconnectDelay{1000};
constexpr Milliseconds kRejoinDelay{5000};
constexpr Milliseconds kTick{200};
constexpr Milliseconds kPubsubDeadline{15'000};
constexpr std::chrono::seconds kSweepInterval{60};

Capabilities bridge_capabilities() {
  Capabilities capabilities;
  capabilities.type = "pc";
  capabilities.name = "JVB";
  capabilities.node = "https://jitsi.org/jitsi-videobridge";
  capabilities.features = {std::string(ns::kHealth), std::string(ns::kDtls), std::string(ns::kIce),
                           std::string(ns::kVersion)};
  return capabilities;
}

}  // namespace

Bridge::Bridge(boost::asio::io_context& io, BridgeOptions options, EventLog& log)
    : io_(io),
      options_(std::move(options)),
      log_(log),
      random_(options_.seed),
      capabilities_(bridge_capabilities()),
      media_(io, [this](std::string_view text,
                        const MediaSocket::Endpoint& from) { on_media(text, from); }),
      colibri_(options_.identity, options_.seed + 1),
      load_(options_.load, options_.seed + 2, std::chrono::steady_clock::now()),
      reconnect_timer_(io),
      publish_timer_(io),
      tick_timer_(io),
      flap_timer_(io),
      next_sweep_(std::chrono::steady_clock::now() + kSweepInterval) {
  options_.identity.fingerprint = random_fingerprint(random_);
  if (options_.identity.media) {
    options_.identity.ip = "127.0.0.1";
    options_.identity.port = media_.open(0);
  }
}

Bridge::~Bridge() {
  if (client_) {
    client_->abort();
  }
}

void Bridge::start() {
  connect();
  tick();
}

void Bridge::stop() {
  stopping_ = true;
  leave();
  if (client_) {
    client_->close();
    client_.reset();
  }
  reconnect_timer_.stop();
  publish_timer_.stop();
  tick_timer_.stop();
  flap_timer_.stop();
}

void Bridge::connect() {
  if (!dead_ && !stopping_) {
    client_ = XmppClient::start(io_, options_.account, *this);
  }
}

void Bridge::on_ready(const Jid& own) {
  log_.write("bridge-login", {{"bridge", id()}, {"jid", own.to_string()}});
  if (std::exchange(options_.creates_node, false)) {
    create_node();
  }
  join();
}

void Bridge::create_node() {
  xml::Element stanza = iq("set", options_.pubsub_service);
  stanza.add(element("pubsub", ns::kPubsub))
      .add(element("create", ns::kPubsub, {{"node", options_.pubsub_node}}));
  client_->request(stanza, kPubsubDeadline, [this](const IqOutcome& outcome) {
    const bool good = outcome.kind == IqOutcome::Kind::kResult;
    log_.write(good ? "node-created" : "node-refused", {{"bridge", id()}});
  });
}

void Bridge::publish_item(const xml::Element& stats) {
  xml::Element stanza = iq("set", options_.pubsub_service);
  stanza.add(element("pubsub", ns::kPubsub))
      .add(element("publish", ns::kPubsub, {{"node", options_.pubsub_node}}))
      .add(element("item", ns::kPubsub,
                   {{"id", options_.account.user + "@" + options_.account.domain + "/" +
                               options_.identity.nick}}))
      .add(stats);
  client_->request(stanza, kPubsubDeadline, [this](const IqOutcome& outcome) {
    ++(outcome.kind == IqOutcome::Kind::kResult ? items_published_ : items_refused_);
  });
}

void Bridge::join() {
  if (!client_ || client_->own().empty()) {
    return;
  }
  xml::Element stanza = presence(options_.brewery + "/" + options_.identity.nick);
  stanza.add(element("x", ns::kMuc));
  stanza.add(capabilities_.presence_element());
  client_->send(stanza);
  publish(Occasion::kJoining);
}

void Bridge::leave() {
  joined_ = false;
  publish_timer_.stop();
  if (client_ && !client_->own().empty()) {
    client_->send(presence(options_.brewery + "/" + options_.identity.nick, "unavailable"));
  }
}

void Bridge::on_presence(const xml::Element& stanza) {
  const std::string own_occupant = options_.brewery + "/" + options_.identity.nick;
  if (stanza.attribute_or_empty("from") != own_occupant) {
    return;
  }
  const std::string_view type = stanza.attribute_or_empty("type");
  if (type == "error") {
    joined_ = false;
    log_.write("bridge-join-refused", {{"bridge", id()}, {"condition", error_condition(stanza)}});
    publish_timer_.stop();
    reconnect_timer_.start(kRejoinDelay, [this] { join(); });
  } else if (type == "unavailable") {
    if (joined_) {
      joined_ = false;
      log_.write("bridge-removed", {{"bridge", id()}});
      publish_timer_.stop();
      reconnect_timer_.start(kRejoinDelay, [this] { join(); });
    }
  } else if (has_muc_status(stanza, "110") && !joined_) {
    joined_ = true;
    log_.write("bridge-joined", {{"bridge", id()}});
    if (has_muc_status(stanza, "201")) {
      xml::Element form = iq("set", options_.brewery);
      xml::Element& data = form.add(element("query", ns::kMucOwner))
                               .add(element("x", ns::kData, {{"type", "submit"}}));
      data.add(element("field", ns::kData, {{"var", "FORM_TYPE"}}))
          .add(text_element("value", ns::kData, "http://jabber.org/protocol/muc#roomconfig"));
      data.add(element("field", ns::kData, {{"var", "muc#roomconfig_whois"}}))
          .add(text_element("value", ns::kData, "anyone"));
      client_->request(form, Milliseconds(15'000), [this](const IqOutcome& outcome) {
        if (outcome.kind != IqOutcome::Kind::kResult) {
          log_.write("bridge-form-refused", {{"bridge", id()}});
        }
      });
    }
  }
}

void Bridge::on_message(const xml::Element& /*stanza*/) {
}

void Bridge::on_closed(const std::string& reason) {
  log_.write("bridge-lost-xmpp", {{"bridge", id()}, {"reason", reason}});
  joined_ = false;
  client_.reset();
  publish_timer_.stop();
  // While we were away the focus may have decided anything about our conferences.
  colibri_.mark_all_uncertain();
  reconnect_timer_.start(kReconnectDelay, [this] { connect(); });
}

void Bridge::publish(Occasion occasion) {
  schedule_publish();
  if (!client_ || client_->own().empty()) {
    return;
  }
  if (occasion == Occasion::kPeriod) {
    if (faults_.stats_stopped) {
      return;
    }
    if (load_.report_is_lost()) {
      ++reports_lost_;
      return;
    }
  }
  xml::Element stanza = presence(options_.brewery + "/" + options_.identity.nick);
  if (!faults_.stats_absent) {
    StatsInput input{options_.region,
                     options_.version,
                     options_.identity.relay_id,
                     load_.measured_stress(),
                     options_.participant_stress,
                     options_.whitelist_only,
                     utc_timestamp(faults_.clock_offset.value_or(Milliseconds(0)))};
    // Smack repeats the last extensions with a join, whatever has become of their source.
    if (faults_.stats_frozen || faults_.stats_stopped) {
      input.stress = frozen_stress_;
    }
    frozen_stress_ = input.stress;
    xml::Element stats = stats_extension(input, colibri_, faults_);
    if (!options_.pubsub_node.empty() && occasion == Occasion::kPeriod) {
      publish_item(stats);
    }
    if (!faults_.stats_elsewhere) {
      stanza.add(std::move(stats));
    }
  }
  stanza.add(capabilities_.presence_element());
  client_->send(stanza);
}

void Bridge::schedule_publish() {
  const double interval = static_cast<double>(options_.load.publish.count()) * load_.slowdown();
  publish_timer_.start(Milliseconds(static_cast<std::int64_t>(interval)),
                       [this] { publish(Occasion::kPeriod); });
}

void Bridge::tick() {
  tick_timer_.start(kTick, [this] { tick(); });
  if (dead_) {
    return;
  }
  const SteadyTime now = std::chrono::steady_clock::now();
  if (now >= next_sweep_) {
    next_sweep_ = now + kSweepInterval;
    colibri_.sweep(now);
  }
  load_.step(colibri_, now);
  watch_load();
  if (load_.fatal(now)) {
    ++deaths_;
    die(options_.load.restart);
  }
}

void Bridge::watch_load() {
  const double stress = load_.true_stress();
  max_stress_ = std::max(max_stress_, stress);
  peak_of_second_ = std::max(peak_of_second_, stress);
  const bool above = stress > options_.limit;
  if (above == overloaded_) {
    return;
  }
  overloaded_ = above;
  overloads_ += above ? 1 : 0;
  log_.write(above ? "overload" : "overload-over",
             {{"bridge", id()}, {"stress", stress}, {"limit", options_.limit}});
}

void Bridge::answer(const xml::Element& stanza) {
  if (client_) {
    client_->send(stanza);
  }
}

void Bridge::on_iq_request(const xml::Element& stanza) {
  if (bare_of(stanza.attribute_or_empty("from")) != options_.brewery) {
    answer(error_of(stanza, {"auth", "forbidden", "Not from a configured MUC"}));
  } else if (stanza.child("conference-modify", ns::kColibri2) != nullptr) {
    on_modify(stanza);
  } else if (stanza.child("healthcheck", ns::kHealth) != nullptr) {
    answer(faults_.unhealthy_iq ? error_of(stanza, {"cancel", "internal-server-error", "unhealthy"})
                                : result_of(stanza));
  } else if (stanza.child("query", ns::kVersion) != nullptr) {
    xml::Element result = result_of(stanza);
    xml::Element& query = result.add(element("query", ns::kVersion));
    query.add(text_element("name", ns::kVersion, "JVB"));
    query.add(text_element("version", ns::kVersion, options_.version));
    query.add(text_element("os", ns::kVersion, "Linux"));
    answer(result);
  } else if (stanza.child("query", ns::kDiscoInfo) != nullptr) {
    answer(capabilities_.answer(stanza));
  } else if (stanza.child("ping", ns::kPing) != nullptr) {
    answer(result_of(stanza));
  } else {
    wrong("request a bridge does not know: " +
          (stanza.children.empty() ? std::string("empty") : stanza.children.front().name));
    answer(error_of(stanza, {"cancel", "service-unavailable", "Unsupported IQ request"}));
  }
}

Json Bridge::status() const {
  return {{"bridge", id()},
          {"alive", !dead_},
          {"joined", joined_},
          {"participants", colibri_.endpoint_count()},
          {"conferences", colibri_.conferences().size()},
          {"relays", colibri_.relay_count()},
          {"stress", load_.true_stress()},
          {"reported", load_.measured_stress()},
          {"max_stress", max_stress_},
          {"overloads", overloads_},
          {"deaths", deaths_},
          {"reports_lost", reports_lost_},
          {"items_published", items_published_},
          {"items_refused", items_refused_},
          {"requests", requests_}};
}

Json Bridge::second() {
  Json line = status();
  line["peak"] = std::exchange(peak_of_second_, 0);
  return line;
}

Json Bridge::endpoints() const {
  Json list = Json::array();
  Json relays = Json::array();
  const SteadyTime now = std::chrono::steady_clock::now();
  for (const auto& [meeting, conference] : colibri_.conferences()) {
    for (const auto& [endpoint_id, endpoint] : conference.endpoints) {
      list.push_back({{"id", endpoint_id},
                      {"room", conference.name},
                      {"connected", colibri_.is_live(endpoint, now)}});
    }
    for (const auto& [relay_id, relay] : conference.relays) {
      Json remote = Json::array();
      for (const auto& [endpoint_id, endpoint] : relay.endpoints) {
        remote.push_back({{"id", endpoint_id}, {"ssrcs", endpoint.ssrcs}});
      }
      relays.push_back({{"id", relay_id},
                        {"room", conference.name},
                        {"ufrag", relay.ufrag},
                        {"remote_ufrag", relay.remote_ufrag},
                        {"endpoints", std::move(remote)}});
    }
  }
  return {{"bridge", id()},
          {"port", options_.identity.port},
          {"alive", !dead_},
          {"conferences", colibri_.conferences().size()},
          {"endpoints", std::move(list)},
          {"relays", std::move(relays)}};
}

}  // namespace bascule::peers
