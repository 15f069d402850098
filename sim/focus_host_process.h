#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "focus/focus.h"
#include "focus/link.h"
#include "focus/link_journal.h"
#include "focus/output_gate.h"
#include "sim/fake_prosody.h"
#include "sim/focus_host.h"
#include "xmpp/xml/writer.h"

// Private to the host of the focus: what dies with a process.

namespace bascule::sim {

[[nodiscard]] focus::LinkOptions link_options(StreamId stream, const Deployment& deployment,
                                              std::uint64_t process);

/// The transport of one link: what xmpp::Transport is in the daemon.
struct FocusHost::LinkPeer : Peer {
  LinkPeer(FocusHost& host, StreamId id, const Deployment& deployment, std::uint64_t process)
      : owner(host), stream(id), link(link_options(id, deployment, process)) {}

  void deliver(const xml::Element& stanza) override {
    if (is_dead()) {
      return;
    }
    std::vector<focus::Input> inputs;
    std::vector<xml::Element> replies;
    link.receive(stanza, inputs, replies);
    journal.heard(++heard);
    for (const xml::Element& reply : replies) {
      if (link.is_resumable()) {
        journal.reply(xml::to_string(reply));
      } else {
        owner.transmit(stream, reply);
      }
    }
    if (link.is_resumable() && inputs.empty()) {
      owner.run_turn(
          [](focus::Focus&, Now, focus::Actions&) {});  // It has to be stored all the same.
    }
    owner.feed_all(inputs);
  }
  void disconnected() override { went_down(); }

  [[nodiscard]] bool is_dead() const { return !owner.process_ || &owner.peer(stream) != this; }

  void went_down() {
    if (is_dead()) {
      return;
    }
    up = false;
    std::vector<focus::Input> inputs;
    link.down({.kind = xmpp::DownKind::kConnection, .reason = "cut"}, inputs);
    owner.feed_all(inputs);
  }

  FocusHost& owner;
  StreamId stream;
  focus::Link link;
  focus::LinkJournal journal{stream};
  std::uint64_t heard = 0;  // Stanzas of the session.
  bool up = false;
  std::vector<xml::Element> kept;    // Said while the session waits to be resumed.
  Jid bound;                         // What the session was bound to.
  std::optional<SessionId> session;  // Kept while it may be resumed.
};

struct FocusHost::Process {
  Process(FocusHost& host, std::uint64_t number, focus::Options options, focus::Restored restored,
          std::uint64_t seed, Now now)
      : focus(std::move(options), std::move(restored), seed, now),
        peers{LinkPeer(host, StreamId::kRequests, host.deployment_, number),
              LinkPeer(host, StreamId::kClient, host.deployment_, number),
              LinkPeer(host, StreamId::kService, host.deployment_, number)} {}

  focus::Focus focus;
  focus::OutputGate gate;
  std::array<LinkPeer, kStreamCount> peers;
  std::optional<Instant> armed;
  bool degraded = false;
};

}  // namespace bascule::sim
