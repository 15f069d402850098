#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/jid.h"
#include "focus/operation.h"
#include "xmpp/proto/colibri2.h"
#include "xmpp/proto/room_messages.h"
#include "xmpp/proto/stanza_error.h"

namespace bascule::focus {

/// What moderators of one room restrict: for each medium whether others must ask before they
/// unmute, and who was allowed to (jitsi-meet: mod_av_moderation_component.lua). A value; says
/// nothing about who is muted. Lists are bounded by what their sender, a component, sends.
class Moderation {
 public:
  /// Takes over a change. Returns the media that were switched on by it.
  std::vector<proto::MuteMedia> apply(const proto::AvModeration& change);

  [[nodiscard]] bool is_enabled(proto::MuteMedia media) const { return of(media).enabled; }
  /// Whether an occupant that is no moderator may unmute. O(log list).
  [[nodiscard]] bool allows(proto::MuteMedia media, const Jid& occupant) const;
  /// What the bridge has to drop of an occupant that is no moderator. It knows one kind of video:
  /// that is dropped when neither camera nor desktop is allowed.
  [[nodiscard]] proto::ForceMute forbidden_to(const Jid& occupant) const;

  [[nodiscard]] op::ModerationSet to_operation(const RoomJid& room, proto::MuteMedia media) const;
  void restore(const op::ModerationSet& stored);

 private:
  struct Medium {
    bool enabled = false;
    std::set<Jid> allowed;
  };
  [[nodiscard]] const Medium& of(proto::MuteMedia media) const {
    return media_[static_cast<std::size_t>(media)];
  }
  Medium& of(proto::MuteMedia media) { return media_[static_cast<std::size_t>(media)]; }

  std::array<Medium, proto::kMuteMedia.size()> media_;
};

/// One request to mute or unmute somebody, with what there is to know of the two.
struct MuteQuestion {
  bool complete = false;      ///< It names a target and says what to do.
  bool sender_known = false;  ///< The sender is a participant.
  bool sender_moderates = false;
  bool target_known = false;
  bool target_exempt = false;  ///< A recorder, visitor or gateway that cannot be muted.
  bool self = false;           ///< The target is the sender.
  bool mute = true;
  bool allowed = false;  ///< Moderation lets the target unmute.
};

/// The error, if any, by the first rule that is broken (Jicofo: MuteIqHandler.kt).
[[nodiscard]] std::optional<proto::StanzaError> judge_mute(const MuteQuestion& question);

/// How many members send, by what they say in presence.
struct SenderCount {
  std::size_t audio = 0;
  std::size_t video = 0;
  friend bool operator==(const SenderCount&, const SenderCount&) = default;
};

}  // namespace bascule::focus
