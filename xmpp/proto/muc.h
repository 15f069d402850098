#pragma once

// XEP-0045: presence in a room, with what Jitsi clients (lib-jitsi-meet: ChatRoom.ts), bridges
// (Jitsi Videobridge: XmppConnection.kt) and the focus (Jicofo: ChatRoomImpl.kt) add to it.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/jid.h"
#include "base/result.h"
#include "xmpp/proto/colibri_stats.h"
#include "xmpp/proto/disco.h"
#include "xmpp/proto/source.h"
#include "xmpp/proto/stanza_error.h"
#include "xmpp/xml/element.h"

namespace bascule::proto {

inline constexpr std::string_view kMucNamespace = "http://jabber.org/protocol/muc";
inline constexpr std::string_view kMucUserNamespace = "http://jabber.org/protocol/muc#user";

enum class Affiliation { kNone, kOutcast, kMember, kAdmin, kOwner };
enum class Role { kNone, kVisitor, kParticipant, kModerator };

std::string_view to_string(Affiliation affiliation);
std::string_view to_string(Role role);

/// Status codes (XEP-0045 15.6) the focus looks at.
inline constexpr int kStatusConfigurationChanged = 104;
inline constexpr int kStatusSelfPresence = 110;
inline constexpr int kStatusRoomCreated = 201;
inline constexpr int kStatusBanned = 301;
inline constexpr int kStatusKicked = 307;
inline constexpr int kStatusServiceShutdown = 332;

enum class PresenceType { kAvailable, kUnavailable, kError };

/// `<x xmlns='http://jabber.org/protocol/muc'/>`: asks to enter (or to be sent everything again).
struct MucJoin {
  std::optional<std::string> password;
  std::optional<int> history_max_stanzas;  ///< 0 asks for no history.
  friend bool operator==(const MucJoin&, const MucJoin&) = default;
};

struct MucItem {
  Affiliation affiliation = Affiliation::kNone;
  Role role = Role::kNone;
  std::optional<Jid> jid;           ///< Real address, when the receiver may see it.
  std::optional<std::string> nick;  ///< With status 303: the new nick.
  std::optional<std::string> reason;
  std::optional<std::string> actor;  ///< Nick or address of who did it.
  friend bool operator==(const MucItem&, const MucItem&) = default;
};

struct MucDestroyed {
  std::optional<std::string> reason;
  std::optional<Jid> alternate;
  friend bool operator==(const MucDestroyed&, const MucDestroyed&) = default;
};

/// What a Jitsi client says about itself. Fields the focus does not read are not kept.
struct ParticipantInfo {
  std::optional<std::string> nick;  ///< XEP-0172.
  std::optional<std::string> stats_id;
  std::optional<std::string> region;              ///< `jitsi_participant_region`
  std::optional<std::string> codec_list;          ///< `jitsi_participant_codecList`, comma list
  std::optional<std::string> codec_type;          ///< `jitsi_participant_codecType`, legacy
  std::optional<bool> diarize;                    ///< `jitsi_participant_diarize`
  std::optional<bool> audio_muted;                ///< `audiomuted`
  std::optional<bool> video_muted;                ///< `videomuted`
  std::optional<std::string> source_info;         ///< `SourceInfo`, JSON text as received
  std::optional<std::set<std::string>> features;  ///< `features/feature@var`
  std::optional<bool> robot;                      ///< `userInfo@robot`
  std::optional<std::string> status;              ///< Text of `<status/>`
  friend bool operator==(const ParticipantInfo&, const ParticipantInfo&) = default;
};

/// What the focus says in a conference room (Jicofo: ConferencePropertiesPacketExtension).
struct FocusInfo {
  std::optional<std::string> etherpad;          ///< Document name.
  std::map<std::string, std::string> versions;  ///< Component name to version.
  std::map<std::string, std::string> conference_properties;
  bool bridge_not_available = false;
  friend bool operator==(const FocusInfo&, const FocusInfo&) = default;
};

struct MucPresence {
  Jid from;  ///< Empty: absent.
  Jid to;    ///< Empty: absent.
  std::optional<std::string> id;
  PresenceType type = PresenceType::kAvailable;
  std::optional<MucJoin> join;
  std::vector<int> statuses;
  std::vector<MucItem> items;
  std::optional<MucDestroyed> destroy;
  std::optional<StanzaError> error;  ///< Exactly when type is kError.
  std::optional<Caps> caps;
  ParticipantInfo participant;
  FocusInfo focus;
  std::optional<ColibriStats> colibri_stats;
  friend bool operator==(const MucPresence&, const MucPresence&) = default;

  [[nodiscard]] bool has_status(int status) const;
  /// The receiver's own presence (status 110).
  [[nodiscard]] bool is_self() const { return has_status(kStatusSelfPresence); }
};

/// The `<presence/>` stanza.
xml::Element encode(const MucPresence& presence);
/// Errors: kMalformed for a type other than absent, unavailable and error, a malformed address,
/// affiliation, role or status code.
Result<MucPresence> decode_muc_presence(const xml::Element& presence);

/// One entry of `SourceInfo` (lib-jitsi-meet: SignalingLayerImpl.ts).
struct SourceState {
  bool muted = true;  ///< Absent means muted.
  std::optional<VideoType> video_type;
  friend bool operator==(const SourceState&, const SourceState&) = default;
};
/// Source name to state. Errors: kMalformed when the text is no JSON object of objects.
Result<std::map<std::string, SourceState>> decode_source_info(std::string_view json);
std::string encode_source_info(const std::map<std::string, SourceState>& sources);

}  // namespace bascule::proto
