// What others ask of the focus: whose business it is.

#include "focus/focus_impl.h"

namespace bascule::focus {
namespace {

/// What we say of ourselves (Jicofo: XmppProvider.kt, Features.kt).
proto::DiscoInfo own_disco(const std::optional<std::string>& node) {
  proto::DiscoInfo info;
  info.node = node;
  info.identities = {{"client", "bot", "bascule"}};
  info.features = {std::string(proto::kDiscoInfoNamespace), std::string(proto::kPingNamespace),
                   "https://jitsi.org/meet/jicofo/terminate-restart"};
  return info;
}

}  // namespace

void Focus::Impl::answer(const in::IqRequest& input, IqReply reply, Turn& turn) {
  turn.act(out::AnswerIq{input.stream, input.to, input.from, input.stanza_id, std::move(reply)});
}

void Focus::Impl::on(const in::IqRequest& input, Turn& turn) {
  const auto& proxy = turn.options().proxy_address;
  const bool by_proxy = input.stream == StreamId::kClient && proxy && input.from.bare() == *proxy;
  if (const auto* request = std::get_if<proto::ConferenceRequest>(&input.payload);
      request != nullptr && (input.stream == StreamId::kRequests || by_proxy)) {
    on_request(RequestDesk::IqSender{input.stream, input.from, input.to, input.stanza_id}, *request,
               turn);
  } else if (const auto* jingle = std::get_if<proto::Jingle>(&input.payload);
             jingle != nullptr && input.stream == StreamId::kClient) {
    on_jingle(input, *jingle, turn);
  } else if (const auto* mute = std::get_if<proto::Mute>(&input.payload);
             mute != nullptr && input.stream == StreamId::kClient) {
    on_mute(input, *mute, turn);
  } else if (std::holds_alternative<proto::Ping>(input.payload)) {
    answer(input, proto::Answer(proto::Empty{}), turn);
  } else if (const auto* disco = std::get_if<proto::DiscoInfoRequest>(&input.payload)) {
    answer(input, proto::Answer(own_disco(disco->node)), turn);
  } else {
    ++turn.counters().iq_unknown;
    answer(input, tl::make_unexpected(proto::make_error(proto::Condition::kServiceUnavailable)),
           turn);
  }
}

void Focus::Impl::on_jingle(const in::IqRequest& input, const proto::Jingle& jingle, Turn& turn) {
  if (Conference* conference = conferences_.find(RoomJid(input.from.bare()))) {
    conference->on_jingle(input, jingle, turn, around_);
    return;
  }
  ++turn.counters().iq_from_strangers;
  answer(input, tl::make_unexpected(proto::make_unknown_session_error()), turn);
}

void Focus::Impl::on_mute(const in::IqRequest& input, const proto::Mute& mute, Turn& turn) {
  if (Conference* conference = conferences_.find(RoomJid(input.from.bare()))) {
    conference->on_mute(input, mute, turn);
    return;
  }
  ++turn.counters().iq_from_strangers;
  answer(input, tl::make_unexpected(proto::make_error(proto::Condition::kItemNotFound)), turn);
}

void Focus::Impl::on(const in::HttpConferenceRequest& input, Turn& turn) {
  on_request(input.request, input.payload, turn);
}

void Focus::Impl::on_request(RequestDesk::Requester requester,
                             const proto::ConferenceRequest& request, Turn& turn) {
  Conference* conference = conferences_.find(request.room);
  const RoomStanding standing = quarantine_.holds(request.room) ? RoomStanding::kPoisoned
                                : conference == nullptr         ? RoomStanding::kNone
                                : conference->is_ready()        ? RoomStanding::kReady
                                                                : RoomStanding::kEntering;
  switch (desk_.on_request(std::move(requester), request, standing, conferences_.size(), turn)) {
    case RequestDesk::Verdict::kAnswered:
      if (conference != nullptr) {
        conference->requested(turn);
      }
      return;
    case RequestDesk::Verdict::kCreate:
      conferences_.create(request.room, request.properties, sid_secret_, turn).start(turn);
      return;
    case RequestDesk::Verdict::kHurry:
      conferences_.hurry(request.room, turn, around_);
      return;
  }
}

}  // namespace bascule::focus
