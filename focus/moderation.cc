#include "focus/moderation.h"

#include <utility>

namespace bascule::focus {
using proto::MuteMedia;

std::vector<MuteMedia> Moderation::apply(const proto::AvModeration& change) {
  std::vector<MuteMedia> switched_on;
  if (change.enabled) {
    Medium& medium = of(change.media);
    if (*change.enabled && !medium.enabled) {
      switched_on.push_back(change.media);
    }
    medium.enabled = *change.enabled;
  }
  for (const auto& [media, allowed] : change.whitelists) {
    of(media).allowed = allowed;
  }
  return switched_on;
}

bool Moderation::allows(MuteMedia media, const Jid& occupant) const {
  return !of(media).enabled || of(media).allowed.contains(occupant);
}

proto::ForceMute Moderation::forbidden_to(const Jid& occupant) const {
  return {.audio = !allows(MuteMedia::kAudio, occupant),
          .video = !allows(MuteMedia::kVideo, occupant) && !allows(MuteMedia::kDesktop, occupant)};
}

op::ModerationSet Moderation::to_operation(const RoomJid& room, MuteMedia media) const {
  op::ModerationSet stored{
      .room = room, .media = std::string(proto::to_string(media)), .enabled = of(media).enabled};
  for (const Jid& occupant : of(media).allowed) {
    stored.allowed.push_back(occupant.to_string());
  }
  return stored;
}

void Moderation::restore(const op::ModerationSet& stored) {
  const auto media = proto::parse_mute_media(stored.media);
  if (!media) {
    return;  // Of a newer version.
  }
  Medium& medium = of(*media);
  medium.enabled = stored.enabled;
  medium.allowed.clear();
  for (const std::string& text : stored.allowed) {
    if (const auto occupant = Jid::parse(text)) {
      medium.allowed.insert(*occupant);
    }
  }
}

std::optional<proto::StanzaError> judge_mute(const MuteQuestion& question) {
  using proto::Condition;
  if (!question.complete) {
    return proto::make_error(Condition::kBadRequest, "a mute names 'jid', and true or false");
  }
  if (!question.sender_known) {
    return proto::make_error(Condition::kInternalServerError, "the sender is no participant");
  }
  if (!question.self && !question.sender_moderates) {
    return proto::make_error(Condition::kNotAllowed, "only moderators mute others");
  }
  if (!question.target_known) {
    return proto::make_error(Condition::kInternalServerError, "the target is no participant");
  }
  if (!question.mute && !question.self) {
    return proto::make_error(Condition::kNotAllowed, "nobody unmutes others");
  }
  if (!question.mute && !question.sender_moderates && !question.allowed) {
    return proto::make_error(Condition::kNotAllowed, "moderation forbids it");
  }
  if (question.target_exempt) {
    return proto::make_error(Condition::kNotAllowed, "the target cannot be muted");
  }
  return std::nullopt;
}

}  // namespace bascule::focus
