#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/prng.h"
#include "tests/peers/common/timer.h"
#include "xmpp/xml/element.h"

namespace bascule::peers {

/// What a bridge says about itself in transports: constant for the life of the process.
struct BridgeIdentity {
  int id = 0;
  std::string nick;
  std::string ip;
  int port = 10000;    ///< Different for each bridge, so that a client can tell them apart.
  bool media = false;  ///< Endpoints are there only while media_arrived is called for them.
  std::string fingerprint;
  std::string relay_id;  ///< Under which other bridges know it; empty: relays are off.
};

/// Of one side of an ICE transport.
struct IceCredentials {
  std::string ufrag;
  std::string pwd;
};

/// One participant allocated on the bridge.
struct BridgeEndpoint {
  bool visitor = false;
  bool sends = false;  ///< Has at least one video source.
  bool has_transport = false;
  int ice_generation = 0;
  SteadyTime created;
  IceCredentials ours;
  IceCredentials theirs;  ///< Empty until we were told.
  /// When simulated ICE and DTLS are done: after the first transport update and, with media, the
  /// first packet.
  std::optional<SteadyTime> connected_at;
  SteadyTime last_media;
  std::set<std::string> ssrcs;
};

/// A participant on another bridge.
struct RemoteEndpoint {
  bool sends = false;
  std::set<std::string> ssrcs;
};

/// The way to another bridge of the conference.
struct BridgeRelay {
  std::string ufrag;         ///< Ours.
  std::string remote_ufrag;  ///< Empty until we were told.
  bool controlling = false;
  std::string sctp_role;
  std::map<std::string, RemoteEndpoint, std::less<>> endpoints;
};

struct BridgeConference {
  std::string conference_id;  ///< The bridge's own 64-bit hex id.
  std::string name;           ///< The room.
  SteadyTime created;
  std::uint32_t audio_ssrc = 0;
  std::uint32_t video_ssrc = 0;
  std::map<std::string, BridgeEndpoint, std::less<>> endpoints;
  std::map<std::string, BridgeRelay, std::less<>> relays;  ///< By the far bridge's relay id.
  /// A request of this conference got an injected error, a late answer or none: from then on the
  /// focus cannot know our state, so collisions are not its fault.
  bool uncertain = false;
};

/// An error answer to conference-modify (Colibri2ConferenceHandler.kt, Colibri2Error.java).
struct ColibriError {
  std::string type;
  std::string condition;
  std::string reason;  ///< Empty: no colibri2 error element.
  std::string text;
  std::string endpoint;  ///< For unknown_endpoint.
};

/// What one request led to.
struct ColibriReply {
  std::optional<ColibriError> error;
  xml::Element modified;           ///< When there is no error.
  bool expires = false;            ///< Remove the conference after the answer was sent.
  std::vector<std::string> wrong;  ///< Rules of the protocol the focus broke.
};

/// The colibri2 state of one simulated bridge and its rules: no I/O, time is passed in.
class Colibri {
 public:
  Colibri(const BridgeIdentity& identity, std::uint64_t seed)
      : identity_(identity), random_(seed) {}

  /// What a bridge decides as soon as a request arrives: conference lookup and creation.
  /// `shutting_down_gracefully` refuses new conferences.
  std::optional<ColibriError> admit(const xml::Element& modify, bool shutting_down_gracefully,
                                    SteadyTime now);
  /// The rest, when the conference's queue reaches the request. nullopt: the conference has gone
  /// meanwhile and a real bridge drops the request without an answer.
  std::optional<ColibriReply> process(const xml::Element& modify, SteadyTime now);

  void expire(std::string_view meeting) { erase(meeting); }
  /// A packet for the transport with this ufrag of ours. False: nobody has it, or its endpoint has
  /// not got the credentials of the other side yet.
  bool media_arrived(std::string_view ufrag, SteadyTime now);
  /// The endpoint whose transport has this ufrag of ours; null: there is none (any more).
  [[nodiscard]] const BridgeEndpoint* endpoint_of(std::string_view ufrag) const;
  /// Is the endpoint connected, and does it still send?
  [[nodiscard]] bool is_live(const BridgeEndpoint& endpoint, SteadyTime now) const;
  /// Forgets everything.
  void clear() { conferences_.clear(); }
  /// Silent expiry, every 60 s: endpoints that did not connect within 2 minutes or have been silent
  /// for one, conferences without endpoints older than 20 s.
  void sweep(SteadyTime now);
  /// Removes up to `count` endpoints without telling anybody; returns how many.
  int lose_endpoints(int count);
  void mark_uncertain(std::string_view meeting);
  void mark_all_uncertain();

  [[nodiscard]] const std::map<std::string, BridgeConference, std::less<>>& conferences() const {
    return conferences_;
  }
  [[nodiscard]] int endpoint_count() const;
  [[nodiscard]] int relay_count() const;

  // Counters since process start.
  [[nodiscard]] std::uint64_t conferences_created() const { return conferences_created_; }
  [[nodiscard]] std::uint64_t endpoints_created() const { return endpoints_created_; }

 private:
  struct Step;
  void erase(std::string_view meeting);
  std::optional<ColibriError> endpoint(const xml::Element& request, Step& step);
  std::optional<ColibriError> create(const xml::Element& request, Step& step);
  std::optional<ColibriError> update(const xml::Element& request, Step& step);
  void apply_sources(const xml::Element& request, BridgeEndpoint& target) const;
  xml::Element transport(const xml::Element& request, const std::string& endpoint_id,
                         const BridgeConference& conference, BridgeEndpoint& endpoint);

  const BridgeIdentity& identity_;
  Prng random_;
  std::map<std::string, BridgeConference, std::less<>> conferences_;
  /// Meeting and endpoint by ufrag; an entry whose endpoint has gone is dropped when met.
  std::map<std::string, std::pair<std::string, std::string>, std::less<>> by_ufrag_;
  std::uint64_t conferences_created_ = 0;
  std::uint64_t endpoints_created_ = 0;
};

}  // namespace bascule::peers
