// Who may send, by the rules of the room: moderation, mutes, limits, and how newcomers start.

#include <charconv>
#include <utility>

#include "focus/conference.h"
#include "focus/offer.h"

namespace bascule::focus {
namespace {

using proto::MuteMedia;

std::optional<std::size_t> number(const std::map<std::string, std::string>& properties,
                                  const char* name) {
  const auto found = properties.find(name);
  if (found == properties.end()) {
    return std::nullopt;
  }
  std::size_t value = 0;
  const char* end = found->second.data() + found->second.size();
  const auto [rest, error] = std::from_chars(found->second.data(), end, value);
  return error == std::errc() && rest == end ? std::optional(value) : std::nullopt;
}

}  // namespace

void Conference::on_mute(const in::IqRequest& request, const proto::Mute& mute, Turn& turn) {
  const MuteQuestion question = ask_about(request, mute);
  if (auto error = judge_mute(question)) {
    ++turn.counters().mutes_refused;
    turn.debug("mute.refused", {{"room", room_jid().to_string()},
                                {"from", request.from.resource()},
                                {"error", error->text}});
    turn.act(out::AnswerIq{request.stream, request.to, request.from, request.stanza_id,
                           tl::make_unexpected(std::move(*error))});
    return;
  }
  turn.act(out::AnswerIq{request.stream, request.to, request.from, request.stanza_id,
                         proto::Answer(proto::Empty{})});
  ++turn.counters().mutes;
  Participant& target = *find(EndpointId(mute.jid->resource()));
  enforce_moderation(target, turn);
  if (!question.self) {
    send_mute(target, mute.media, request.from, turn);
  }
}

MuteQuestion Conference::ask_about(const in::IqRequest& request, const proto::Mute& mute) const {
  MuteQuestion question;
  question.complete = mute.jid.has_value() && mute.mute.has_value();
  const Participant* sender = find(EndpointId(request.from.resource()));
  question.sender_known = sender != nullptr && sender->is_invitable();
  question.sender_moderates = sender != nullptr && sender->is_moderator();
  if (!question.complete) {
    return question;
  }
  const Participant* target =
      mute.jid->bare() == room_jid().jid() ? find(EndpointId(mute.jid->resource())) : nullptr;
  question.target_known = target != nullptr;
  question.self = target != nullptr && target == sender;
  question.mute = *mute.mute;
  if (target != nullptr) {
    question.target_exempt = target->is_exempt_from_mute();
    question.allowed =
        target->is_moderator() || moderation_.allows(mute.media, target->occupant.jid());
  }
  return question;
}

void Conference::send_mute(const Participant& target, MuteMedia media, std::optional<Jid> actor,
                           Turn& turn) {
  ++turn.counters().mutes_sent;
  turn.send_iq({.purpose = IqPurpose::kMute,
                .stream = StreamId::kClient,
                .conference = id_,
                .participant = target.id},
               target.occupant.jid(),
               proto::Mute{.media = media, .actor = std::move(actor), .mute = true});
}

void Conference::on_metadata(const proto::RoomMetadata& metadata, Turn& turn) {
  const bool audio = metadata.start_audio_muted.value_or(start_audio_muted_);
  const bool video = metadata.start_video_muted.value_or(start_video_muted_);
  if (audio == start_audio_muted_ && video == start_video_muted_) {
    return;
  }
  start_audio_muted_ = audio;
  start_video_muted_ = video;
  if (created_persisted_) {
    turn.persist(op::ConferenceSet{
        .room = room_jid(), .start_audio_muted = audio, .start_video_muted = video});
  }
}

void Conference::on_moderation(const proto::AvModeration& change, Turn& turn) {
  const std::vector<MuteMedia> switched_on = moderation_.apply(change);
  if (created_persisted_) {
    for (const MuteMedia media : proto::kMuteMedia) {
      const bool touched =
          (change.enabled && change.media == media) || change.whitelists.contains(media);
      if (touched) {
        turn.persist(moderation_.to_operation(room_jid(), media));
      }
    }
  }
  enforce_moderation(turn);
  for (const MuteMedia media : switched_on) {
    for (const auto& [id, participant] : participants_) {
      const bool spared = participant.is_exempt_from_mute() ||
                          (change.actor && *change.actor == participant.occupant.jid());
      if (!spared) {
        send_mute(participant, media, std::nullopt, turn);
      }
    }
  }
}

proto::ForceMute Conference::forbidden_to(const Participant& participant) const {
  if (participant.is_moderator() || participant.is_exempt_from_mute()) {
    return {};
  }
  return moderation_.forbidden_to(participant.occupant.jid());
}

void Conference::enforce_moderation(Turn& turn) {
  std::map<BridgeJid, std::vector<EndpointMute>> changes;
  for (auto& [id, participant] : participants_) {
    if (const auto change = take_force_mute(participant, turn)) {
      changes[*participant.bridge].push_back(*change);
    }
  }
  for (const auto& [bridge, mutes] : changes) {
    send_to_bridge(bridge, bridges_.at(bridge).session.force_mute(mutes), turn);
  }
}

void Conference::enforce_moderation(Participant& participant, Turn& turn) {
  if (const auto change = take_force_mute(participant, turn)) {
    const BridgeJid& bridge = *participant.bridge;
    send_to_bridge(bridge, bridges_.at(bridge).session.force_mute({&*change, 1}), turn);
  }
}

std::optional<Conference::EndpointMute> Conference::take_force_mute(Participant& participant,
                                                                    Turn& turn) {
  const proto::ForceMute wanted = forbidden_to(participant);
  if (!participant.bridge || wanted == participant.force_mute) {
    return std::nullopt;
  }
  participant.force_mute = wanted;
  persist_endpoint(participant, turn);
  return EndpointMute{participant.endpoint, wanted};
}

proto::StartMuted Conference::start_muted(const Participant& participant,
                                          const OfferOptions& offer) const {
  const proto::ForceMute forbidden = forbidden_to(participant);
  const auto starts = [&](bool policy, std::size_t senders_max, const char* property, bool forced) {
    return starts_muted({.room_policy = policy,
                         .just_joined = !participant.invited_before,
                         .participants = participants_.size(),
                         .senders_max = senders_max,
                         .start_muted_after = number(properties_, property),
                         .force_muted = forced});
  };
  return {.audio = starts(start_audio_muted_, offer.max_audio_senders, "startAudioMuted",
                          forbidden.audio),
          .video = starts(start_video_muted_, offer.max_video_senders, "startVideoMuted",
                          forbidden.video)};
}

void Conference::count_sender(const Participant& participant, bool add) {
  const std::size_t audio = participant.audio_muted ? 0 : 1;
  const std::size_t video = participant.video_muted ? 0 : 1;
  senders_.audio = add ? senders_.audio + audio : senders_.audio - audio;
  senders_.video = add ? senders_.video + video : senders_.video - video;
}

void Conference::senders_changed(Turn& turn) {
  const OfferOptions& offer = turn.options().offer;
  const auto update = [](std::optional<bool>& published, bool reached) {
    if (published.value_or(false) == reached) {
      return false;
    }
    published = reached;
    return true;
  };
  const bool audio = update(audio_limit_reached_, senders_.audio >= offer.max_audio_senders);
  const bool video = update(video_limit_reached_, senders_.video >= offer.max_video_senders);
  if ((audio || video) && room_.is_in()) {
    publish_soon(turn);
  }
}

}  // namespace bascule::focus
