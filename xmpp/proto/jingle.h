#pragma once

// XEP-0166 (Jingle), XEP-0167 (RTP), XEP-0338 (grouping), with Jitsi's extensions
// (Jicofo: JingleOfferFactory.java, JingleSession.kt; lib-jitsi-meet: JingleSessionPC.js).

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/jid.h"
#include "base/result.h"
#include "xmpp/proto/ice_udp.h"
#include "xmpp/proto/jitsi_meet_json.h"
#include "xmpp/proto/rtp.h"
#include "xmpp/proto/source.h"
#include "xmpp/proto/stanza_error.h"
#include "xmpp/xml/element.h"

namespace bascule::proto {

inline constexpr std::string_view kJingleNamespace = "urn:xmpp:jingle:1";
inline constexpr std::string_view kJingleErrorsNamespace = "urn:xmpp:jingle:errors:1";

enum class JingleAction {
  kUnknown,  ///< Not in XEP-0166 nor one of Jitsi's; `Jingle::unknown_action` has the text.
  kContentAccept,
  kContentAdd,
  kContentModify,
  kContentReject,
  kContentRemove,
  kDescriptionInfo,
  kSecurityInfo,
  kSessionAccept,
  kSessionInfo,
  kSessionInitiate,
  kSessionTerminate,
  kSourceAdd,     ///< Also read from the old spelling "addsource".
  kSourceRemove,  ///< Also read from the old spelling "removesource".
  kTransportAccept,
  kTransportInfo,
  kTransportReject,
  kTransportReplace,
};

/// The wire name; "unknown" for kUnknown.
std::string_view to_string(JingleAction action);

enum class Creator { kInitiator, kResponder };
enum class Senders { kBoth, kInitiator, kNone, kResponder };

struct RtpDescription {
  MediaType media = MediaType::kAudio;
  std::optional<std::uint32_t> maxptime;  ///< Milliseconds.
  std::vector<PayloadType> payload_types;
  std::vector<RtpHeaderExtension> header_extensions;
  bool extmap_allow_mixed = false;
  bool rtcp_mux = false;
  std::vector<Source> sources;
  std::vector<SourceGroup> source_groups;
  friend bool operator==(const RtpDescription&, const RtpDescription&) = default;
};

struct Content {
  std::optional<Creator> creator;
  std::string name;
  std::optional<Senders> senders;
  /// Sources that stand directly under `<content/>` are read into it; when there is no
  /// `<description/>`, its media is the content's name.
  std::optional<RtpDescription> description;
  std::optional<IceUdpTransport> transport;
  std::optional<int> initial_last_n;
  friend bool operator==(const Content&, const Content&) = default;
};

struct ContentGroup {
  std::string semantics;  ///< "BUNDLE"
  std::vector<std::string> contents;
  friend bool operator==(const ContentGroup&, const ContentGroup&) = default;
};

/// XEP-0166 7.4.
enum class ReasonCondition {
  kAlternativeSession,
  kBusy,
  kCancel,
  kConnectivityError,
  kDecline,
  kExpired,
  kFailedApplication,
  kFailedTransport,
  kGeneralError,
  kGone,
  kIncompatibleParameters,
  kMediaError,
  kSecurityError,
  kSuccess,
  kTimeout,
  kUndefined,  ///< Also for a condition not in this list, or none.
  kUnsupportedApplications,
  kUnsupportedTransports,
};

std::string_view to_string(ReasonCondition condition);

struct JingleReason {
  ReasonCondition condition = ReasonCondition::kUndefined;
  std::string text;  ///< Empty: none.
  friend bool operator==(const JingleReason&, const JingleReason&) = default;
};

/// Which (conference, bridge) session an offer belongs to; the client echoes the id.
struct BridgeSession {
  std::optional<std::string> id;
  std::optional<std::string> region;
  bool restart = false;      ///< In session-terminate: asks for a new invite.
  bool ice_restart = false;  ///< In session-info: asks for an ICE restart in place.
  friend bool operator==(const BridgeSession&, const BridgeSession&) = default;
};

struct StartMuted {
  bool audio = false;
  bool video = false;
  friend bool operator==(const StartMuted&, const StartMuted&) = default;
};

/// The sources of one source-add or source-remove that goes to many: encoded once.
struct SharedSources {
  std::vector<Content> contents;  ///< XML form; empty in the other.
  std::optional<JsonMessage> json_message;
  std::shared_ptr<const std::string> xml;  ///< Both as children of `<jingle/>`.
};
/// Encodes them. Cost: that of one message.
std::shared_ptr<const SharedSources> share_sources(std::vector<Content> contents,
                                                   std::optional<JsonMessage> json_message);

struct Jingle {
  /// Absent attribute: kUnknown with an empty `unknown_action`.
  JingleAction action = JingleAction::kUnknown;
  std::string unknown_action;
  std::string sid;
  std::optional<Jid> initiator;
  std::optional<Jid> responder;
  std::vector<Content> contents;
  std::optional<ContentGroup> group;
  std::optional<StartMuted> start_muted;
  std::optional<BridgeSession> bridge_session;
  std::optional<JsonMessage> json_message;
  std::optional<std::string> ice_state;  ///< `<ice-state/>`, lower case: "failed" from old clients.
  std::optional<JingleReason> reason;
  /// Instead of `contents` and `json_message`, when sending; never made by decoding.
  std::shared_ptr<const SharedSources> shared = nullptr;
  /// What is wrong with it, of make_malformed_jingle; action and sid are all that is known then.
  std::optional<std::string> malformed;
  friend bool operator==(const Jingle&, const Jingle&) = default;

  // What it carries, wherever that is.
  [[nodiscard]] const std::vector<Content>& all_contents() const {
    return shared ? shared->contents : contents;
  }
  [[nodiscard]] const std::optional<JsonMessage>& json() const {
    return shared ? shared->json_message : json_message;
  }
};

bool is_jingle(const xml::Element& element);
/// The `<jingle/>` element.
xml::Element encode(const Jingle& jingle);
/// Errors: kMalformed when the sid is missing or empty, or any known part is out of range.
Result<Jingle> decode_jingle(const xml::Element& jingle);

/// Of a jingle that decode_jingle refuses but that names its session: who gets it can answer in the
/// order of its checks (unknown session before malformed content), and clean up.
std::optional<Jingle> make_malformed_jingle(const xml::Element& jingle, std::string what);

/// `item-not-found` with `<unknown-session/>` (XEP-0166 10): the one condition clients expect for
/// a session that has ended.
StanzaError make_unknown_session_error();
/// `unexpected-request` with `<out-of-order/>` (XEP-0166 10).
StanzaError make_out_of_order_error(std::string text);
/// True when the error has `<unknown-session/>`.
bool is_unknown_session(const StanzaError& error);

/// The sources of all contents, by media type; anything but audio and video is left out.
EndpointSources collect_sources(const std::vector<Content>& contents);
/// Contents "audio" and "video" with the sources (owner set) of the map, for source-add and
/// source-remove to participants that cannot read JSON. Media types without sources are left out.
std::vector<Content> make_source_contents(const SourceMap& sources);

}  // namespace bascule::proto
