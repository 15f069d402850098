#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/jid.h"
#include "focus/conference_details.h"
#include "focus/features.h"
#include "focus/iq_ledger.h"
#include "focus/turn.h"
#include "xmpp/proto/disco.h"

namespace bascule::focus {

/// The verification string of XEP-0115 5.1 for hash `sha-1`, base64.
[[nodiscard]] std::string caps_verification(const proto::DiscoInfo& info);

/// Finds out what members can do. Nearly all clients of a storm are the same build, so an answer is
/// shared by everybody with the same capabilities hash, after the hash was verified (XEP-0115 5.4):
/// nobody can make others appear to lack a feature. Questions for one hash are asked once at a
/// time. Bounded: the cache starts over when it is full.
class MemberFeatures {
 public:
  struct Member {
    ConferenceId conference{0};
    ParticipantId participant{0};
    OccupantJid occupant;
    std::optional<proto::Caps> caps;
  };
  struct Found {
    ConferenceId conference{0};
    ParticipantId participant{0};
    Features features;
  };

  static constexpr std::size_t kCacheMax = 1024;

  /// The features, when they are known already; otherwise they come from `on_answer`.
  std::optional<Features> find_or_ask(const Member& member, Turn& turn);

  /// kMemberDisco. Whom the answer settles; features are assumed when there was no usable answer.
  std::vector<Found> on_answer(const IqNote& note, const IqOutcome& outcome, Turn& turn);

  /// By "node#ver", with how many had them.
  [[nodiscard]] const std::map<std::string, CapsSeen>& known() const { return known_; }

 private:
  void ask(const Member& member, const std::string& key, Turn& turn);

  std::map<std::string, CapsSeen> known_;               // By "node#ver".
  std::map<std::string, std::vector<Member>> waiting_;  // Others with the same hash.
};

}  // namespace bascule::focus
