#include <string>

#include "base/check.h"
#include "base/result.h"
#include "tests/fuzz/targets.h"
#include "xmpp/proto/jitsi_conference.h"
#include "xmpp/proto/jitsi_meet_json.h"
#include "xmpp/proto/muc.h"

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

}  // namespace

void run_json(std::string_view input) {
  check_round_trip(input, &proto::decode_sources_json, &proto::encode_sources_json);
  check_round_trip(input, &proto::decode_source_info, &proto::encode_source_info);
  check_round_trip(input, &proto::decode_conference_request_json,
                   &proto::encode_conference_request_json);
  check_round_trip(input, &proto::decode_conference_answer_json,
                   &proto::encode_conference_answer_json);
}

}  // namespace bascule::fuzz
