#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "sim/fake_prosody.h"
#include "sim/schedule.h"
#include "xmpp/proto/pubsub.h"
#include "xmpp/proto/request.h"

namespace bascule::sim {

/// The pubsub host with one node that remembers nothing (persist_items off): whoever is subscribed
/// gets what is published.
class FakePubsub : public Peer {
 public:
  FakePubsub(FakeProsody& server, Jid address, std::string node);

  void start();

  void deliver(const xml::Element& stanza) override;
  void disconnected() override { session_.reset(); }

 private:
  using Outcome = tl::expected<proto::Answer, proto::StanzaError>;
  [[nodiscard]] Outcome answer(const proto::Request& request, const Jid& from);
  [[nodiscard]] Outcome on_node(const proto::PubsubRequest& request);
  void tell_subscribers(const proto::PubsubItem& item);

  FakeProsody& server_;
  Jid address_;
  std::string node_;
  std::optional<SessionId> session_;
  bool exists_ = false;
  std::set<Jid> subscribers_;
};

}  // namespace bascule::sim
