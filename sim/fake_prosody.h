#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/jid.h"
#include "base/prng.h"
#include "base/time.h"
#include "sim/muc_service.h"
#include "sim/schedule.h"
#include "xmpp/proto/stanza_error.h"
#include "xmpp/xml/element.h"

namespace bascule::sim {

/// Whoever is connected to the fake server.
class Peer {
 public:
  virtual ~Peer() = default;
  virtual void deliver(const xml::Element& stanza) = 0;
  /// The connection broke; never called for a close of one's own.
  virtual void disconnected() = 0;
};

using SessionId = std::uint64_t;

/// The addresses of the simulated deployment.
struct Deployment {
  Jid client_domain = Jid::parse("meet.sim").value();
  Jid focus_user = Jid::parse("focus@auth.meet.sim").value();
  Jid focus_component = Jid::parse("focus.meet.sim").value();
  Jid service_component = Jid::parse("bascule.meet.sim").value();
  Jid conference_service = Jid::parse("conference.meet.sim").value();
  Jid internal_service = Jid::parse("internal.auth.meet.sim").value();
  Jid pubsub_service = Jid::parse("pubsub.meet.sim").value();  ///< Where a world has one.
  std::string pubsub_node = "sharedStatsNode";
  bool stream_management = true;  ///< XEP-0198 on the client link, with resumption.
  RoomJid brewery = RoomJid(Jid::parse("jvbbrewery@internal.auth.meet.sim").value());
};

struct NetworkOptions {
  Duration latency_min = std::chrono::microseconds{300};
  Duration latency_max = std::chrono::milliseconds{15};
  Duration hibernation = std::chrono::seconds{15};  ///< XEP-0198, for resumable sessions.
  bool wire = false;  ///< Every stanza goes through the writer and the parser.
  /// Sees every stanza that the server receives, with its sender.
  std::function<void(const Jid&, const xml::Element&)> tap;
};

/// Routes stanzas between sessions, components and two MUC services. Within one connection delivery
/// is ordered and nothing is lost; loss happens by cutting connections only: what TCP gives.
class FakeProsody {
 public:
  FakeProsody(Schedule& schedule, Prng prng, NetworkOptions network, const Deployment& deployment);

  /// nullopt while the server is down, or when another session holds the component.
  std::optional<SessionId> open(Peer& peer, const Jid& address, bool resumable);
  /// Continues a hibernating session, with everything its peer has not handled: of what was
  /// delivered, all but the first `handled` stanzas of the session. Returns how many stanzas the
  /// server has of it; nullopt: there is no such session. What was on its way counts: a broken
  /// connection delivers it.
  std::optional<std::uint64_t> resume(SessionId session, Peer& peer, std::uint64_t handled);
  /// The first `handled` stanzas of the session are never asked for again.
  void acknowledge(SessionId session, std::uint64_t handled);
  /// Stanzas sent in the session so far.
  [[nodiscard]] std::uint64_t sent_by(SessionId session) const;
  void send(SessionId session, const xml::Element& stanza);
  /// The peer ends its connection: cleanly, or by dying.
  void close(SessionId session, bool clean);
  /// The network cuts the connection; the peer is told.
  void cut(SessionId session);

  void kill();     ///< SIGKILL: every connection breaks, rooms are forgotten.
  void restart();  ///< Listens again.
  [[nodiscard]] bool is_up() const { return up_; }
  [[nodiscard]] const MucService& conference_rooms() const { return conferences_; }
  /// See MucService::forget_occupant; of the conference rooms.
  std::optional<RoomJid> forget_occupant(const Jid& real, std::size_t n) {
    return conferences_.forget_occupant(real, n);
  }
  /// When a connection of the focus was last cut or lost; what was under way may be lost with it.
  [[nodiscard]] Instant focus_lost_at() const { return focus_lost_at_; }
  [[nodiscard]] std::uint64_t stanzas() const { return stanzas_; }

 private:
  struct Session {
    Jid address;
    bool resumable = false;
    Peer* peer = nullptr;                   // Null while hibernating.
    std::deque<xml::Element> towards_peer;  // On the wire, or waiting for the resume.
    std::deque<xml::Element> delivered;     // And not acknowledged, when it can be resumed.
    std::uint64_t acknowledged = 0;
    std::uint64_t from_peer = 0;
    Instant next_to_peer{};
    Instant next_to_server{};
    std::uint64_t life = 0;  // Tells deliveries of this connection from those of an earlier one.
  };

  Duration latency();
  void arrived(SessionId session, const Jid& address, const xml::Element& stanza);
  void route(const Jid& from, xml::Element stanza);
  void dispatch(std::vector<Routed>& routed);
  void deliver(const Routed& routed);
  void bounce(const Jid& receiver, const xml::Element& request, proto::Condition condition);
  void push(SessionId id, Session& session, xml::Element stanza);
  void schedule_delivery(SessionId id, Session& session);
  void end_session(SessionId id);
  void note_loss(const Jid& address);

  Schedule& schedule_;
  Prng prng_;
  NetworkOptions network_;
  Deployment deployment_;
  MucService conferences_;
  MucService internal_;
  bool up_ = true;
  Instant focus_lost_at_ = Instant::min();
  std::uint64_t next_session_ = 1;
  std::uint64_t next_life_ = 1;
  std::uint64_t stanzas_ = 0;
  std::map<SessionId, Session> sessions_;
  std::map<Jid, SessionId> by_address_;
};

}  // namespace bascule::sim
