#include "focus/proxy_registration.h"

#include "xmpp/proto/stanza_error.h"

namespace bascule::focus {

void ProxyRegistration::on_link_up(Links::Came came, Turn& turn) {
  if (came != Links::Came::kFresh || !turn.options().proxy_address) {
    return;
  }
  done_ = false;
  turn.send_presence(StreamId::kClient, {});
  ask(turn);
}

void ProxyRegistration::ask(Turn& turn) {
  // To our own account, for which the server itself answers.
  turn.send_iq({.purpose = IqPurpose::kProxyFence, .stream = StreamId::kClient}, Jid(),
               proto::DiscoInfoRequest{});
}

void ProxyRegistration::on_answer(const xmpp::IqOutcome& outcome, Turn& turn) {
  // Also an error is an answer of the server; of a lost link the next one asks again.
  done_ = outcome || std::holds_alternative<proto::StanzaError>(outcome.error());
  if (!done_ && turn.shared.is_up(StreamId::kClient)) {
    ask(turn);
  }
}

}  // namespace bascule::focus
