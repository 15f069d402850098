#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/jid.h"
#include "base/time.h"
#include "focus/colibri_outcome.h"
#include "focus/relay_request.h"
#include "focus/topology.h"

namespace bascule::focus {

/// The relays between the bridges of one conference: which exist, and what each bridge was told of
/// the endpoints on the others (Jicofo: ColibriV2SessionManager.kt, Colibri2Session.kt).
///
/// Each link is a relay on both of its bridges, named there by the relay id of the other. Both are
/// created at once; the transport one answers goes to the other. A relay that fails is expired and
/// created anew on both sides, because a bridge takes the credentials of the other side only once.
///
/// Changes of endpoints are collected until `update`, which writes one request per relay. Cost of a
/// change: O(log) when it is collected, O(bridges) in `update`. What is on a bridge is told in full
/// only to a bridge that is new.
///
/// Every request goes through the ColibriSession of its bridge, which keeps their order; exactly
/// one `answered` is expected for each, unless the bridge leaves the conference before.
class RelayLinks {
 public:
  using Link = Topology::Link;
  struct Request {
    BridgeJid bridge;
    proto::Relay relay;
    RelayTag tag;
  };
  /// In this order: what has to survive first, then what bridges are told.
  struct Step {
    std::vector<BridgeJid> changed;  ///< Whose `established` or `relays` may be other ones now.
    std::vector<Request> send;
    std::vector<Link> linked;         ///< Established: both ends have the transport of the other.
    std::vector<BridgeJid> isolated;  ///< See Topology::Change.
    std::vector<Link> failed;         ///< Will be made anew.
  };
  /// What is known elsewhere, asked for during a call.
  struct World {
    /// What bridges are told of an endpoint: make_remote_create.
    std::function<proto::Endpoint(const EndpointId&)> describe;
    std::function<std::vector<proto::Media>()> media;  ///< Of a new relay: make_relay_media.
    /// The bridge is there and the link to the server is up.
    std::function<bool(const BridgeJid&)> can_ask;
  };

  static constexpr Duration kRetry = std::chrono::seconds{2};  ///< Doubles with each failure.
  static constexpr Duration kRetryMax = std::chrono::seconds{30};

  /// `sctp`: see make_relay_create.
  explicit RelayLinks(bool sctp) : sctp_(sctp) {}

  // Where endpoints are. A bridge has an endpoint when it has confirmed it.
  void endpoint_added(const BridgeJid& bridge, const EndpointId& endpoint);
  void endpoint_changed(const BridgeJid& bridge, const EndpointId& endpoint);
  void endpoint_removed(const BridgeJid& bridge, const EndpointId& endpoint);
  /// The conference does not use the bridge any more; an `update` without it follows.
  void forget(const BridgeJid& bridge);
  void clear();

  /// From an earlier process: `bridge` may have this relay. It is expired, unless it belongs to a
  /// link that is taken over.
  void restore_relay(const BridgeJid& bridge, const std::string& relay_id);
  /// From an earlier process: a link that was established. The first `update` that has both bridges
  /// takes it over, and tells both what is true of `suspects`: anybody one of the two may have
  /// heard of.
  void restore_link(const Link& link, const std::set<EndpointId>& suspects);

  /// The conference is on these bridges. Tells them everything collected, and does what is due.
  Step update(std::span<const Topology::Node> present, const World& world, Instant now);

  /// `endpoint` is about to be allocated on `bridge`: whatever may make it a remote endpoint there
  /// has to go first, because the bridge fails when it finds one of the same id (Jitsi Videobridge:
  /// Conference.java).
  std::vector<Request> clear_way(const BridgeJid& bridge, const EndpointId& endpoint);

  Step answered(const RelayAnswer& answer, Instant now);

  [[nodiscard]] std::optional<Instant> next_deadline() const;
  /// No link, and none to be made.
  [[nodiscard]] bool empty() const { return links_.empty() && owed_.empty(); }
  [[nodiscard]] std::size_t size() const { return links_.size(); }
  [[nodiscard]] bool is_established(const Link& link) const;
  /// The relay ids `bridge` has an established link to, in order.
  [[nodiscard]] std::vector<std::string> established(const BridgeJid& bridge) const;
  /// The relays that may be on `bridge`, in order.
  [[nodiscard]] std::vector<std::string> relays(const BridgeJid& bridge) const;
  [[nodiscard]] bool has_endpoint(const BridgeJid& bridge, const EndpointId& endpoint) const;
  [[nodiscard]] std::size_t endpoint_count() const;

 private:
  enum class State : std::uint8_t {
    kNone,
    kCreated,   ///< Asked for, and there as far as we know: what follows arrives after it.
    kDoubtful,  ///< Perhaps there, and to be expired.
  };
  /// One relay of a link, on the bridge at that end.
  struct Half {
    State state = State::kNone;
    bool told = false;              ///< It has confirmed the other's transport.
    std::set<EndpointId> suspects;  ///< It may not have heard the last of these.
  };
  struct LinkState {
    std::array<Half, 2> halves;            ///< By RelayEnd.
    std::array<std::string, 2> relay_ids;  ///< Of the bridges, by RelayEnd.
    std::uint64_t life = 0;                ///< Tells answers to an earlier attempt.
    std::uint32_t failures = 0;
    bool established = false;
    std::optional<Instant> retry_at;   ///< Make it (again).
    std::optional<Instant> resync_at;  ///< Tell what suspects are.
  };
  enum class Kind : std::uint8_t { kCreate, kTransport, kEndpoints, kExpire };
  struct Asked {
    BridgeJid bridge;
    std::string relay_id;  ///< Of the far bridge.
    Kind kind;
    Link link;
    RelayEnd end;
    std::uint64_t life = 0;
    std::vector<EndpointId> endpoints;  ///< Of kEndpoints.
  };
  /// A change collected: whether the others knew the endpoint before, and who knows already.
  struct Change {
    bool known = true;
    bool anew = false;  ///< It went and came again.
    std::set<BridgeJid> told;
  };

  [[nodiscard]] bool is_linked(const BridgeJid& bridge) const;

  void ask(const Link& link, const LinkState& state, RelayEnd end, Kind kind, proto::Relay relay,
           std::vector<EndpointId> endpoints, std::vector<Request>& out);
  void expire(const Link& link, LinkState& state, RelayEnd end, std::vector<Request>& out);
  void expire_owed(const BridgeJid& bridge, std::vector<Request>& out);
  void add(const Link& link, const World& world, Instant now, Step& step);
  void drop(const Link& link, Step& step);
  void make(const Link& link, LinkState& state, const World& world, Instant now, Step& step);
  void break_off(const Link& link, LinkState& state, bool blameless, Instant now, Step& step);
  void tell_changes(const World& world, Step& step);
  void tell(const Link& link, LinkState& state, RelayEnd end,
            const std::map<EndpointId, Change>& changes,
            const std::map<EndpointId, proto::Endpoint>& news, Step& step);
  void resync(const Link& link, LinkState& state, const World& world, Instant now, Step& step);
  void retry(const World& world, Instant now, Step& step);
  void created(const Asked& asked, LinkState& state, const std::optional<proto::Transport>& granted,
               Instant now, Step& step);
  void failed(const Asked& asked, LinkState& state, ColibriOutcomeKind kind, Instant now,
              Step& step);

  bool sctp_;
  Topology topology_;
  std::map<Link, LinkState> links_;
  std::map<BridgeJid, std::set<EndpointId>> endpoints_;  ///< By the bridge they are on.
  std::map<BridgeJid, std::map<EndpointId, Change>> changes_;
  std::map<Link, std::set<EndpointId>> restored_;  ///< With who has to be told again.
  /// Relays that are not wanted and may be there: bridge and relay id.
  std::set<std::pair<BridgeJid, std::string>> owed_;
  std::optional<Instant> owed_at_;
  std::map<RelayTag, Asked> asked_;
  std::uint64_t last_tag_ = 0;
  std::uint64_t last_life_ = 0;
};

}  // namespace bascule::focus
