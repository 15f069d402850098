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

}  // namespace bascule::focus
