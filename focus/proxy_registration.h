#pragma once

#include "focus/links.h"
#include "focus/turn.h"
#include "xmpp/session.h"

namespace bascule::focus {

/// Makes us known to mod_client_proxy, which forwards conference requests to the sessions whose
/// presence it has seen, and answers them with service-unavailable while it has seen none. That
/// ends a call for the client, so we are not ready before the server has surely delivered ours: it
/// handles the stanzas of a session in order, so its answer to what we ask next tells.
class ProxyRegistration {
 public:
  /// The client link came up. A session that goes on is still registered.
  void on_link_up(Links::Came came, Turn& turn);
  /// IqPurpose::kProxyFence.
  void on_answer(const xmpp::IqOutcome& outcome, Turn& turn);
  /// Of the newest session; always true where no proxy is used.
  [[nodiscard]] bool is_done() const { return done_; }

 private:
  static void ask(Turn& turn);

  bool done_ = true;
};

}  // namespace bascule::focus
