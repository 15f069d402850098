#include "sim/fake_prosody.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "xmpp/proto/iq.h"
#include "xmpp/proto/stanza_error.h"
#include "xmpp/xml/parser.h"
#include "xmpp/xml/writer.h"

namespace bascule::sim {
namespace {

bool is_component(const Jid& address) {
  return address.local().empty() && address.resource().empty();
}

bool wants_answer(const xml::Element& stanza) {
  const auto type = stanza.attribute_or_empty("type");
  return stanza.name == "iq" && (type == "get" || type == "set");
}

}  // namespace

FakeProsody::FakeProsody(Schedule& schedule, Prng prng, NetworkOptions network,
                         const Deployment& deployment)
    : schedule_(schedule),
      prng_(prng),
      network_(std::move(network)),
      deployment_(deployment),
      conferences_(deployment.conference_service.domain(),
                   {deployment.focus_user, deployment.service_component}, "meeting-"),
      internal_(
          deployment.internal_service.domain(),
          {deployment.focus_user, deployment.service_component,
           Jid::parse("focus@bascule.meet.sim").value(), Jid::parse("jvb@auth.meet.sim").value()},
          "internal-") {
}

Duration FakeProsody::latency() {
  const auto span = (network_.latency_max - network_.latency_min).count();
  return network_.latency_min +
         Duration(static_cast<std::int64_t>(prng_.below(static_cast<std::uint64_t>(span) + 1)));
}

std::optional<SessionId> FakeProsody::open(Peer& peer, const Jid& address, bool resumable) {
  if (!up_) {
    return std::nullopt;
  }
  const auto holder = by_address_.find(address);
  if (holder != by_address_.end()) {
    if (is_component(address)) {
      return std::nullopt;  // component_conflict_resolve = "kick_new"
    }
    // conflict_resolve = "kick_old": the old session dies, its rooms see it leave.
    const SessionId old = holder->second;
    Peer* const old_peer = sessions_.at(old).peer;
    end_session(old);
    if (old_peer != nullptr) {
      old_peer->disconnected();
    }
  }
  const SessionId id = next_session_++;
  sessions_[id] = {.address = address,
                   .resumable = resumable,
                   .peer = &peer,
                   .towards_peer = {},
                   .next_to_peer = schedule_.now(),
                   .next_to_server = schedule_.now(),
                   .life = next_life_++};
  by_address_[address] = id;
  return id;
}

void FakeProsody::acknowledge(SessionId id, std::uint64_t handled) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) {
    return;
  }
  Session& session = found->second;
  for (; session.acknowledged < handled && !session.delivered.empty(); ++session.acknowledged) {
    session.delivered.pop_front();
  }
}

std::uint64_t FakeProsody::sent_by(SessionId id) const {
  const auto found = sessions_.find(id);
  return found == sessions_.end() ? 0 : found->second.from_peer;
}

std::optional<std::uint64_t> FakeProsody::resume(SessionId id, Peer& peer, std::uint64_t handled) {
  const auto found = sessions_.find(id);
  if (!up_ || found == sessions_.end() || found->second.peer != nullptr) {
    return std::nullopt;
  }
  Session& session = found->second;
  if (handled < session.acknowledged || handled > session.acknowledged + session.delivered.size()) {
    end_session(id);  // Prosody 0.12: a count that cannot be ends it.
    return std::nullopt;
  }
  acknowledge(id, handled);
  session.towards_peer.insert(session.towards_peer.begin(), session.delivered.begin(),
                              session.delivered.end());
  session.delivered.clear();
  session.peer = &peer;
  session.life = next_life_++;
  session.next_to_peer = schedule_.now();
  for (std::size_t i = 0; i < session.towards_peer.size(); ++i) {
    schedule_delivery(id, session);
  }
  return session.from_peer;
}

void FakeProsody::send(SessionId id, const xml::Element& stanza) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end() || found->second.peer == nullptr) {
    return;
  }
  Session& session = found->second;
  ++session.from_peer;
  session.next_to_server = std::max(session.next_to_server, schedule_.now() + latency());
  xml::Element sent = stanza;
  if (network_.wire || stanza.has_prepared()) {
    auto parsed = xml::parse(xml::to_string(stanza));
    BASCULE_CHECK(parsed.has_value());
    sent = *std::move(parsed);
  }
  schedule_.at(session.next_to_server,
               [this, id, address = session.address, sent] { arrived(id, address, sent); });
}

void FakeProsody::arrived(SessionId id, const Jid& address, const xml::Element& stanza) {
  // What was on its way when a connection broke still arrives when the session is resumable (its
  // outbox would repeat it); otherwise it is lost with the session.
  if (!up_ || !sessions_.contains(id)) {
    return;
  }
  ++stanzas_;
  Jid from = address;
  if (is_component(address)) {
    auto given = Jid::parse(stanza.attribute_or_empty("from"));
    BASCULE_CHECK(given.has_value() && given->domain() == address.domain());
    from = *std::move(given);
  }
  xml::Element stamped = stanza;
  stamped.set("from", from.to_string());
  if (network_.tap) {
    network_.tap(from, stamped);
  }
  route(from, std::move(stamped));
}

void FakeProsody::route(const Jid& from, xml::Element stanza) {
  const auto to = Jid::parse(stanza.attribute_or_empty("to"));
  if (!to) {
    return;
  }
  std::vector<Routed> routed;
  if (to->domain() == deployment_.conference_service.domain()) {
    conferences_.handle(from, stanza, routed);
  } else if (to->domain() == deployment_.internal_service.domain()) {
    internal_.handle(from, stanza, routed);
  } else {
    routed.push_back({*to, std::move(stanza)});
  }
  dispatch(routed);
}

void FakeProsody::dispatch(std::vector<Routed>& routed) {
  // Deliveries can bounce, and bounces can make rooms speak: `routed` may grow meanwhile, and order
  // has to be kept. Recursion depth is bounded, because every bounce removes an occupant.
  for (std::size_t i = 0; i < routed.size(); ++i) {
    deliver(routed[i]);
  }
}

void FakeProsody::deliver(const Routed& routed) {
  auto found = by_address_.find(routed.to);
  if (found == by_address_.end()) {
    Jid component;  // Any address of a component is the component's.
    if (auto domain = Jid::parse(routed.to.domain())) {
      component = *std::move(domain);
    }
    found = by_address_.find(component);
  }
  if (found != by_address_.end()) {
    push(found->second, sessions_.at(found->second), routed.stanza);
    return;
  }
  if (wants_answer(routed.stanza)) {
    bounce(routed.to, routed.stanza, proto::Condition::kServiceUnavailable);
  } else if (routed.stanza.name != "iq" && routed.stanza.attribute_or_empty("type") != "error") {
    std::vector<Routed> told;
    conferences_.bounced(routed.to, told);
    internal_.bounced(routed.to, told);
    dispatch(told);
  }
}

void FakeProsody::bounce(const Jid& receiver, const xml::Element& request,
                         proto::Condition condition) {
  auto envelope = proto::decode_iq_envelope(request);
  if (envelope && !envelope->from.empty()) {
    envelope->to = receiver;
    // The failed receiver answers in its own name; a room relays it under the occupant's.
    route(receiver, proto::encode_iq_error(*envelope, proto::make_error(condition)));
  }
}

void FakeProsody::push(SessionId id, Session& session, xml::Element stanza) {
  if (network_.wire || stanza.has_prepared()) {
    auto parsed = xml::parse(xml::to_string(stanza));
    BASCULE_CHECK(parsed.has_value());
    stanza = *std::move(parsed);
  }
  session.towards_peer.push_back(std::move(stanza));
  if (session.peer != nullptr) {
    schedule_delivery(id, session);
  }
}

void FakeProsody::schedule_delivery(SessionId id, Session& session) {
  session.next_to_peer = std::max(session.next_to_peer, schedule_.now() + latency());
  schedule_.at(session.next_to_peer, [this, id, life = session.life] {
    const auto found = sessions_.find(id);
    if (found == sessions_.end() || found->second.life != life || found->second.peer == nullptr ||
        found->second.towards_peer.empty()) {
      return;
    }
    const xml::Element next = std::move(found->second.towards_peer.front());
    found->second.towards_peer.pop_front();
    if (found->second.resumable) {
      found->second.delivered.push_back(next);
    }
    found->second.peer->deliver(next);
  });
}

void FakeProsody::end_session(SessionId id) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) {
    return;
  }
  const Jid address = found->second.address;
  const std::deque<xml::Element> undelivered = std::move(found->second.towards_peer);
  by_address_.erase(address);
  sessions_.erase(found);
  if (is_component(address)) {
    return;  // Rooms notice a lost component only when something bounces.
  }
  for (const xml::Element& stanza : undelivered) {
    if (wants_answer(stanza)) {  // mod_smacks: what a session leaves behind is answered for it.
      bounce(address, stanza, proto::Condition::kRecipientUnavailable);
    }
  }
  std::vector<Routed> told;
  conferences_.session_lost(address, told);
  internal_.session_lost(address, told);
  dispatch(told);
}

void FakeProsody::note_loss(const Jid& address) {
  if (is_component(address) || address.bare() == deployment_.focus_user) {
    focus_lost_at_ = schedule_.now();
  }
}

void FakeProsody::close(SessionId id, bool clean) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) {
    return;
  }
  note_loss(found->second.address);
  if (clean || !found->second.resumable) {
    end_session(id);
    return;
  }
  found->second.peer = nullptr;
  const std::uint64_t life = found->second.life = next_life_++;
  schedule_.after(network_.hibernation, [this, id, life] {
    const auto hibernating = sessions_.find(id);
    if (hibernating != sessions_.end() && hibernating->second.life == life &&
        hibernating->second.peer == nullptr) {
      end_session(id);
    }
  });
}

void FakeProsody::cut(SessionId id) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end() || found->second.peer == nullptr) {
    return;
  }
  Peer* const peer = found->second.peer;
  close(id, false);
  peer->disconnected();
}

void FakeProsody::kill() {
  up_ = false;
  focus_lost_at_ = schedule_.now();
  std::vector<Peer*> peers;
  for (const auto& [id, session] : sessions_) {
    if (session.peer != nullptr) {
      peers.push_back(session.peer);
    }
  }
  sessions_.clear();
  by_address_.clear();
  conferences_.forget();
  internal_.forget();
  for (Peer* const peer : peers) {
    peer->disconnected();
  }
}

void FakeProsody::restart() {
  up_ = true;
}

}  // namespace bascule::sim
