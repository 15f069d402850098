#include "focus/services.h"

#include <algorithm>

namespace bascule::focus {
namespace {

constexpr TimerKey kTimer{TimerKind::kServices};
constexpr Duration kRetryFirst = std::chrono::seconds{5};
constexpr Duration kRetryMax = std::chrono::minutes{5};

std::optional<Jid> component(const proto::DiscoInfo& info, std::string_view type) {
  for (const proto::DiscoIdentity& identity : info.identities) {
    if (identity.category == "component" && identity.type == type && identity.name) {
      if (const auto address = Jid::parse(*identity.name)) {
        return *address;
      }
    }
  }
  return std::nullopt;
}

std::string text_of(const std::optional<Jid>& address) {
  return address ? address->to_string() : "none";
}

}  // namespace

void Services::on_link_up(Turn& turn) {
  retry_ = kRetryFirst;
  ask(turn);
}

void Services::ask(Turn& turn) {
  turn.clear_timer(kTimer);
  if (const auto& server = turn.options().main_host) {
    turn.send_iq({.purpose = IqPurpose::kServices, .stream = StreamId::kClient}, *server,
                 proto::DiscoInfoRequest{});
  }
}

void Services::on_answer(const IqOutcome& outcome, Turn& turn) {
  const auto* info = outcome ? std::get_if<proto::DiscoInfo>(&*outcome) : nullptr;
  if (info != nullptr) {
    const auto metadata = component(*info, "room_metadata");
    const auto moderation = component(*info, "av_moderation");
    if (metadata != room_metadata_ || moderation != av_moderation_) {
      room_metadata_ = metadata;
      av_moderation_ = moderation;
      turn.info("services.found", {{"room_metadata", text_of(room_metadata_)},
                                   {"av_moderation", text_of(av_moderation_)}});
    }
  }
  if (info == nullptr || !room_metadata_ || !av_moderation_) {
    turn.set_timer(kTimer, retry_);
    retry_ = std::min(2 * retry_, kRetryMax);
  }
}

void Services::on_timer(Turn& turn) {
  if (turn.shared.is_up(StreamId::kClient)) {
    ask(turn);
  }
}

std::optional<Services::Said> Services::read(const proto::Message& message, Turn& turn) const {
  const bool believed = message.from == room_metadata_ || message.from == av_moderation_;
  if (!believed || !message.json_message || message.type == proto::MessageType::kError) {
    ++turn.counters().messages_ignored;
    return std::nullopt;
  }
  const auto decoded = proto::decode_room_message(message.json_message->json);
  if (!decoded) {
    ++turn.counters().room_messages_malformed;
    turn.warn("room.message_malformed",
              {{"from", message.from.to_string()}, {"error", decoded.error().what}});
    return std::nullopt;
  }
  if (const auto* change = std::get_if<proto::AvModeration>(&*decoded);
      change != nullptr && message.from == av_moderation_) {
    return Said{change->room, *change};
  }
  if (const auto* metadata = std::get_if<proto::RoomMetadata>(&*decoded);
      metadata != nullptr && message.from == room_metadata_) {
    if (const auto room = Jid::parse(message.json_message->room.value_or(""))) {
      return Said{RoomJid(*room), *metadata};
    }
  }
  ++turn.counters().messages_ignored;
  return std::nullopt;
}

}  // namespace bascule::focus
