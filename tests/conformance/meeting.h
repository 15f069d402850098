#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "focus/link.h"
#include "statement.h"
#include "tests/unit/focus/stage.h"
#include "words.h"

namespace bascule::conformance {

using focus::ParticipantState;
using focus::Stage;
using ClientMood = Stage::ClientMood;
using BridgeMood = Stage::BridgeMood;
using proto::Condition;
using proto::JingleAction;
using std::chrono::milliseconds;
using std::chrono::seconds;

inline const std::string kRoom = "tea";
inline const std::string kMeetingId = "meeting-tea";

// Features as disco#info says them.
inline const std::string kAudioFeature = "urn:xmpp:jingle:apps:rtp:audio";
inline const std::string kVideoFeature = "urn:xmpp:jingle:apps:rtp:video";
inline const std::string kSctpFeature = "urn:xmpp:jingle:transports:dtls-sctp:1";
inline const std::string kRtxFeature = "urn:ietf:rfc:4588";
inline const std::string kTccFeature = "http://jitsi.org/tcc";
inline const std::string kRembFeature = "http://jitsi.org/remb";
inline const std::string kRedFeature = "http://jitsi.org/opus-red";
inline const std::string kJsonFeature = "http://jitsi.org/json-encoded-sources";
inline const std::string kRewritingFeature = "http://jitsi.org/ssrc-rewriting-1";
/// A web client of today that is told of sources by Jingle.
inline const std::vector<std::string> kWeb = {kAudioFeature, kVideoFeature, kSctpFeature,
                                              kRtxFeature,   kTccFeature,   kRembFeature,
                                              kJsonFeature};
std::vector<std::string> without(std::vector<std::string> features, const std::string& feature);
std::vector<std::string> with(std::vector<std::string> features, const std::string& feature);

/// How one request of a client was answered.
struct Reply {
  std::size_t count = 0;  ///< Answers with its id; always to be 1.
  bool is_result = false;
  proto::StanzaError error;
};

/// The whole focus with one room, scripted clients that speak XML, and scripted bridges. Clients
/// acknowledge offers but accept them only when told to.
class Meeting : public ::testing::Test {
 protected:
  Meeting();
  ~Meeting() override;

  /// Starts afresh with these options; `seed` is that of the focus.
  void start(focus::Options options, std::uint64_t seed = 1);
  /// Creates the room (once) and lets somebody in.
  void enter(const std::string& nick, const std::vector<std::string>& features = kWeb,
             ClientMood mood = ClientMood::kIgnores);
  /// Everybody enters, gets an offer and accepts it without sources.
  void meet(const std::vector<std::string>& nicks, const std::vector<std::string>& features = kWeb);
  /// Accepts the open offer with these sources.
  Reply accept(const std::string& nick, const std::vector<Word>& words = {});
  Reply add(const std::string& nick, const std::vector<Word>& words);
  Reply remove(const std::string& nick, const std::vector<Word>& words);
  /// A session-terminate with the current session and bridge session.
  Reply terminate(const std::string& nick, bool restart);
  /// Sends a `<jingle/>` as this occupant of the room, through the codecs. Does not wait.
  std::string send(const std::string& nick, const std::string& jingle_xml);
  /// ... and lets pass what happens at this moment.
  Reply ask(const std::string& nick, const std::string& jingle_xml);
  [[nodiscard]] Reply reply_to(const std::string& id) const;
  void settle() { stage().advance({}); }

  // What was sent to a client, in order.
  [[nodiscard]] std::vector<proto::Jingle> told(const std::string& nick) const;
  [[nodiscard]] std::vector<proto::Jingle> told(const std::string& nick, JingleAction action) const;
  [[nodiscard]] std::size_t count(const std::string& nick, JingleAction action) const;
  /// The last offer; fails the test when there is none.
  [[nodiscard]] proto::Jingle offer(const std::string& nick) const;
  [[nodiscard]] xml::Element offer_xml(const std::string& nick) const;
  [[nodiscard]] const proto::Content* content(const proto::Jingle& offer,
                                              const std::string& name) const;
  /// The JSON of what was announced since `forget`, one line per message, with + or - in front.
  [[nodiscard]] std::vector<std::string> announced(const std::string& nick) const;
  void forget() { from_ = stage().sent.size(); }
  /// Position in `stage().sent` of the first stanza from `start` on that fits; size() when none.
  template <class Fits>
  [[nodiscard]] std::size_t position(Fits fits, std::size_t start = 0) const {
    std::size_t index = start;
    while (index < stage_->sent.size() && !fits(stage_->sent[index])) {
      ++index;
    }
    return index;
  }
  /// Every request about this endpoint to a bridge, from `from_` on.
  [[nodiscard]] std::vector<proto::Endpoint> bridge_told(const std::string& nick) const;
  [[nodiscard]] std::string sid(const std::string& nick) { return client(nick).sid; }

  Stage& stage() { return *stage_; }
  [[nodiscard]] const Stage& stage() const { return *stage_; }
  Stage::Client& client(const std::string& nick) { return stage_->client(kRoom, nick); }
  [[nodiscard]] ParticipantState state(const std::string& nick) const {
    return stage_->state_of(kRoom, nick);
  }
  Stage::Bridge& bridge() { return stage_->bridges.at("jvb1"); }
  [[nodiscard]] bool on_bridge(const std::string& nick);
  // Mutes, moderation and senders.
  /// Options with which the focus knows the components of its server and a domain of recorders.
  [[nodiscard]] static focus::Options moderated_options();
  void promote(const std::string& nick);
  /// A recorder of the trusted domain enters.
  void enter_recorder(const std::string& nick);
  void switch_on(const std::string& media, const std::string& actor);
  void allow(const std::string& media, const std::string& nick);
  /// What presence says of somebody's microphone and camera.
  void sends(const std::string& nick, bool audio, bool video);
  /// What the bridge was told last to drop of an endpoint; nullopt: never anything.
  [[nodiscard]] std::optional<proto::ForceMute> forced(const std::string& nick) const;
  /// A conference property in the focus's last presence.
  [[nodiscard]] std::optional<std::string> property(const std::string& name) const;
  std::map<std::string, std::string> request_properties;  ///< Of the conference request.

 private:
  std::unique_ptr<Stage> stage_;
  std::unique_ptr<focus::Link> link_;
  std::vector<xml::Element> replies_;  // Of the link itself.
  std::size_t from_ = 0;
  std::uint64_t last_id_ = 0;
};

// One suite per section of docs/conformance.md.
class Offer : public Meeting {};
class Session : public Meeting {};
class Sources : public Meeting {};
class Mute : public Meeting {};

/// To whom a stanza went, when it is a Jingle request of this action to this occupant.
[[nodiscard]] bool is_jingle_to(const Stage::Sent& sent, const std::string& nick,
                                JingleAction action);
[[nodiscard]] bool is_answer(const Stage::Sent& sent, const std::string& id);
/// A request to a bridge that creates or expires this endpoint.
[[nodiscard]] bool is_create(const Stage::Sent& sent, const std::string& endpoint);
[[nodiscard]] bool is_expire(const Stage::Sent& sent, const std::string& endpoint);

/// SSRC numbers a request gives to the bridge.
using Ssrcs = std::vector<std::uint32_t>;
Ssrcs ssrcs_of(const proto::Endpoint& endpoint);

}  // namespace bascule::conformance
