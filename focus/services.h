#pragma once

#include <optional>
#include <variant>

#include "base/jid.h"
#include "base/time.h"
#include "focus/turn.h"
#include "xmpp/proto/message.h"
#include "xmpp/proto/room_messages.h"

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

  struct Said {
    RoomJid room;
    std::variant<proto::RoomMetadata, proto::AvModeration> what;
  };
  /// What a message means, if it comes from the component that may say so. Everything else is
  /// counted and changes nothing.
  std::optional<Said> read(const proto::Message& message, Turn& turn) const;

 private:
  void ask(Turn& turn);

  std::optional<Jid> room_metadata_;
  std::optional<Jid> av_moderation_;
  Duration retry_{};
};

}  // namespace bascule::focus
