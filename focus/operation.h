#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/jid.h"
#include "base/result.h"
#include "base/stress.h"
#include "base/time.h"

namespace bascule::focus {

// Every durable change of a conference is one of the operations below. The core emits them as
// actions; the store appends them to its log; `Tables` (focus/tables.h) are what they add up to,
// and a new Focus is built from tables. So an operation says what *is* now ("the sid is x"), never
// a difference ("one more"): applying one twice is the same as applying it once.

enum class MediaKind : std::uint8_t { kAudio = 0, kVideo = 1 };
enum class ParticipantRole : std::uint8_t { kVisitor = 0, kParticipant = 1, kModerator = 2 };
enum class ParticipantKind : std::uint8_t {
  kUser = 0,
  kVisitor = 1,
  kJibri = 2,
  kJigasi = 3,
  kTranscriber = 4,
};
enum class JingleState : std::uint8_t { kPending = 0, kActive = 1, kEnded = 2 };

/// One media source as the store knows it (jitsi-meet `source-add`; XEP-0339).
struct SourceRecord {
  Ssrc ssrc{1};
  MediaKind media = MediaKind::kAudio;
  std::string name;        ///< Source name, may be empty for an old client.
  std::string video_type;  ///< `camera`, `desktop` or empty.
  std::string msid;        ///< Empty when the client gave none.
  bool injected = false;   ///< Made by the focus, not sent by the client.
  friend bool operator==(const SourceRecord&, const SourceRecord&) = default;
};

/// XEP-0339 `ssrc-group`: order of `ssrcs` matters.
struct SourceGroupRecord {
  std::string semantics;
  MediaKind media = MediaKind::kVideo;
  std::vector<Ssrc> ssrcs;
  friend bool operator==(const SourceGroupRecord&, const SourceGroupRecord&) = default;
};

namespace op {

/// A conference begins. Replaces whatever was known of the room. `meeting_id` is never regenerated.
struct ConferenceCreate {
  RoomJid room;
  std::string meeting_id;
  WallTime created{};
  std::map<std::string, std::string> properties;  ///< Of the conference request.
  bool rtcstats = false;
  bool start_audio_muted = false;
  bool start_video_muted = false;
  friend bool operator==(const ConferenceCreate&, const ConferenceCreate&) = default;
};
/// Absent fields stay as they are. A property set to the empty string is removed.
struct ConferenceSet {
  RoomJid room;
  std::map<std::string, std::string> properties;
  std::optional<bool> rtcstats;
  std::optional<bool> start_audio_muted;
  std::optional<bool> start_video_muted;
  friend bool operator==(const ConferenceSet&, const ConferenceSet&) = default;
};
/// Who may unmute `media` while a moderator restricts it. Replaces what was known of that medium.
struct ModerationSet {
  RoomJid room;
  std::string media;  ///< `audio`, `video` or `desktop`.
  bool enabled = false;
  std::vector<std::string> allowed;  ///< Occupants, ascending.
  friend bool operator==(const ModerationSet&, const ModerationSet&) = default;
};
/// The conference and everything below it is gone.
struct ConferenceEnd {
  RoomJid room;
  std::string reason;
  friend bool operator==(const ConferenceEnd&, const ConferenceEnd&) = default;
};

/// A participant came. Replaces whatever was known of the same endpoint id.
struct ParticipantAdd {
  RoomJid room;
  OccupantJid occupant;  ///< Its resource is the endpoint id.
  std::optional<Jid> real_jid;
  std::string stats_id;
  std::string region;
  std::vector<std::string> features;  ///< As resolved at join; order kept.
  ParticipantRole role = ParticipantRole::kParticipant;
  ParticipantKind kind = ParticipantKind::kUser;
  WallTime joined{};
  bool audio_muted = false;
  bool video_muted = false;
  friend bool operator==(const ParticipantAdd&, const ParticipantAdd&) = default;
};
/// Absent fields stay as they are.
struct ParticipantSet {
  RoomJid room;
  EndpointId endpoint{""};
  std::optional<std::string> stats_id;
  std::optional<std::string> region;
  std::optional<std::vector<std::string>> features;
  std::optional<ParticipantRole> role;
  std::optional<bool> audio_muted;
  std::optional<bool> video_muted;
  friend bool operator==(const ParticipantSet&, const ParticipantSet&) = default;
};
/// A participant left: its Jingle session, endpoint and sources go with it.
struct ParticipantRemove {
  RoomJid room;
  EndpointId endpoint{""};
  friend bool operator==(const ParticipantRemove&, const ParticipantRemove&) = default;
};

/// The Jingle session of a participant. `generation` counts invitations from 0.
struct JingleSet {
  RoomJid room;
  EndpointId endpoint{""};
  std::string sid;
  std::uint32_t generation = 0;
  JingleState state = JingleState::kPending;
  /// What the client said of its ICE and DTLS when it accepted, as XML: the bridge may not have
  /// been told.
  std::string transport;
  friend bool operator==(const JingleSet&, const JingleSet&) = default;
};

/// The conference uses a bridge; at most one session per bridge and conference.
struct BridgeSessionAdd {
  RoomJid room;
  BridgeJid bridge;
  std::string meeting_id;         ///< colibri2 `meeting-id`.
  std::string bridge_session_id;  ///< Told to clients (jitsi-meet `bridge-session`).
  std::string relay_id;           ///< Empty when the bridge has none.
  std::string region;
  std::string version;
  bool created = false;  ///< The bridge confirmed the conference.
  std::vector<SourceRecord> feedback_sources;
  std::vector<std::string> relays;  ///< Ids of the relays that may be on it.
  std::vector<std::string> links;   ///< Those of links that are established.
  friend bool operator==(const BridgeSessionAdd&, const BridgeSessionAdd&) = default;
};
/// The endpoints placed on it lose their place.
struct BridgeSessionRemove {
  RoomJid room;
  BridgeJid bridge;
  friend bool operator==(const BridgeSessionRemove&, const BridgeSessionRemove&) = default;
};

/// The participant's endpoint is (being) allocated on `bridge`.
struct EndpointSet {
  RoomJid room;
  EndpointId endpoint{""};
  BridgeJid bridge;
  bool audio_force_muted = false;
  bool video_force_muted = false;
  friend bool operator==(const EndpointSet&, const EndpointSet&) = default;
};
struct EndpointRemove {
  RoomJid room;
  EndpointId endpoint{""};
  friend bool operator==(const EndpointRemove&, const EndpointRemove&) = default;
};

/// Adds or replaces sources (by SSRC) and groups (by equality).
struct SourcesAdd {
  RoomJid room;
  EndpointId owner{""};
  std::vector<SourceRecord> sources;
  std::vector<SourceGroupRecord> groups;
  friend bool operator==(const SourcesAdd&, const SourcesAdd&) = default;
};
struct SourcesRemove {
  RoomJid room;
  EndpointId owner{""};
  std::vector<Ssrc> ssrcs;
  std::vector<SourceGroupRecord> groups;
  friend bool operator==(const SourcesRemove&, const SourcesRemove&) = default;
};

/// `owner` had these sources until just now, and `receivers` know no others yet. Of a receiver for
/// which that is pending already nothing changes: what counts is what it was told last.
struct SourcesPending {
  RoomJid room;
  EndpointId owner{""};
  std::vector<SourceRecord> sources;
  std::vector<SourceGroupRecord> groups;
  std::vector<EndpointId> receivers;
  friend bool operator==(const SourcesPending&, const SourcesPending&) = default;
};
/// These know the sources of everybody as they are now. So does, without this operation, who is
/// offered a session; and whose session ended is told nothing (JingleSet, ParticipantRemove).
struct SourcesTold {
  RoomJid room;
  std::vector<EndpointId> receivers;
  friend bool operator==(const SourcesTold&, const SourcesTold&) = default;
};

/// An endpoint was placed on a bridge. Found in older files only: `Decision` says more.
struct Placement {
  Instant at{};  ///< First: placements are ordered by time.
  BridgeJid bridge;
  RoomJid room;
  EndpointId endpoint{""};
  friend auto operator<=>(const Placement&, const Placement&) = default;
};

/// An outbound IQ waits for its answer.
struct PendingSet {
  StreamId stream = StreamId::kClient;
  std::string stanza_id;
  std::string kind;  ///< What the sender wants to remember; opaque to the store.
  RoomJid room;      ///< May be empty.
  EndpointId endpoint{""};
  BridgeJid bridge;  ///< May be empty.
  Instant deadline{};
  friend bool operator==(const PendingSet&, const PendingSet&) = default;
};
struct PendingRemove {
  StreamId stream = StreamId::kClient;
  std::string stanza_id;
  friend bool operator==(const PendingRemove&, const PendingRemove&) = default;
};

/// A stream with XEP-0198 was (re-)established. A changed `resume_id` forgets counters and outbox.
struct LinkSet {
  StreamId stream = StreamId::kClient;
  Jid bare;
  std::string resource;
  std::string resume_id;  ///< XEP-0198 `id`; empty: not resumable.
  Duration resume_max{};
  WallTime established{};
  friend bool operator==(const LinkSet&, const LinkSet&) = default;
};
/// XEP-0198 `h` that we may claim.
struct InboundHandled {
  StreamId stream = StreamId::kClient;
  std::uint64_t handled = 0;
  friend bool operator==(const InboundHandled&, const InboundHandled&) = default;
};
/// A stanza that the peer has not acknowledged.
struct OutboundPush {
  StreamId stream = StreamId::kClient;
  std::uint64_t index = 0;
  std::string stanza_id;
  std::string xml;
  friend bool operator==(const OutboundPush&, const OutboundPush&) = default;
};
/// Every pushed stanza up to and including `acknowledged` arrived.
struct OutboundAck {
  StreamId stream = StreamId::kClient;
  std::uint64_t acknowledged = 0;
  friend bool operator==(const OutboundAck&, const OutboundAck&) = default;
};

/// A process took over on the machine boot named here: with another boot every Instant kept is
/// meaningless, so placements and pending IQs are forgotten, and what was learned keeps its wall
/// time only. Written by the store itself.
struct Started {
  std::string boot_id;
  friend bool operator==(const Started&, const Started&) = default;
};

/// Free text for the audit log; changes no table.
struct Note {
  std::string text;
  friend bool operator==(const Note&, const Note&) = default;
};

/// What was learned of a bridge (Placement::bridge_memory). Replaces what was known of it.
///
/// Durations are as of the moment it was written, which is told by both clocks: the monotonic one
/// counts as long as the machine runs, the other one after a reboot (focus/memory_records.h).
struct BridgeLearned {
  BridgeJid bridge;
  Instant at{};  ///< Zero when another boot wrote it.
  WallTime wall{};
  Stress cost;  ///< Per load unit.
  Stress deviation;
  Stress capacity;
  std::uint32_t confirmations = 0;
  std::uint32_t failures = 0;
  Duration last_failure_age{};
  Duration quarantine_left{};
  Duration age{};  ///< Since it was heard of; zero while it is present.
  std::optional<std::string> version, region;
  friend bool operator==(const BridgeLearned&, const BridgeLearned&) = default;
};
/// A conference ended: where it was and how large. Replaces what was known of the room.
struct RoomSeen {
  RoomJid room;
  Instant at{};  ///< Zero when another boot wrote it.
  WallTime wall{};
  BridgeJid bridge;
  std::int64_t size = 0;  ///< Its largest.
  Duration age{};         ///< Since its last participant left that bridge.
  friend bool operator==(const RoomSeen&, const RoomSeen&) = default;
};

/// A ticket was served, or has been waiting for long, and the figures of its bridge on which that
/// rests (DecisionRecord; focus/placement.h explains them). Names of rules are as in the log.
struct Decision {
  WallTime at{};
  std::uint64_t number = 0;  ///< Within one process.
  RoomJid room;
  EndpointId endpoint{""};
  std::string kind;                 ///< Of the ticket.
  std::string ticket_class;         ///< Likewise.
  std::optional<BridgeJid> bridge;  ///< Absent: it had to wait.
  std::string reason;               ///< The rule that placed it, or why it waits.
  Duration waited{};
  Stress expected, limit, reported, reserved, cost_per_unit, capacity;
  std::int64_t load = 0, unaccounted = 0;  ///< Thousandths of a unit.
  Duration report_age{};                   ///< Negative: no report yet.
  std::uint32_t in_flight = 0;
  std::int64_t people = 0;       ///< Of the conference, before.
  std::uint32_t candidates = 0;  ///< Bridges that took new conferences.
  std::uint32_t looked_at = 0;
  bool settling = false, fleet_full = false;
  friend bool operator==(const Decision&, const Decision&) = default;
};

/// The operator's drain of a bridge. Replaces what was known of it.
struct BridgeDrain {
  BridgeJid bridge;
  bool drained = false;  ///< False: it ended.
  bool evacuate = false;
  std::string reason, by;
  WallTime since{};
  friend bool operator==(const BridgeDrain&, const BridgeDrain&) = default;
};
/// Only bridges of `version` for the conference. Replaces what was known of the room.
struct PinSet {
  RoomJid room;
  std::string version;  ///< Empty: any.
  WallTime until{};
  std::string by;
  friend bool operator==(const PinSet&, const PinSet&) = default;
};
/// Somebody changed something by hand.
struct AuditEntry {
  WallTime at{};
  std::uint64_t number = 0;  ///< Within one process.
  std::string by, what, target, before, after;
  friend bool operator==(const AuditEntry&, const AuditEntry&) = default;
};

}  // namespace op

/// The wire code of an alternative (see `code_of`) is its index + 1: append only, never reorder.
using Operation =
    std::variant<op::ConferenceCreate, op::ConferenceSet, op::ConferenceEnd, op::ParticipantAdd,
                 op::ParticipantSet, op::ParticipantRemove, op::JingleSet, op::BridgeSessionAdd,
                 op::BridgeSessionRemove, op::EndpointSet, op::EndpointRemove, op::SourcesAdd,
                 op::SourcesRemove, op::Placement, op::PendingSet, op::PendingRemove, op::LinkSet,
                 op::InboundHandled, op::OutboundPush, op::OutboundAck, op::Started, op::Note,
                 op::BridgeLearned, op::RoomSeen, op::Decision, op::ModerationSet,
                 op::SourcesPending, op::SourcesTold, op::BridgeDrain, op::PinSet, op::AuditEntry>;

/// Longest encoded operation accepted back, bytes; a stanza is at most 512 KiB.
inline constexpr std::size_t kOperationBytesMax = std::size_t{1} << 20U;

/// The number stored beside the payload.
[[nodiscard]] std::uint16_t code_of(const Operation& operation);
/// Name for logs, e.g. `conference_create`; views static storage.
[[nodiscard]] std::string_view name_of(const Operation& operation);

/// CBOR (RFC 8949, definite lengths only): a map of the fields that differ from their default.
/// Equal operations give equal bytes. Invalid UTF-8 in a text is replaced by U+FFFD.
[[nodiscard]] std::vector<std::uint8_t> encode(const Operation& operation);

/// Errors: kCorrupt for an unknown code, bytes that are not such CBOR, a field of the wrong type or
/// out of its range, a missing address. Unknown fields are ignored (a newer version wrote them).
/// Never throws; memory and time are bounded by the size of `payload`.
Result<Operation> decode(std::uint16_t code, std::string_view payload);

}  // namespace bascule::focus
