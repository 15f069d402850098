#pragma once

#include <optional>
#include <string_view>

#include "base/jid.h"
#include "base/time.h"
#include "focus/turn.h"

namespace bascule::focus {

/// The components of the deployment whose messages the focus follows. The main host announces them
/// as identities of category `component`, named by their address (jitsi-meet:
/// mod_room_metadata.lua, mod_av_moderation.lua). Only what comes from those addresses is believed:
/// anybody may send us a message.
class Services {
 public:
  /// The client link is up: components may have moved. Asks the main host, if one is configured.
  void on_link_up(Turn& turn);
  /// kServices. What is not there yet is asked for again: components may start after the server.
  void on_answer(const IqOutcome& outcome, Turn& turn);
  void on_timer(Turn& turn);

  [[nodiscard]] bool is_room_metadata(const Jid& from) const { return from == room_metadata_; }
  [[nodiscard]] bool is_av_moderation(const Jid& from) const { return from == av_moderation_; }

 private:
  void ask(Turn& turn);

  std::optional<Jid> room_metadata_;
  std::optional<Jid> av_moderation_;
  Duration retry_{};
};

}  // namespace bascule::focus
