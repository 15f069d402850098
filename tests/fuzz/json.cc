#include <string_view>
#include <variant>

#include "base/check.h"
#include "base/result.h"
#include "tests/fuzz/targets.h"
#include "xmpp/proto/jitsi_conference.h"
#include "xmpp/proto/jitsi_meet_json.h"
#include "xmpp/proto/muc.h"
#include "xmpp/proto/room_messages.h"

namespace bascule::fuzz {
namespace {

/// What was understood can be said, and is understood again as what it was.
template <class Decode, class Encode>
void check_round_trip(std::string_view text, Decode decode, Encode encode) {
  const auto value = decode(text);
  if (!value) {
    BASCULE_CHECK(value.error().code == Errc::kMalformed && !value.error().what.empty());
    return;
  }
  const auto again = decode(encode(*value));
  BASCULE_CHECK(again.has_value());
  BASCULE_CHECK(*again == *value);
}

/// Has no encoder: what is checked is that a list of occupants has none without address.
void check_room_message(std::string_view text) {
  const auto message = proto::decode_room_message(text);
  if (!message) {
    BASCULE_CHECK(message.error().code == Errc::kMalformed && !message.error().what.empty());
    return;
  }
  BASCULE_CHECK(proto::decode_room_message(text) == message);
  if (const auto* moderation = std::get_if<proto::AvModeration>(&*message)) {
    BASCULE_CHECK(!moderation->room.jid().empty());
    for (const auto& [media, whitelist] : moderation->whitelists) {
      for (const Jid& occupant : whitelist) {
        BASCULE_CHECK(!occupant.empty());
      }
    }
  }
}

}  // namespace

void run_json(std::string_view input) {
  check_round_trip(input, &proto::decode_sources_json, &proto::encode_sources_json);
  check_round_trip(input, &proto::decode_source_info, &proto::encode_source_info);
  check_round_trip(input, &proto::decode_conference_request_json,
                   &proto::encode_conference_request_json);
  check_round_trip(input, &proto::decode_conference_answer_json,
                   &proto::encode_conference_answer_json);
  check_room_message(input);
}

}  // namespace bascule::fuzz
