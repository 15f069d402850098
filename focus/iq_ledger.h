#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/jid.h"
#include "base/time.h"

namespace bascule::focus {

/// Our own numbers: they never repeat, so that late news of what is gone reaches nobody.
using ConferenceId = Strong<struct ConferenceIdTag, std::uint64_t>;
using ParticipantId = Strong<struct ParticipantIdTag, std::uint64_t>;

/// Why we sent an IQ: who gets the answer.
enum class IqPurpose : std::uint8_t {
  kRoomProbe,      ///< Does the room still exist?
  kSelfPing,       ///< Are we still in the room?
  kRoomForm,       ///< Configuration form of a room.
  kRoomConfigure,  ///< Submit of that form.
  kMemberDisco,    ///< Features of a member.
  kGrantOwner,
  kBridge,         ///< colibri2 request of a conference.
  kCleanup,        ///< Expire of a bridge conference that nobody owns.
  kInvite,         ///< session-initiate.
  kJingle,         ///< Jingle whose answer changes nothing: terminate, source-add, source-remove.
  kHealth,         ///< Health check of a bridge.
  kPubsub,         ///< Care of the node with bridge stats.
  kPubsubPublish,  ///< A report of ours to that node.
  kMute,           ///< Tells a client to mute; nobody waits for its answer.
  kServices,       ///< Which components the server has.
  kProxyFence,     ///< Told only after mod_client_proxy has our presence.
};

/// The same for metrics: who is asked for what sort of thing.
enum class IqKind : std::uint8_t {
  kRoom,    ///< The server's rooms: probes, configuration, rights.
  kDisco,   ///< What a client or the server can do.
  kBridge,  ///< colibri2.
  kHealth,
  kInvite,  ///< session-initiate: until the client has it.
  kJingle,  ///< Everything else told to clients.
  kPubsub,
  kProxy,
};
inline constexpr std::size_t kIqKindCount = 8;
[[nodiscard]] IqKind kind_of(IqPurpose purpose);
[[nodiscard]] std::string_view name_of(IqKind kind);

/// What the sender has to remember; unused fields keep their default.
struct IqNote {
  IqPurpose purpose;
  StreamId stream;
  ConferenceId conference{0};
  ParticipantId participant{0};
  std::uint64_t generation = 0;  ///< Of the participant's invitation, or a number of the sender's.
  BridgeJid bridge;
  std::string text;  ///< Caps key, meeting id.
  Instant sent{};    ///< Set by Turn::send_iq.
};

/// The IQs we sent and whose answer is outstanding. The number is bounded by the session, which
/// answers what it cannot send (xmpp::Session).
class IqLedger {
 public:
  RequestId open(IqNote note);
  /// nullopt when nothing is outstanding under this number.
  std::optional<IqNote> close(RequestId request);
  [[nodiscard]] std::size_t size() const { return notes_.size(); }

 private:
  std::uint64_t last_ = 0;
  std::map<RequestId, IqNote> notes_;
};

}  // namespace bascule::focus
