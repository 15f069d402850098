#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "xmpp/proto/colibri2.h"
#include "xmpp/proto/stanza_error.h"

namespace bascule::sim {

/// SSRCs of an endpoint.
using SsrcSet = std::set<std::uint32_t>;
[[nodiscard]] SsrcSet to_ssrcs(const proto::Sources& sources);

/// The relays of one conference on one bridge (Jitsi Videobridge: Relay.kt,
/// Colibri2ConferenceHandler.kt `handleColibri2Relay`).
class FakeRelays {
 public:
  struct Relay {
    std::string ufrag;   ///< Ours.
    std::string remote;  ///< Of the other side; empty until we are told.
    std::map<std::string, SsrcSet> endpoints;
  };

  /// `local`: says whether an endpoint is on this bridge itself. Complaints are what a real bridge
  /// would have mishandled.
  template <class IsLocal>
  tl::expected<proto::Relay, proto::StanzaError> modify(const proto::Relay& request,
                                                        const std::string& new_ufrag,
                                                        const IsLocal& local,
                                                        std::vector<std::string>& complaints) {
    for (const auto& endpoint : request.endpoints) {
      if (!endpoint.expire && local(endpoint.id)) {
        complaints.push_back(endpoint.id + " is here and was announced on " + request.id);
      }
    }
    return modify(request, new_ufrag, complaints);
  }

  [[nodiscard]] const std::map<std::string, Relay>& all() const { return relays_; }
  [[nodiscard]] bool empty() const { return relays_.empty(); }
  [[nodiscard]] bool has_remote(const std::string& endpoint) const;
  [[nodiscard]] std::size_t remote_endpoints() const;

 private:
  tl::expected<proto::Relay, proto::StanzaError> modify(const proto::Relay& request,
                                                        const std::string& new_ufrag,
                                                        std::vector<std::string>& complaints);
  static void apply(const proto::Endpoint& request, Relay& relay,
                    std::vector<std::string>& complaints);

  std::map<std::string, Relay> relays_;  // By the id of the far bridge.
};

}  // namespace bascule::sim
